"""Following a conversation: every entry once, in order, from any number on."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ChatBot.db.repositories import Repositories
from ChatBot.models import Event, new_id
from ChatBot.services.events import EventLog
from tests.services.workshop import SETTLED_SECONDS, at_once

ENTRIES = 60


@pytest.fixture
def conversation_id() -> str:
    return new_id()


@pytest.fixture
def log(repositories: Repositories) -> Iterator[EventLog]:
    log = EventLog(repositories.events)
    yield log
    log.close()


def followed(log: EventLog, conversation_id: str, after: int, count: int) -> list[Event]:
    """Return the next so many entries."""
    found = []
    for event in log.follow(conversation_id, after, idle_seconds=SETTLED_SECONDS):
        assert event is not None, "an entry was passed over"
        found.append(event)
        if len(found) == count:
            break
    return found


def numbers(events: list[Event]) -> list[int]:
    return [event.seq for event in events]


def test_entries_are_numbered_from_one_in_their_order(log: EventLog, conversation_id: str) -> None:
    for kind in ("a", "b", "c"):
        log.publish(conversation_id, kind, {"kind": kind})

    events = followed(log, conversation_id, 0, 3)

    assert [(event.seq, event.type, event.data["kind"]) for event in events] == [
        (1, "a", "a"),
        (2, "b", "b"),
        (3, "c", "c"),
    ]
    assert log.last_seq(conversation_id) == 3


def test_conversations_do_not_see_each_other(log: EventLog, conversation_id: str) -> None:
    log.publish(new_id(), "hers", {})
    log.publish(conversation_id, "his", {})

    assert [event.type for event in followed(log, conversation_id, 0, 1)] == ["his"]


def test_without_a_conversation_nobody_is_told(log: EventLog, repositories: Repositories) -> None:
    log.publish(None, "message", {})

    assert repositories.events._collection.count_documents({}) == 0


@pytest.mark.parametrize("publishers", [1, 4])
def test_a_reader_that_resumes_misses_and_repeats_nothing_while_others_publish(
    log: EventLog, conversation_id: str, publishers: int
) -> None:
    def publish(number: int) -> None:
        for index in range(ENTRIES // publishers):
            log.publish(conversation_id, "entry", {"publisher": number, "index": index})

    publishing = threading.Thread(target=at_once, args=(publish, publishers))
    publishing.start()

    seen: list[Event] = []
    while len(seen) < ENTRIES:
        after = seen[-1].seq if seen else 0
        seen += followed(log, conversation_id, after, min(7, ENTRIES - len(seen)))

    publishing.join()
    assert numbers(seen) == list(range(1, ENTRIES + 1))


def test_an_entry_that_is_written_after_its_successor_is_not_passed_over(
    log: EventLog, repositories: Repositories, conversation_id: str
) -> None:
    late, early = reserved(repositories, conversation_id), repositories.events.append(conversation_id, "early", {})
    before = repositories.events.after(conversation_id, 0)

    repositories.events._collection.insert_one(late.to_document())

    assert (late.seq, early.seq, before) == (1, 2, [])
    assert numbers(followed(log, conversation_id, 0, 2)) == [1, 2]


def reserved(repositories: Repositories, conversation_id: str) -> Event:
    """Return an entry whose number is taken and which is not written yet."""
    event = repositories.events.append(conversation_id, "late", {})
    repositories.events._collection.delete_one({"conversation_id": conversation_id, "seq": event.seq})
    return event


def test_a_number_whose_publisher_died_holds_nobody_up_for_ever(
    log: EventLog, repositories: Repositories, conversation_id: str
) -> None:
    reserved(repositories, conversation_id)
    log.publish(conversation_id, "after the gap", {})

    assert numbers(followed(log, conversation_id, 0, 1)) == [2]


def test_entries_of_another_process_arrive_by_polling(
    log: EventLog, repositories: Repositories, conversation_id: str
) -> None:
    reader = log.follow(conversation_id, 0, idle_seconds=0.0)
    assert next(reader) is None
    EventLog(repositories.events).publish(conversation_id, "foreign", {})

    event = next(event for event in reader if event is not None)

    assert (event.seq, event.type) == (1, "foreign")


def test_silence_is_told_so_that_the_line_stays_open(log: EventLog, conversation_id: str) -> None:
    reader = log.follow(conversation_id, 0, idle_seconds=0.0)

    assert next(reader) is None
    assert next(reader) is None


def test_closing_ends_every_reader(log: EventLog, conversation_id: str) -> None:
    ended = threading.Event()

    def read() -> None:
        for _ in log.follow(conversation_id, 0):
            pass
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()

    log.close()

    assert ended.wait(30)
    reader.join()


class CountingEvents:
    """Counts how often the log is read."""

    def __init__(self, repositories: Repositories) -> None:
        self.kept = repositories.events
        self.reads = 0

    def after(self, conversation_id: str, seq: int) -> list[Event]:
        self.reads += 1
        return self.kept.after(conversation_id, seq)

    def __getattr__(self, name: str) -> object:
        return getattr(self.kept, name)


def test_a_reader_of_a_forgotten_conversation_does_not_ask_without_pause(
    repositories: Repositories, conversation_id: str
) -> None:
    counting = CountingEvents(repositories)
    log = EventLog(counting)  # type: ignore[arg-type] # it passes everything on
    for _ in range(3):
        log.publish(conversation_id, "entry", {})
    log.forget(conversation_id)
    reader = log.follow(conversation_id, 1, idle_seconds=0.3)

    next(reader)

    log.close()
    assert counting.reads < 10


def test_a_forgotten_conversation_starts_again_at_one(log: EventLog, conversation_id: str) -> None:
    log.publish(conversation_id, "old", {})

    log.forget(conversation_id)

    assert log.last_seq(conversation_id) == 0
    log.publish(conversation_id, "new", {})
    assert [(event.seq, event.type) for event in followed(log, conversation_id, 0, 1)] == [(1, "new")]
