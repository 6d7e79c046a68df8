"""The work behind messages: bounded, stoppable, known by its lease."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from ChatBot.db.repositories import Repositories
from ChatBot.models import Message, MessageStatus
from ChatBot.services.conversations.running import Running
from tests.services.workshop import SETTLED_SECONDS, make_message


@pytest.fixture
def make_running(repositories: Repositories) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def make(threads: int = 2) -> Running:
        made.append(Running(repositories.messages, threads, "test"))
        return made[-1]

    yield make
    for running in made:
        running.close(0)


def stored(repositories: Repositories, status: MessageStatus = "queued") -> Message:
    message = make_message(status=status)
    repositories.messages.add(message)
    return message


def until_stopped(begun: threading.Event) -> Callable[[Callable[[], bool]], None]:
    """Return work that goes on until it is asked to stop."""

    def work(cancelled: Callable[[], bool]) -> None:
        begun.set()
        pause = threading.Event()
        while not cancelled():
            pause.wait(0.01)

    return work


def test_no_more_runs_at_once_than_there_are_threads(make_running: Callable[..., Running]) -> None:
    running, lock = make_running(2), threading.Lock()
    now_running, most = 0, 0

    def work(_: Callable[[], bool]) -> None:
        nonlocal now_running, most
        with lock:
            now_running += 1
            most = max(most, now_running)
        threading.Event().wait(0.01)
        with lock:
            now_running -= 1

    futures = [running.submit(f"{number:032x}", work) for number in range(10)]
    for future in futures:
        future.result(SETTLED_SECONDS)

    assert most == 2
    assert running.active() == []


def test_stopping_one_message_leaves_the_others(
    make_running: Callable[..., Running], repositories: Repositories
) -> None:
    running = make_running()
    first, second = stored(repositories, "streaming"), stored(repositories, "streaming")
    begun = [threading.Event(), threading.Event()]
    futures = [
        running.submit(message.id, until_stopped(event)) for message, event in zip((first, second), begun, strict=True)
    ]
    assert all(event.wait(SETTLED_SECONDS) for event in begun)

    running.stop(first.id)

    futures[0].result(SETTLED_SECONDS)
    assert running.active() == [second.id]


@pytest.mark.parametrize("status", ["cancelled", "complete"])
def test_a_stop_that_another_process_wrote_is_noticed(
    make_running: Callable[..., Running], repositories: Repositories, status: MessageStatus
) -> None:
    message, begun = stored(repositories, "streaming"), threading.Event()
    future = make_running().submit(message.id, until_stopped(begun))
    assert begun.wait(SETTLED_SECONDS)

    repositories.messages.settle(message.id, status)

    future.result(SETTLED_SECONDS)


def test_work_whose_message_was_taken_over_stops(
    make_running: Callable[..., Running], repositories: Repositories
) -> None:
    mine, other = make_running(), make_running()
    message, begun = stored(repositories), threading.Event()
    assert mine.begin(message)
    future = mine.submit(message.id, until_stopped(begun))
    assert begun.wait(SETTLED_SECONDS)

    repositories.messages.renew([message.id], other.owner, other.lease_end())

    future.result(SETTLED_SECONDS)


def test_a_queued_message_is_begun_by_exactly_one(
    make_running: Callable[..., Running], repositories: Repositories
) -> None:
    message = stored(repositories)

    begun = [make_running().begin(message) for _ in range(3)]

    assert begun == [True, False, False]


def test_a_stopped_message_is_not_begun(make_running: Callable[..., Running], repositories: Repositories) -> None:
    message = stored(repositories)
    repositories.messages.settle(message.id, "cancelled")

    assert not make_running().begin(message)


def test_closing_stops_what_runs_and_begins_nothing_more(
    make_running: Callable[..., Running], repositories: Repositories
) -> None:
    running, begun, late = make_running(1), threading.Event(), threading.Event()
    first, second = stored(repositories, "streaming"), stored(repositories)
    future = running.submit(first.id, until_stopped(begun))
    running.submit(second.id, until_stopped(late))
    assert begun.wait(SETTLED_SECONDS)

    running.close(0)

    assert future.done()
    assert not late.is_set()
    kept = repositories.messages.get(second.id)
    assert kept is not None
    assert kept.status == "queued"


def test_closing_lets_work_that_is_nearly_done_finish(
    make_running: Callable[..., Running], repositories: Repositories
) -> None:
    running, gate = make_running(), threading.Event()
    message, stopped = stored(repositories, "streaming"), []

    def work(cancelled: Callable[[], bool]) -> None:
        gate.wait(SETTLED_SECONDS)
        stopped.append(cancelled())

    future = running.submit(message.id, work)
    threading.Timer(0.05, gate.set).start()

    running.close(SETTLED_SECONDS)

    future.result(0)
    assert stopped == [False]


def test_stopping_what_does_not_run_here_is_harmless(make_running: Callable[..., Running]) -> None:
    running = make_running()

    running.stop("f" * 32)

    assert running.active() == []
