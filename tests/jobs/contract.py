"""What every queue must do; each kind inherits these tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from ChatBot.jobs.base import Jobs

SETTLED_SECONDS = 90.0


class Diary:
    """Notes which jobs were run, and lets them wait in the middle."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.noted = threading.Semaphore(0)

    def run(self, key: str) -> None:
        self.keys.append(key)
        self.noted.release()
        assert self.gate.wait(SETTLED_SECONDS)

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self.noted.acquire(timeout=SETTLED_SECONDS), self.keys


class JobsContract:
    """The tests; a subclass has the fixture ``make_jobs``, which builds one process's end of the same queue."""

    @pytest.fixture
    def open_jobs(self, make_jobs: Callable[[], Jobs]) -> Iterator[Callable[[], Jobs]]:
        opened: list[Jobs] = []

        def make() -> Jobs:
            opened.append(make_jobs())
            return opened[-1]

        yield make
        for jobs in opened:
            jobs.close()

    def test_a_job_is_run_with_its_key(self, open_jobs: Callable[[], Jobs]) -> None:
        jobs, diary = open_jobs(), Diary()
        jobs.register("letters", diary.run, 1)
        jobs.start()

        jobs.enqueue("letters", "a")

        diary.wait_for(1)
        assert diary.keys == ["a"]

    def test_jobs_begin_in_the_order_they_came(self, open_jobs: Callable[[], Jobs]) -> None:
        jobs, diary = open_jobs(), Diary()
        jobs.register("letters", diary.run, 1)
        for key in "abcde":
            jobs.enqueue("letters", key)

        jobs.start()

        diary.wait_for(5)
        assert diary.keys == list("abcde")

    def test_a_job_that_waits_already_is_not_doubled(self, open_jobs: Callable[[], Jobs]) -> None:
        jobs = open_jobs()
        jobs.register("letters", Diary().run, 1)

        for _ in range(3):
            jobs.enqueue("letters", "a")

        assert jobs.depth() == 1

    def test_a_job_handed_in_while_it_runs_is_run_once_more(self, open_jobs: Callable[[], Jobs]) -> None:
        jobs, diary = open_jobs(), Diary()
        diary.gate.clear()
        jobs.register("letters", diary.run, 1)
        jobs.start()
        jobs.enqueue("letters", "a")
        diary.wait_for(1)

        jobs.enqueue("letters", "a")
        diary.gate.set()

        diary.wait_for(1)
        assert diary.keys == ["a", "a"]

    def test_a_delayed_job_is_not_run_before_its_time(self, open_jobs: Callable[[], Jobs]) -> None:
        jobs, diary = open_jobs(), Diary()
        jobs.register("letters", diary.run, 1)
        jobs.start()

        jobs.enqueue("letters", "later", delay_seconds=0.5)
        jobs.enqueue("letters", "now")

        diary.wait_for(2)
        assert diary.keys == ["now", "later"]

    def test_a_slow_job_does_not_hold_up_those_of_another_name(self, open_jobs: Callable[[], Jobs]) -> None:
        jobs, slow, quick = open_jobs(), Diary(), Diary()
        slow.gate.clear()
        jobs.register("slow", slow.run, 1)
        jobs.register("quick", quick.run, 1)
        jobs.start()
        jobs.enqueue("slow", "a")
        slow.wait_for(1)

        jobs.enqueue("quick", "b")

        quick.wait_for(1)
        slow.gate.set()

    def test_a_job_that_breaks_does_not_end_its_thread(self, open_jobs: Callable[[], Jobs]) -> None:
        jobs, diary = open_jobs(), Diary()

        def run(key: str) -> None:
            if key == "bad":
                raise RuntimeError("a defect")
            diary.run(key)

        jobs.register("letters", run, 1)
        jobs.start()

        jobs.enqueue("letters", "bad")
        jobs.enqueue("letters", "good")

        diary.wait_for(1)
        assert diary.keys == ["good"]

    def test_closing_finishes_the_job_at_hand(self, open_jobs: Callable[[], Jobs]) -> None:
        jobs, diary, finished = open_jobs(), Diary(), threading.Event()
        diary.gate.clear()
        jobs.register("letters", lambda key: (diary.run(key), finished.set())[0], 1)
        jobs.start()
        jobs.enqueue("letters", "a")
        diary.wait_for(1)
        threading.Timer(0.05, diary.gate.set).start()

        jobs.close()

        assert finished.is_set()

    def test_a_process_without_threads_only_hands_in(self, open_jobs: Callable[[], Jobs]) -> None:
        jobs, diary = open_jobs(), Diary()
        jobs.register("letters", diary.run, 0)
        jobs.start()

        jobs.enqueue("letters", "a")

        assert not diary.noted.acquire(timeout=0.3)
        assert jobs.depth() == 1

    def test_what_never_began_closes(self, make_jobs: Callable[[], Jobs]) -> None:
        jobs = make_jobs()
        jobs.register("letters", Diary().run, 2)

        jobs.close()
