"""The background work of one process: drain the outbox, empty the trash."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from ChatBot.errors import ChatBotError, DatabaseUnavailable

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.5
BROKEN_SECONDS = 5.0
HOUSEKEEPING_SECONDS = 600.0


class Worker:
    """A few threads that call ``work_once`` while there is work, and ``housekeeping`` every ten minutes."""

    def __init__(self, work_once: Callable[[], bool], housekeeping: Callable[[], int], threads: int = 2) -> None:
        self._work_once = work_once
        self._housekeeping = housekeeping
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._loop, args=(number == 0,), name=f"outbox-{number}", daemon=True)
            for number in range(threads)
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

    def _loop(self, keeps_house: bool) -> None:
        tidied = time.monotonic()
        while not self._stop.is_set():
            if not self._guarded(self._work_once):
                self._stop.wait(IDLE_SECONDS)
            if keeps_house and time.monotonic() - tidied >= HOUSEKEEPING_SECONDS:
                tidied = time.monotonic()
                self._guarded(self._housekeeping)

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
        self._stop.wait(BROKEN_SECONDS)
        return False
