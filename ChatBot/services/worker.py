"""The background work of one process: run what the queue hands out, hand in what was lost, keep house.

MongoDB knows what is owed; the queue only says what to do now. So a job may be lost in any way, and the sweep finds the
same work again; while the queue itself is away, the sweep does the work without it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from ChatBot.errors import ChatBotError, DatabaseUnavailable, QueueUnavailable
from ChatBot.jobs.base import Jobs

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 0.5
BROKEN_SECONDS = 5.0

Duty = tuple[float, Callable[[], int]]
"""Seconds between two times, and what each process must do for itself then."""


@dataclass(frozen=True)
class Work:
    """A kind of work. ``run`` does one piece about a key and says whether there may be more of it at once."""

    name: str
    run: Callable[[str], bool]
    due: Callable[[], Iterable[str]]
    """Returns the keys there is work about now."""
    threads: int = 1
    """How many of this process's threads do it; 0 leaves it to other processes."""


class Worker:
    """Works while there is work, and stops when it is told to.

    Each kind of work and each duty has a thread of its own that looks after it: one that waits for a slow host must
    not hold up the one that says that this process lives.
    """

    def __init__(
        self,
        jobs: Jobs,
        works: Sequence[Work],
        duties: Sequence[Duty] = (),
        *,
        broken_seconds: float = BROKEN_SECONDS,
    ) -> None:
        """``broken_seconds`` is the pause after a failure."""
        self._jobs = jobs
        self._works = tuple(works)
        self._broken_seconds = broken_seconds
        self._stop = threading.Event()
        self._queue_is_away = False
        for work in self._works:
            jobs.register(work.name, partial(self._do, work), work.threads)
        self._threads = [
            threading.Thread(target=self._sweep, args=(work,), name=f"sweep-{work.name}", daemon=True)
            for work in self._works
            if work.threads
        ]
        self._threads += [
            threading.Thread(target=self._keep_up, args=duty, name=f"duty-{number}", daemon=True)
            for number, duty in enumerate(duties)
        ]

    def start(self) -> None:
        """Begin."""
        self._jobs.start()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Finish the pieces at hand and stop."""
        self._stop.set()
        self._jobs.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _do(self, work: Work, key: str) -> None:
        while not self._stop.is_set() and self._guarded(partial(work.run, key)):
            pass

    def _sweep(self, work: Work) -> None:
        while not self._stop.is_set():
            self._guarded(partial(self._hand_in, work))
            self._stop.wait(SWEEP_SECONDS)

    def _hand_in(self, work: Work) -> bool:
        for key in work.due():
            if self._stop.is_set():
                break
            try:
                self._jobs.enqueue(work.name, key)
            except QueueUnavailable as error:
                self._note_queue(error)
                self._do(work, key)
            else:
                self._note_queue(None)
        return False

    def _note_queue(self, error: QueueUnavailable | None) -> None:
        """Say once that the queue is away, and once that it is back."""
        if error is not None and not self._queue_is_away:
            log.warning("queue.away", reason=str(error), until="it answers; meanwhile the work is done without it")
        elif error is None and self._queue_is_away:
            log.info("queue.back")
        self._queue_is_away = error is not None

    def _keep_up(self, seconds: float, duty: Callable[[], int]) -> None:
        while not self._stop.wait(seconds):
            self._guarded(duty)

    def _guarded(self, work: Callable[[], bool | int]) -> bool:
        """One item's failure must not end the worker."""
        try:
            return bool(work())
        except DatabaseUnavailable as error:
            log.warning("worker.database", error=str(error))
        except ChatBotError as error:
            log.warning("worker.failed", error=str(error))
        except Exception:
            log.exception("worker.broke")
        self._stop.wait(self._broken_seconds)
        return False
