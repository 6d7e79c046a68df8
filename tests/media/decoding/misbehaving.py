"""A decoder process that does what its picture says, for tests: a misdeed is named after a bar at its end."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

from ChatBot.media.decoding.base import Facts, InProcess
from ChatBot.media.decoding.worker import main

LONG_SECONDS = 600


class Misbehaving(InProcess):
    """Does something that no decoder should."""

    def examine(self, data: bytes, **limits: Any) -> Facts:
        deed = data.rpartition(b"|")[2].decode(errors="replace")
        if deed == "hang":
            time.sleep(LONG_SECONDS)
        elif deed == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif deed == "eat":
            return Facts("PNG", len(bytearray(10**12)), 1, 1)
        elif deed == "chatter":
            os.write(1, b"a library prints something\n")
        elif deed == "babble":
            for number in range(3, 30):  # among them the pipe that answers go through
                try:
                    os.write(number, b"\x00\x00\x00\x02no")
                except OSError:
                    continue
        elif deed == "lie":
            return Facts("GIF", 1, 1, 1)
        return super().examine(data, **limits)

    def cover(self, data: bytes, **limits: Any) -> bytes:
        return b"" if data.endswith(b"|lie") else super().cover(data, **limits)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Misbehaving())
