"""Becomes mongod, after asking the kernel to kill it when the thread that started it dies (Linux only).

Run as a script: ``python -I -S launch.py <owner's pid> <mongod> <options...>``. A function run between fork and exec
could ask the same, but may deadlock in a process with threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""


def main(owner: int, command: list[str]) -> None:
    """Bind this process's life to ``owner`` and turn into ``command``.

    An owner that can say goodbye stops it with SIGTERM. When the owner was killed it is killed as well: a mongod 6.0
    that is asked to stop while it replays its log waits for itself for ever, and its journal makes a kill as safe.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != owner:  # it died before the kernel was told
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted; the words are ours


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
