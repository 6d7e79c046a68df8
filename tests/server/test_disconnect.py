"""A client that leaves before the answer loses nothing."""

from __future__ import annotations

import json
import socket

import pytest

from tests.fixtures.server import Person, ServerProcess, eventually
from tests.server.test_slow_clients import cookie_of

pytestmark = pytest.mark.server


def ask_and_leave(server: ServerProcess, person: Person, path: str, body: dict[str, object], conversation: str) -> None:
    """Send a whole request, and close the connection without reading anything once the server has begun with it."""
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        f"Cookie: {cookie_of(person).decode()}\r\nX-CSRF-Token: {person.headers['X-CSRF-Token']!s}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(head.encode() + data)
        assert eventually(lambda: bool(person.get(f"/api/conversation/{conversation}").json()["messages"]))


def test_a_picture_is_finished_for_a_client_that_left(server: ServerProcess, person: Person) -> None:
    conversation = person.post("/api/conversations", json={}).json()["id"]
    wanted = {"prompt": "a heron", "conversation_id": conversation, "width": 512, "height": 512}

    ask_and_leave(server, person, "/api/generate-image", wanted, conversation)

    def shown() -> list[dict[str, object]]:
        messages = person.get(f"/api/conversation/{conversation}").json()["messages"]
        return [image for message in messages for image in message["images"]]

    assert eventually(lambda: len(shown()) == 1)
    picture = person.get(f"/i/{shown()[0]['id']}")
    assert (picture.status_code, len(picture.content)) == (200, shown()[0]["size"])


def test_an_answer_is_finished_for_a_client_that_left(server: ServerProcess, person: Person) -> None:
    conversation = person.post("/api/conversations", json={}).json()["id"]

    ask_and_leave(server, person, f"/api/conversation/{conversation}/messages", {"content": "hello"}, conversation)

    def answered() -> bool:
        messages = person.get(f"/api/conversation/{conversation}").json()["messages"]
        return [(message["role"], message["status"]) for message in messages] == [
            ("user", "complete"),
            ("assistant", "complete"),
        ]

    assert eventually(answered)
