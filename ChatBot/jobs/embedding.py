"""huey inside of a process that is somebody else's: threads only, no signal handlers, nothing pickled."""

from __future__ import annotations

import json
import logging
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar

from huey import Huey
from huey.consumer import Consumer
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import BaseStorage
from huey.utils import normalize_time

from ChatBot.errors import QueueUnavailable
from ChatBot.jobs.base import Jobs, Run

MARK_SECONDS = 30
"""A job counts as waiting for so long; then it may be handed in again, for a killed process may have taken it along."""
LONGEST_PAUSE_SECONDS = 1.0
"""Between two looks at a queue that could not be read."""

# What these two say about a queue that does not answer is said once, and better, by whoever hands jobs in.
for _noisy in ("huey.consumer.Worker", "huey.consumer.Scheduler"):
    logging.getLogger(_noisy).setLevel(logging.CRITICAL)


class HueyJobs(Jobs):
    """What both kinds of queue share: one huey, with threads of its own, for each name."""

    failures: ClassVar[tuple[type[Exception], ...]] = ()
    """What the queue's storage raises when it does not answer."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}

    @abstractmethod
    def _storage(self, name: str) -> BaseStorage:
        """Return the place that keeps the queue of that name."""

    def register(self, name: str, run: Run, threads: int) -> None:
        self._lanes[name] = _Lane(name, self._storage(name), run, threads, self.failures)

    def enqueue(self, name: str, key: str, *, delay_seconds: float = 0.0) -> None:
        with self._translating():
            self._lanes[name].add(key, delay_seconds)

    def start(self) -> None:
        for lane in self._lanes.values():
            lane.start()

    def close(self) -> None:
        for lane in self._lanes.values():  # all of them, before the first is waited for
            lane.ask_to_stop()
        for lane in self._lanes.values():
            lane.close()

    def depth(self) -> int:
        with self._translating():
            return sum(lane.depth() for lane in self._lanes.values())

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except self.failures as error:
            raise QueueUnavailable(f"The job queue ({self.kind}) does not answer: {type(error).__name__}.") from error


class _Lane:
    """The queue of one name and the threads that work it off."""

    def __init__(
        self, name: str, storage: BaseStorage, run: Run, threads: int, failures: tuple[type[Exception], ...]
    ) -> None:
        self._storage = storage
        self._run = run
        self._failures = failures
        self._huey = Huey(name, results=False, serializer=_JsonSerializer(), storage_class=lambda *_: storage)
        self._job = self._huey.task(name=name)(self._perform).task_class
        self._consumer = _Embedded(self._huey, workers=threads, max_delay=LONGEST_PAUSE_SECONDS) if threads else None
        self._started = False

    def add(self, key: str, delay_seconds: float) -> None:
        if delay_seconds > 0:
            self._huey.add_schedule(self._job((key,), {}, eta=normalize_time(delay=delay_seconds)))
        elif self._storage.put_if_empty(_mark(key), b"1", MARK_SECONDS):
            self._huey.enqueue(self._job((key,), {}))

    def start(self) -> None:
        if self._consumer is not None:
            self._started = True
            self._consumer.start()

    def ask_to_stop(self) -> None:
        if self._consumer is not None:
            self._consumer.stop_flag.set()
        self._storage.close()  # nobody waits there any longer

    def close(self) -> None:
        if self._consumer is not None and self._started:
            self._consumer.stop(graceful=True)

    def depth(self) -> int:
        return int(self._storage.queue_size())

    def _perform(self, key: str) -> None:
        try:
            # Before the work, so that what changes meanwhile is handed in anew.
            self._storage.delete_data(_mark(key))
        except self._failures:
            logging.getLogger(__name__).debug("The mark of a job runs out by itself.")
        self._run(key)


class _Embedded(Consumer):  # type: ignore[misc] # huey has no types
    """A consumer that leaves the signals to the process it lives in."""

    def _set_signal_handlers(self) -> None:
        """Whoever owns the process ends it, and calls ``stop``."""


class _JsonSerializer(Serializer):  # type: ignore[misc] # huey has no types
    """Jobs as text: what comes out of a queue must not be able to run code, as a pickle could."""

    def _serialize(self, data: Message) -> bytes:
        eta = data.eta.isoformat() if data.eta else None
        return json.dumps({"id": data.id, "name": data.name, "eta": eta, "key": data.args[0]}).encode()

    def _deserialize(self, data: bytes) -> Message:
        job: dict[str, Any] = json.loads(data)
        eta = datetime.fromisoformat(job["eta"]) if job["eta"] else None
        return Message(job["id"], job["name"], eta, retries=0, retry_delay=0, args=(str(job["key"]),), kwargs={})


def _mark(key: str) -> str:
    return f"waiting:{key}"
