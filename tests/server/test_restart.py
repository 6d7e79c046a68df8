"""What was acknowledged is still there after the server ended, whichever way it ended."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256

import pytest

from tests.fixtures.server import Person, ServerProcess, eventually

pytestmark = pytest.mark.server


@dataclass
class House:
    """A server with one account, one conversation, one picture and one share link."""

    server: ServerProcess
    person: Person
    made: dict[str, object]
    picture: bytes
    token: str

    def is_whole(self) -> bool:
        """Return whether session, conversation, picture and share link are what they were."""
        image_id = self.made["images"][0]["id"]  # type: ignore[index]
        conversation = self.person.get(f"/api/conversation/{self.made['conversation_id']}")
        picture = self.person.get(f"/i/{image_id}")
        with Person(self.server) as visitor:
            shared = visitor.get(f"/share/{self.token}/i/{image_id}")
            page = visitor.get(f"/share/{self.token}")
        shown = [image["id"] for message in conversation.json()["messages"] for image in message["images"]]
        return (
            shown == [image_id]
            and picture.content == shared.content == self.picture
            and page.ok
            and image_id in page.text
        )


@pytest.fixture
def house(make_server: Callable[..., ServerProcess]) -> Iterator[House]:
    server = make_server().start()
    with Person(server) as person:
        made = person.register().draw()
        image = made["images"][0]
        picture = person.get(f"/i/{image['id']}").content
        assert sha256(picture).hexdigest() == image["sha256"]
        token = person.post(f"/api/conversation/{made['conversation_id']}/share", json={}).json()["token"]
        yield House(server, person, made, picture, token)
    server.remove()


def test_everything_is_there_after_a_clean_stop(house: House) -> None:
    assert house.server.terminate() == 0
    assert house.server.gone(), house.server.left_over()

    house.server.start()

    assert house.is_whole()


def test_ctrl_c_stops_everything_without_a_traceback(house: House) -> None:
    house.server.interrupt()

    assert house.server.wait() == 0
    assert house.server.gone(), house.server.left_over()
    assert "Traceback" not in house.server.stderr
    assert '"level": "error"' not in house.server.stderr


def test_everything_is_there_after_the_main_process_was_killed(house: House) -> None:
    house.server.kill()

    house.server.start()

    assert house.is_whole()


def test_a_killed_server_process_is_started_again(house: House) -> None:
    killed = house.server.worker()
    killed.kill()
    killed.wait(30)

    assert eventually(house.server.answers)
    assert house.server.worker().pid != killed.pid
    assert house.is_whole()
    assert house.server.terminate() == 0


def test_a_killed_database_is_started_again(house: House) -> None:
    killed = house.server.mongod()
    killed.kill()
    killed.wait(30)

    assert eventually(lambda: house.person.get("/readyz").ok)
    assert house.server.mongod().pid != killed.pid
    assert house.is_whole()


def test_the_database_ends_last(house: House) -> None:
    house.server.signal(signal.SIGTERM)
    house.server.wait()

    assert house.server.gone()
    # A service that lost its database while it was still closing would say so.
    assert "unavailable" not in house.server.stderr.lower()
    assert "mongod.orphan" not in house.server.stderr


def test_the_address_is_said_once_it_answers_and_nothing_else_is_said(house: House) -> None:
    lines = [line for line in house.server.stderr.splitlines() if not line.startswith("{")]

    assert lines == [f"ChatBot: {house.server.base_url}"]
    assert house.server.stdout == ""
