"""The queue that background work is run by: a hint of what to do now, never the memory of what is owed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

Run = Callable[[str], None]
"""Does one job; it must not raise."""


class Jobs(ABC):
    """Runs jobs, each a name and a key, in the threads of this process or of another one.

    A job may be lost (its process was killed, the queue was emptied) and may be run twice. What is owed stands in
    MongoDB, where whoever works on it claims it first, and from where lost jobs are handed in again.
    """

    kind: ClassVar[str]
    """What keeps the queue, for people: ``memory`` or ``redis``."""

    @abstractmethod
    def register(self, name: str, run: Run, threads: int) -> None:
        """Say what a job of that name does, and how many threads of this process do it (0: other processes do).

        Each name has a queue of its own, so that no slow job holds up those of another name.
        """

    @abstractmethod
    def enqueue(self, name: str, key: str, *, delay_seconds: float = 0.0) -> None:
        """Hand in a job of a registered name; one that waits already is not doubled.

        A delayed job begins up to about a second late. Raises ``QueueUnavailable``; then it was perhaps not handed in.
        """

    @abstractmethod
    def start(self) -> None:
        """Begin to run jobs."""

    @abstractmethod
    def close(self) -> None:
        """Finish the jobs at hand and stop."""

    @abstractmethod
    def depth(self) -> int:
        """Return how many jobs wait to be run now, delayed ones not counted. Raises ``QueueUnavailable``."""
