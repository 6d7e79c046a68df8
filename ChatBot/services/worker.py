"""The background work of one process: drain the outboxes, do the chores, none of them in the way of another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog

from ChatBot.errors import ChatBotError, DatabaseUnavailable

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.5
BROKEN_SECONDS = 5.0

Work = Callable[[], bool]
Chore = tuple[float, Callable[[], int]]
"""Seconds between two times, and what is done then."""


class Worker:
    """A few threads that work on outboxes while there is something in them, and one for each chore.

    A chore that waits for a slow host must not hold up the one that says that this process lives. Each of
    ``outboxes`` does one piece of work and says whether there was any. Those in ``beside`` have a thread of their own,
    so that no slow upload holds them up.
    """

    def __init__(
        self,
        outboxes: Sequence[Work],
        chores: Sequence[Chore] = (),
        threads: int = 2,
        *,
        beside: Sequence[Work] = (),
        broken_seconds: float = BROKEN_SECONDS,
    ) -> None:
        """``broken_seconds`` is the pause after a failure."""
        self._broken_seconds = broken_seconds
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(works,), name=f"outbox-{number}", daemon=True)
            for number, works in enumerate([*[tuple(outboxes)] * threads, *((work,) for work in beside)])
        ]
        self._threads += [
            threading.Thread(target=self._keep_house, args=chore, name=f"chore-{number}", daemon=True)
            for number, chore in enumerate(chores)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Finish the item at hand and stop."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _work(self, works: Sequence[Work]) -> None:
        while not self._stop.is_set():
            worked = [self._guarded(outbox) for outbox in works]  # each in turn, so that none starves
            if not any(worked):
                self._stop.wait(IDLE_SECONDS)

    def _keep_house(self, seconds: float, chore: Callable[[], int]) -> None:
        while not self._stop.wait(seconds):
            self._guarded(chore)

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
