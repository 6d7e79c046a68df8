"""Conversations' event streams: the wire format, going on after a break, and strangers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from tests.fixtures.application import PASSWORD, Answer, Api


@pytest.fixture
def talk(ann: Api) -> str:
    """A conversation in which the assistant has answered once."""
    conversation_id = str(ann.post("/api/conversations", json={}).json["id"])
    answer = ann.post(f"/api/conversation/{conversation_id}/messages", json={"content": "hello there"})
    assert answer.status_code == 202
    assert answer.json["events_url"] == f"/api/conversation/{conversation_id}/events"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        last = ann.get(f"/api/conversation/{conversation_id}").json
        if last["messages"][-1]["status"] == "complete":
            break
        time.sleep(0.05)
    time.sleep(0.2)  # the last event follows the last write
    return conversation_id


def entries(answer: Answer, last: int) -> list[dict[str, str]]:
    """Return the events of a stream up to number ``last``, then hang up."""
    found: list[dict[str, str]] = []
    stream: Iterator[str] = iter(answer.response)  # type: ignore[arg-type]
    text = ""
    for piece in stream:
        text += piece if isinstance(piece, str) else piece.decode()
        while "\n\n" in text:
            block, text = text.split("\n\n", 1)
            if block.startswith("id: "):
                found.append(dict(line.split(": ", 1) for line in block.split("\n")))
        if found and int(found[-1]["id"]) >= last:
            break
    answer.close()
    return found


def newest(api: Api, conversation_id: str) -> int:
    """Return the number of the newest event."""
    return int(api.get(f"/api/conversation/{conversation_id}").json["last_event_id"])


def follow(api: Api, conversation_id: str, query: str = "", **headers: str) -> Answer:
    """Open a conversation's stream."""
    return api.get(f"/api/conversation/{conversation_id}/events{query}", headers=headers, buffered=False)


def test_a_stream_is_server_sent_events(ann: Api, talk: str) -> None:
    answer = follow(ann, talk, "?after=0")

    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    events = entries(answer, newest(ann, talk))
    assert all(set(event) == {"id", "event", "data"} for event in events)
    assert [int(event["id"]) for event in events] == list(range(1, len(events) + 1))
    assert {"message", "delta", "done"} <= {event["event"] for event in events}
    assert all(isinstance(json.loads(event["data"]), dict) for event in events)


def test_the_pieces_of_an_answer_add_up_to_it(ann: Api, talk: str) -> None:
    answer = ann.get(f"/api/conversation/{talk}").json["messages"][-1]

    events = entries(follow(ann, talk, "?after=0"), newest(ann, talk))

    pieces = [json.loads(event["data"]) for event in events if event["event"] == "delta"]
    assert "".join(piece["text"] for piece in pieces) == answer["content"]


@pytest.mark.parametrize("way", ["header", "query"])
def test_a_stream_goes_on_after_the_last_event_that_was_seen(ann: Api, talk: str, way: str) -> None:
    last = newest(ann, talk)
    whole = entries(follow(ann, talk, "?after=0"), last)

    if way == "header":
        rest = entries(follow(ann, talk, "?after=0", **{"Last-Event-ID": "3"}), last)
    else:
        rest = entries(follow(ann, talk, "?after=3"), last)

    assert rest == whole[3:]


def test_without_a_number_only_what_happens_from_now_on_is_told(ann: Api, talk: str) -> None:
    last = newest(ann, talk)
    answer = follow(ann, talk)

    ann.patch(f"/api/conversation/{talk}", json={"title": "A new name"})

    assert [int(event["id"]) for event in entries(answer, last + 1)] == [last + 1]


@pytest.mark.parametrize("seen", ["abc", "-1", "1.5", "9" * 40, "\u00b2"])
def test_a_nonsense_number_is_passed_over(ann: Api, talk: str, seen: str) -> None:
    last = newest(ann, talk)

    events = entries(follow(ann, talk, "?after=0", **{"Last-Event-ID": seen}), last)

    assert int(events[0]["id"]) == 1


def test_a_number_that_is_none_is_refused(ann: Api, talk: str) -> None:
    for after in ("-1", "x", "1" + "0" * 30):
        assert ann.get(f"/api/conversation/{talk}/events?after={after}").status_code == 422, after


def test_a_stream_of_somebody_else_is_absent(bob: Api, visitor: Api, talk: str) -> None:
    assert follow(bob, talk).status_code == 404
    assert follow(bob, "0" * 32).status_code == 404
    assert follow(visitor, talk).status_code == 401


def test_an_empty_message_is_refused(ann: Api) -> None:
    conversation_id = ann.post("/api/conversations", json={}).json["id"]

    for body in ({}, {"content": ""}, {"content": " \n"}):
        assert ann.post(f"/api/conversation/{conversation_id}/messages", json=body).status_code == 422


def test_an_answer_can_be_asked_for_again_and_a_question_changed(ann: Api, talk: str) -> None:
    question, answer = ann.get(f"/api/conversation/{talk}").json["messages"]

    again: dict[str, Any] = ann.post(f"/api/conversation/{talk}/messages/{answer['id']}/regenerate").json
    ann.post(f"/api/conversation/{talk}/messages/{again['message_id']}/cancel")
    changed = ann.post(f"/api/conversation/{talk}/messages/{question['id']}/edit", json={"content": "good evening"})

    assert again["user_message_id"] == question["id"]
    assert changed.status_code == 202
    assert ann.get(f"/api/conversation/{talk}").json["messages"][0]["content"] == "good evening"


def elsewhere(*steps: Callable[[], object]) -> list[object]:
    """Do something in a thread of its own, as a server does; this one is still inside of the stream's request."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: [step() for step in steps]).result()


def rename(api: Api, conversation_id: str, title: str) -> int:
    """Make an event; returns the status."""
    return api.patch(f"/api/conversation/{conversation_id}", json={"title": title}).status_code


def revoke_tokens(api: Api) -> None:
    """Revoke every API token."""
    for token in api.get("/api/tokens").json["items"]:
        api.delete(f"/api/tokens/{token['id']}")


END_OTHERS: dict[str, Callable[[Api, Api], object]] = {
    "logout": lambda _, other: other.post("/api/auth/logout"),
    "password": lambda ann, _: ann.post("/api/auth/password", json={"current": PASSWORD, "new": "another password"}),
    "ended from elsewhere": lambda ann, _: ann.post("/api/auth/sessions/end-others"),
}
"""How the session of another browser ends."""


@pytest.mark.parametrize("way", END_OTHERS)
def test_a_stream_tells_nothing_any_more_after_its_session_ended(app: Flask, ann: Api, talk: str, way: str) -> None:
    other = Api(app)
    logged_in = other.post("/api/auth/login", json={"username": "ann", "password": PASSWORD})
    other.headers["X-CSRF-Token"] = logged_in.json["csrf_token"]
    answer = follow(other, talk)

    _, renamed = elsewhere(lambda: END_OTHERS[way](ann, other), lambda: rename(ann, talk, "A secret name"))

    assert renamed == 200
    assert not any(b"secret" in piece for piece in answer.iter_encoded())
    answer.close()
    assert follow(other, talk).status_code == 401


def test_a_stream_tells_nothing_any_more_after_its_token_was_revoked(ann: Api, program: Api, talk: str) -> None:
    answer = follow(program, talk)

    _, renamed = elsewhere(lambda: revoke_tokens(ann), lambda: rename(ann, talk, "A secret name"))

    assert renamed == 200
    assert not any(b"secret" in piece for piece in answer.iter_encoded())
    answer.close()
    assert follow(program, talk).status_code == 401


def test_a_stream_ends_with_its_conversation_and_is_not_opened_again(ann: Api, talk: str) -> None:
    answer = follow(ann, talk)

    assert ann.delete(f"/api/conversation/{talk}").status_code in (200, 204)

    assert all(b"event: " not in piece for piece in answer.iter_encoded())
    answer.close()
    assert follow(ann, talk).status_code == 404
