"""What runs in this process right now, and how to stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from ChatBot.db.messages import RUNNING, Messages

FOREIGN_STOP_SECONDS = 1.0
"""How late a stop that was asked of another process may be noticed."""


class Running:
    """Runs the work behind messages in a bounded pool; a message's work can be asked to stop from any process."""

    def __init__(self, messages: Messages, threads: int, name: str) -> None:
        self._messages = messages
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._stops: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def submit(self, message_id: str, work: Callable[[Callable[[], bool]], None]) -> Future[None]:
        """Run ``work(cancelled)`` as soon as there is a free thread."""
        return self._pool.submit(self._run, message_id, work)

    def stop(self, message_id: str) -> None:
        """Ask a message's work to stop, if it runs here."""
        with self._lock:
            stop = self._stops.get(message_id)
        if stop:
            stop.set()

    def close(self) -> None:
        """Stop everything and wait for it."""
        with self._lock:
            for stop in self._stops.values():
                stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, message_id: str, work: Callable[[Callable[[], bool]], None]) -> None:
        with self._registered(message_id) as stop:
            work(self._check(message_id, stop))

    @contextmanager
    def _registered(self, message_id: str) -> Iterator[threading.Event]:
        stop = threading.Event()
        with self._lock:
            self._stops[message_id] = stop
        try:
            yield stop
        finally:
            with self._lock:
                self._stops.pop(message_id, None)

    def _check(self, message_id: str, stop: threading.Event) -> Callable[[], bool]:
        """Return a check that is cheap to call often: the database is asked once a second at most."""
        asked = time.monotonic()

        def cancelled() -> bool:
            nonlocal asked
            if not stop.is_set() and time.monotonic() - asked >= FOREIGN_STOP_SECONDS:
                asked = time.monotonic()
                message = self._messages.get(message_id)
                if message is None or message.status not in RUNNING:
                    stop.set()
            return stop.is_set()

        return cancelled
