"""The background threads: they work while there is work, and no failure ends them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from ChatBot.errors import ChatBotError, DatabaseUnavailable
from ChatBot.services.worker import Worker
from tests.services.workshop import SETTLED_SECONDS


@pytest.fixture
def start() -> Iterator[Callable[..., Worker]]:
    started: list[Worker] = []

    def begin(*arguments: object, **options: object) -> Worker:
        worker = Worker(*arguments, **options)  # type: ignore[arg-type] # each test passes what it is about
        started.append(worker)
        worker.start()
        return worker

    yield begin
    for worker in started:
        worker.close()


class Outbox:
    """So many pieces of work; raises the given errors first."""

    def __init__(self, pieces: int, *errors: Exception) -> None:
        self.left = pieces
        self.errors = list(errors)
        self.empty = threading.Event()
        self._lock = threading.Lock()

    def work_once(self) -> bool:
        with self._lock:
            if self.errors:
                raise self.errors.pop(0)
            if self.left == 0:
                self.empty.set()
                return False
            self.left -= 1
            return True


def test_everything_in_the_outbox_is_worked_off(start: Callable[..., Worker]) -> None:
    outbox = Outbox(100)

    start([outbox.work_once])

    assert outbox.empty.wait(SETTLED_SECONDS)
    assert outbox.left == 0


def test_no_outbox_starves_another(start: Callable[..., Worker]) -> None:
    endless, small = Outbox(10**9), Outbox(3)

    start([endless.work_once, small.work_once], threads=1)

    assert small.empty.wait(SETTLED_SECONDS)


def test_a_slow_outbox_does_not_hold_up_what_runs_beside_it(start: Callable[..., Worker]) -> None:
    gate, beside = threading.Event(), Outbox(3)

    start([lambda: gate.wait(SETTLED_SECONDS) and False], threads=1, beside=[beside.work_once])

    assert beside.empty.wait(SETTLED_SECONDS)
    gate.set()


@pytest.mark.parametrize(
    "error", [DatabaseUnavailable("no answer"), ChatBotError("a failure"), RuntimeError("a defect")]
)
def test_no_failure_ends_the_worker(start: Callable[..., Worker], error: Exception) -> None:
    outbox = Outbox(2, error)

    start([outbox.work_once], threads=1, broken_seconds=0.0)

    assert outbox.empty.wait(SETTLED_SECONDS)
    assert (outbox.left, outbox.errors) == (0, [])


def test_chores_are_done_again_and_again(start: Callable[..., Worker]) -> None:
    done = threading.Semaphore(0)

    start([], [(0.0, lambda: done.release() or 0)])

    assert done.acquire(timeout=SETTLED_SECONDS)
    assert done.acquire(timeout=SETTLED_SECONDS)


def test_a_chore_waits_for_its_time(start: Callable[..., Worker]) -> None:
    often, seldom = threading.Semaphore(0), threading.Event()

    start([], [(3600.0, lambda: seldom.set() or 0), (0.0, lambda: often.release() or 0)])

    assert often.acquire(timeout=SETTLED_SECONDS)
    assert often.acquire(timeout=SETTLED_SECONDS)
    assert not seldom.is_set()


def test_closing_finishes_the_piece_at_hand(start: Callable[..., Worker]) -> None:
    begun, gate, finished = threading.Event(), threading.Event(), threading.Event()

    def work() -> bool:
        begun.set()
        gate.wait(SETTLED_SECONDS)
        finished.set()
        return False

    worker = start([work], threads=1)
    assert begun.wait(SETTLED_SECONDS)
    threading.Timer(0.05, gate.set).start()

    worker.close()

    assert finished.is_set()


def test_a_worker_that_never_began_closes() -> None:
    Worker([lambda: False]).close()
