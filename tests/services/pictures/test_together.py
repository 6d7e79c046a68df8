"""A crowd shares one read, and nobody gets an answer that is older than the question."""

from __future__ import annotations

import threading
from collections.abc import Set
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from ChatBot.errors import DatabaseUnavailable
from ChatBot.services.pictures.together import Together

SECONDS = 20


class Slow:
    """A read that waits until it is let go; answers with what was true when it began."""

    def __init__(self) -> None:
        self.truth = "old"
        self.asked: list[set[str]] = []
        self.began = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.failure: Exception | None = None

    def __call__(self, questions: Set[str]) -> dict[str, str]:
        truth = self.truth
        self.asked.append(set(questions))
        self.began.release()
        assert self.may_end.acquire(timeout=SECONDS)
        if self.failure:
            raise self.failure
        return {question: f"{question} is {truth}" for question in questions if question != "nothing"}


@pytest.fixture
def slow() -> Slow:
    return Slow()


def crowd(together: Together[str, str], pool: ThreadPoolExecutor, *questions: str) -> list[Future[str | None]]:
    """Let threads ask, and wait until every question is taken note of."""
    waiting = [pool.submit(together.ask, question) for question in questions]
    while not set(questions) <= together._waiting:
        threading.Event().wait(0.001)
    return waiting


def test_a_lone_question_is_asked_at_once(slow: Slow) -> None:
    slow.may_end.release()

    assert Together(slow).ask("a") == "a is old"


def test_there_can_be_no_answer(slow: Slow) -> None:
    slow.may_end.release()

    assert Together(slow).ask("nothing") is None


def test_who_comes_while_a_read_is_under_way_shares_the_next_one(slow: Slow) -> None:
    together = Together(slow, reads_at_once=1)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(together.ask, "a")
        assert slow.began.acquire(timeout=SECONDS)
        others = crowd(together, pool, "b", "c", "d")
        slow.may_end.release(2)
        answers = [each.result(SECONDS) for each in (first, *others)]

    assert answers == ["a is old", "b is old", "c is old", "d is old"]
    assert slow.asked == [{"a"}, {"b", "c", "d"}]


def test_an_answer_is_never_older_than_its_question(slow: Slow) -> None:
    together = Together(slow, reads_at_once=1)
    with ThreadPoolExecutor(8) as pool:
        before = pool.submit(together.ask, "a")
        assert slow.began.acquire(timeout=SECONDS)
        slow.truth = "new"
        after = crowd(together, pool, "a")
        slow.may_end.release(2)

        assert before.result(SECONDS) == "a is old"
        assert after[0].result(SECONDS) == "a is new"


def test_a_failed_read_fails_for_all_who_shared_it_and_for_nobody_else(slow: Slow) -> None:
    together = Together(slow, reads_at_once=1)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(together.ask, "a")
        assert slow.began.acquire(timeout=SECONDS)
        others = crowd(together, pool, "b", "c")
        slow.failure = DatabaseUnavailable("MongoDB does not answer.")
        slow.may_end.release(2)
        for each in (first, *others):
            with pytest.raises(DatabaseUnavailable):
                each.result(SECONDS)
    slow.failure = None
    slow.may_end.release()

    assert together.ask("a") == "a is old"


def test_so_many_reads_run_at_once_and_no_more(slow: Slow) -> None:
    together = Together(slow, reads_at_once=2)
    with ThreadPoolExecutor(8) as pool:
        waiting = []
        for question in ("a", "b"):
            waiting.append(pool.submit(together.ask, question))
            assert slow.began.acquire(timeout=SECONDS)
        waiting += crowd(together, pool, "c")

        assert slow.asked == [{"a"}, {"b"}]

        slow.may_end.release(3)
        assert [each.result(SECONDS) for each in waiting] == ["a is old", "b is old", "c is old"]
