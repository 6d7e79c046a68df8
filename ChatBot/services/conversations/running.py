"""What runs in this process right now: who owns it, how to stop it, and how the others know that it lives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import datetime, timedelta

from ChatBot.db.messages import RUNNING, Messages
from ChatBot.models import Message, new_id, now

FOREIGN_STOP_SECONDS = 1.0
"""How late a stop that was asked of another process may be noticed."""
LEASE_SECONDS = 60.0
"""How long an answer waits for a process that says nothing before another one takes it over."""
LAST_WORK_SECONDS = 5.0
"""How long work may go on when the server stops: a picture that is nearly there is better than one lost."""

Work = Callable[[Callable[[], bool]], None]


class Running:
    """Runs the work behind messages in a bounded pool; a message's work can be asked to stop from any process."""

    def __init__(self, messages: Messages, threads: int, name: str, *, owner: str | None = None) -> None:
        self._messages = messages
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._stops: dict[str, threading.Event] = {}
        self._futures: dict[str, Future[None]] = {}
        self._lock = threading.Lock()
        self.owner = owner or new_id()
        self.closing = False

    def begin(self, message: Message) -> bool:
        """Take a queued answer for this process; False when somebody else has it or it was stopped."""
        return self._messages.begin(message.id, self.owner, self.lease_end()) is not None

    @staticmethod
    def lease_end() -> datetime:
        """Return until when work that is taken now is this process's own."""
        return now() + timedelta(seconds=LEASE_SECONDS)

    def submit(self, message_id: str, work: Work) -> Future[None]:
        """Run ``work(cancelled)`` as soon as there is a free thread."""
        future = self._pool.submit(self._run, message_id, work)
        with self._lock:
            self._futures[message_id] = future
        future.add_done_callback(lambda done: self._forget(message_id, done))
        return future

    def active(self) -> list[str]:
        """Return the messages whose work waits or runs here."""
        with self._lock:
            return list(self._futures)

    def wait(self, message_id: str, seconds: float) -> None:
        """Wait at most that long for a message's work, if it runs here."""
        with self._lock:
            future = self._futures.get(message_id)
        if future is not None:
            wait([future], timeout=seconds)

    def stop(self, message_id: str) -> None:
        """Ask a message's work to stop, if it runs here."""
        with self._lock:
            stop = self._stops.get(message_id)
        if stop:
            stop.set()

    def close(self, last_work_seconds: float = LAST_WORK_SECONDS) -> None:
        """Begin nothing more, give running work a moment to finish, then stop it. What is queued is taken up later."""
        self.closing = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            futures = list(self._futures.values())
        wait(futures, timeout=last_work_seconds)
        with self._lock:
            for stop in self._stops.values():
                stop.set()
        self._pool.shutdown(wait=True)

    def _forget(self, message_id: str, future: Future[None]) -> None:
        with self._lock:
            if self._futures.get(message_id) is future:
                del self._futures[message_id]

    def _run(self, message_id: str, work: Work) -> None:
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
                if message is None or message.status not in RUNNING or message.lease_owner not in (None, self.owner):
                    stop.set()
            return stop.is_set()

        return cancelled
