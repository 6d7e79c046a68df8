"""The background work of a process: done while there is some, with the queue and without it; no failure ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from ChatBot.errors import ChatBotError, DatabaseUnavailable, QueueUnavailable
from ChatBot.jobs.base import Jobs, Run
from ChatBot.jobs.memory import MemoryJobs
from ChatBot.services.worker import Work, Worker
from tests.services.workshop import SETTLED_SECONDS

Start = Callable[..., Worker]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Worker] = []

    def begin(*works: Work, jobs: Jobs | None = None, **options: object) -> Worker:
        worker = Worker(jobs or MemoryJobs(), works, **options)  # type: ignore[arg-type] # each test passes what it is about
        started.append(worker)
        worker.start()
        return worker

    yield begin
    for worker in started:
        worker.close()


class Pile:
    """So many pieces of work about one key; raises the given errors first."""

    def __init__(self, pieces: int, *errors: Exception) -> None:
        self.left = pieces
        self.errors = list(errors)
        self.empty = threading.Event()
        self._lock = threading.Lock()

    def run(self, _key: str) -> bool:
        with self._lock:
            if self.errors:
                raise self.errors.pop(0)
            self.left -= 1
            if self.left <= 0:
                self.empty.set()
            return self.left > 0

    def due(self) -> list[str]:
        return ["key"] if self.left > 0 else []

    def work(self, name: str = "pile", threads: int = 1) -> Work:
        return Work(name, self.run, self.due, threads)


class ForgetfulJobs(MemoryJobs):
    """Loses every job, as a queue does whose server was emptied, until it is told to keep them."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = threading.Semaphore(0)
        self.keeps = False

    def enqueue(self, name: str, key: str, *, delay_seconds: float = 0.0) -> None:
        if self.keeps:
            super().enqueue(name, key, delay_seconds=delay_seconds)
        else:
            self.lost.release()


class AbsentJobs(Jobs):
    """A queue that does not answer."""

    kind = "absent"

    def register(self, name: str, run: Run, threads: int) -> None:
        """It takes no notice."""

    def enqueue(self, name: str, key: str, *, delay_seconds: float = 0.0) -> None:
        raise QueueUnavailable(f"The job queue does not answer: {name} {key} {delay_seconds}.")

    def start(self) -> None:
        """It is not there."""

    def close(self) -> None:
        """It is not there."""

    def depth(self) -> int:
        raise QueueUnavailable("The job queue does not answer.")


def test_everything_that_is_due_is_worked_off(start: Start) -> None:
    pile = Pile(100)

    start(pile.work())

    assert pile.empty.wait(SETTLED_SECONDS)
    assert pile.left == 0


def test_a_job_is_run_without_waiting_for_the_sweep(start: Start) -> None:
    jobs, run = MemoryJobs(), threading.Event()
    start(Work("woken", lambda _: run.set() is not None, list), jobs=jobs)

    jobs.enqueue("woken", "key")

    assert run.wait(SETTLED_SECONDS)


def test_no_work_starves_another(start: Start) -> None:
    endless, small = Pile(10**9), Pile(3)

    start(endless.work("endless"), small.work("small"))

    assert small.empty.wait(SETTLED_SECONDS)


def test_a_job_that_the_queue_lost_is_handed_in_again(start: Start) -> None:
    jobs, pile = ForgetfulJobs(), Pile(1)
    start(pile.work(), jobs=jobs)
    assert jobs.lost.acquire(timeout=SETTLED_SECONDS)

    jobs.keeps = True

    assert pile.empty.wait(SETTLED_SECONDS)


def test_while_the_queue_is_away_the_work_is_done_without_it(start: Start) -> None:
    pile, other = Pile(3), Pile(3)

    start(pile.work("one"), other.work("other"), jobs=AbsentJobs())

    assert pile.empty.wait(SETTLED_SECONDS)
    assert other.empty.wait(SETTLED_SECONDS)


def test_a_process_without_threads_does_no_work(start: Start) -> None:
    idle, busy = Pile(1), Pile(1)

    start(idle.work("idle", threads=0), busy.work("busy"), jobs=AbsentJobs())

    assert busy.empty.wait(SETTLED_SECONDS)
    assert idle.left == 1


@pytest.mark.parametrize(
    "error", [DatabaseUnavailable("no answer"), ChatBotError("a failure"), RuntimeError("a defect")]
)
def test_no_failure_ends_the_worker(start: Start, error: Exception) -> None:
    pile = Pile(2, error)

    start(pile.work(), broken_seconds=0.0)

    assert pile.empty.wait(SETTLED_SECONDS)
    assert (pile.left, pile.errors) == (0, [])


def test_a_sweep_that_fails_is_repeated(start: Start) -> None:
    errors: list[Exception] = [DatabaseUnavailable("no answer")]
    pile = Pile(1)

    def due() -> list[str]:
        if errors:
            raise errors.pop()
        return pile.due()

    start(Work("pile", pile.run, due), broken_seconds=0.0)

    assert pile.empty.wait(SETTLED_SECONDS)


def test_duties_are_done_again_and_again(start: Start) -> None:
    done = threading.Semaphore(0)

    start(duties=[(0.0, lambda: done.release() or 0)])

    assert done.acquire(timeout=SETTLED_SECONDS)
    assert done.acquire(timeout=SETTLED_SECONDS)


def test_a_duty_waits_for_its_time(start: Start) -> None:
    often, seldom = threading.Semaphore(0), threading.Event()

    start(duties=[(3600.0, lambda: seldom.set() or 0), (0.0, lambda: often.release() or 0)])

    assert often.acquire(timeout=SETTLED_SECONDS)
    assert often.acquire(timeout=SETTLED_SECONDS)
    assert not seldom.is_set()


def test_slow_work_does_not_hold_up_duties(start: Start) -> None:
    gate, done = threading.Event(), threading.Event()

    start(
        Work("slow", lambda _: gate.wait(SETTLED_SECONDS) and False, lambda: ["key"]),
        jobs=AbsentJobs(),
        duties=[(0.0, lambda: done.set() or 0)],
    )

    assert done.wait(SETTLED_SECONDS)
    gate.set()


def test_closing_finishes_the_piece_at_hand(start: Start) -> None:
    begun, gate, finished = threading.Event(), threading.Event(), threading.Event()

    def run(_key: str) -> bool:
        begun.set()
        gate.wait(SETTLED_SECONDS)
        finished.set()
        return True

    worker = start(Work("slow", run, lambda: ["key"]))
    assert begun.wait(SETTLED_SECONDS)
    threading.Timer(0.05, gate.set).start()

    worker.close()

    assert finished.is_set()


def test_a_worker_that_never_began_closes() -> None:
    Worker(MemoryJobs(), [Work("none", lambda _: False, list)]).close()
