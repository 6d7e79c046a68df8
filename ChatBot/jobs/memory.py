"""The queue of one process, in its memory."""

from __future__ import annotations

import threading
from typing import Any

from huey.storage import MemoryStorage

from ChatBot.jobs.embedding import HueyJobs

WAIT_SECONDS = 1.0
"""How long a thread waits for a job before it looks whether it should stop."""


class MemoryJobs(HueyJobs):
    """Jobs that only this process hands in and runs."""

    kind = "memory"

    def _storage(self, name: str) -> MemoryStorage:
        return _WaitingMemory(name)


class _WaitingMemory(MemoryStorage):  # type: ignore[misc] # huey has no types
    """huey's own looks for jobs every now and then, seconds apart when it is quiet; this one begins at once."""

    blocking = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._filled = threading.Condition(self._lock)
        self._closed = False

    def enqueue(self, data: bytes, priority: int | None = None) -> None:
        with self._filled:
            super().enqueue(data, priority)
            self._filled.notify()

    def dequeue(self) -> bytes | None:
        with self._filled:
            if not self._queue and not self._closed:
                self._filled.wait(WAIT_SECONDS)
            taken: bytes | None = super().dequeue()
            return taken

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._filled:
            self._closed = True
            self._filled.notify_all()
