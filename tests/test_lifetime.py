"""A server process ends with its parent, even when what it has to end first hangs."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading

import psutil

from ChatBot.config import PROJECT_ROOT
from ChatBot.lifetime import end_in_order

LIMIT_SECONDS = 0.5
WAIT_SECONDS = 30.0


def hang() -> None:
    """Wait for something that never comes, as for a database that is gone."""
    threading.Event().wait()


def serve() -> None:
    """Be a server process that cannot end."""
    end_in_order(hang, hang, longest_seconds=LIMIT_SECONDS)
    signal.signal(signal.SIGTERM, lambda *_: None)
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    while True:
        signal.pause()


def own() -> None:
    """Be the main process that starts it."""
    multiprocessing.get_context("spawn").Process(target=serve).start()


def test_an_orphan_that_hangs_ends_by_itself() -> None:
    command = [sys.executable, "-c", "from tests.test_lifetime import own; own()"]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as main:
        assert main.stdout is not None
        orphan = psutil.Process(int(main.stdout.readline()))

        main.kill()
        main.wait()

        orphan.wait(WAIT_SECONDS)
