"""Server-sent events over the real server: as they happen, resumed without a gap, and never in anybody's way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import takewhile
from typing import Any

import pytest
import requests

from tests.fixtures.server import Person, ServerProcess, events_of, eventually

pytestmark = pytest.mark.server

STREAMS = 60
THREADS = 64
"""What the server with few threads has; fewer than the streams that are opened there one after the other."""


@pytest.fixture
def conversation(person: Person) -> str:
    return str(person.post("/api/conversations", json={}).json()["id"])


@contextmanager
def stream(person: Person, conversation: str, after: int | None = None) -> Iterator[requests.Response]:
    """Open a conversation's events, from number ``after`` on as a browser asks when it comes back."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    with person.get(f"/api/conversation/{conversation}/events", headers=headers, stream=True) as answer:
        assert answer.status_code == 200
        yield answer


def say(person: Person, conversation: str, text: str) -> str:
    """Post a message and return the id of its answer."""
    answer = person.post(f"/api/conversation/{conversation}/messages", json={"content": text})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["message_id"])


def last_message(person: Person, conversation: str) -> dict[str, Any]:
    """Return the newest message as the server has it now."""
    return dict(person.get(f"/api/conversation/{conversation}").json()["messages"][-1])


def read_until_done(answer: requests.Response) -> list[tuple[int, str, Any]]:
    """Return the events before ``done``."""
    return list(takewhile(lambda event: event[1] != "done", events_of(answer.iter_lines(chunk_size=1))))


def text_of(events: list[tuple[int, str, Any]]) -> str:
    """Put an answer together from its deltas."""
    return "".join(data["text"] for _, kind, data in events if kind == "delta")


def test_the_answer_arrives_piece_by_piece(person: Person, conversation: str) -> None:
    with stream(person, conversation, after=0) as answer:
        message = say(person, conversation, "hello")
        seen = []
        for event in events_of(answer.iter_lines(chunk_size=1)):
            seen.append(event)
            if event[1] == "delta":
                break
        now = last_message(person, conversation)

    # The first words are here while the server is still writing the others.
    assert (now["id"], now["status"]) == (message, "streaming")


def test_a_dropped_line_is_resumed_without_loss_or_doubles(person: Person, conversation: str) -> None:
    with stream(person, conversation, after=0) as answer:
        say(person, conversation, "hello")
        first = []
        for event in events_of(answer.iter_lines(chunk_size=1)):
            first.append(event)
            if len([each for each in first if each[1] == "delta"]) == 3:
                break

    # Everything that follows happens while the line is down, so a stream that begins with the present misses it.
    assert eventually(lambda: last_message(person, conversation)["status"] == "complete")
    with stream(person, conversation, after=first[-1][0]) as answer:
        rest = read_until_done(answer)

    written = last_message(person, conversation)["content"]
    numbers = [number for number, _, _ in first + rest]
    assert text_of(first + rest) == written
    assert numbers == sorted(set(numbers))


def test_sixty_open_streams_hold_nobody_up_and_all_hear_the_news(person: Person, conversation: str) -> None:
    with ExitStack() as stack:
        opened = [stack.enter_context(stream(person, conversation, after=0)) for _ in range(STREAMS)]
        assert person.draw()["images"]
        message = say(person, conversation, "hello")
        heard = [text_of(read_until_done(answer)) for answer in opened]

    messages = person.get(f"/api/conversation/{conversation}").json()["messages"]
    assert [each["content"] for each in messages if each["id"] == message] == [heard[0]]
    assert heard == [heard[0]] * STREAMS


def test_streams_that_were_closed_give_their_threads_back(make_server: Callable[..., ServerProcess]) -> None:
    running = make_server(SERVER_THREADS=str(THREADS)).start()
    with Person(running) as person:
        conversation = str(person.register().post("/api/conversations", json={}).json()["id"])
        for _ in range(THREADS + 10):
            with stream(person, conversation, after=0):
                pass  # the browser goes to another page

        assert person.draw()["images"]
    running.remove()


def test_open_streams_do_not_keep_the_server_from_ending(make_server: Callable[..., ServerProcess]) -> None:
    running = make_server().start()
    with Person(running) as person, ExitStack() as stack:
        conversation = str(person.register().post("/api/conversations", json={}).json()["id"])
        opened = [stack.enter_context(stream(person, conversation, after=0)) for _ in range(STREAMS)]

        code = running.terminate()
        # Each one is ended properly, so that a browser comes back for more: no line was cut.
        ends = [b"".join(answer.iter_content(1000)) for answer in opened]

    assert code == 0
    assert running.gone(), running.left_over()
    assert all(end.startswith(b"retry: ") for end in ends)
    assert '"event": "server.ended"' in running.stderr
    assert "server.cut_off" not in running.stderr
