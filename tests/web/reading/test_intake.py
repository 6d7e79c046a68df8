"""How much of what is handed in is in memory at once."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask

from ChatBot.errors import ServerBusy
from ChatBot.web.reading.intake import EXTENSION, FILES_HELD, JSON_COPIES, Intake, Memory
from tests.fixtures.application import Answer, Api
from tests.services.workshop import at_once

PATIENT_SECONDS = 90.0


def test_who_finds_too_little_free_waits_for_a_turn() -> None:
    memory = Memory(100, patience_seconds=PATIENT_SECONDS)
    order: list[object] = []
    waiting = threading.Thread(target=lambda: _note(memory, 60, order))

    with memory.hold(50):
        waiting.start()
        waiting.join(0.05)
        order.append("first")
    waiting.join(PATIENT_SECONDS)

    assert order == ["first", 60]


def _note(memory: Memory, size: int, order: list[object]) -> None:
    with memory.hold(size):
        order.append(size)


def test_patience_ends_and_nothing_is_taken() -> None:
    memory = Memory(100, patience_seconds=0.01)

    with memory.hold(50), pytest.raises(ServerBusy), memory.hold(51):
        raise AssertionError("there was no room")

    with memory.hold(100):
        pass


def test_what_is_larger_than_all_there_is_comes_alone() -> None:
    memory = Memory(100, patience_seconds=0.01)

    with memory.hold(1000), pytest.raises(ServerBusy), memory.hold(1):
        raise AssertionError("there was no room")


def test_a_failure_gives_its_share_back() -> None:
    memory = Memory(100, patience_seconds=0.01)

    with pytest.raises(ValueError, match="broke"), memory.hold(100):
        raise ValueError("broke")

    with memory.hold(100):
        pass


def test_never_more_is_held_than_there_is() -> None:
    memory, lock = Memory(100, patience_seconds=PATIENT_SECONDS), threading.Lock()
    held = [0, 0]

    def work(number: int) -> None:
        for size in (7, 30, 45, 100)[number % 4 :]:
            with memory.hold(size):
                with lock:
                    held[0] += size
                    held[1] = max(held)
                with lock:
                    held[0] -= size

    assert at_once(work, 16) == [None] * 16
    assert held[1] <= 100


def full(app: Flask) -> Intake:
    """Return the application's intake with no patience, so that a test need not wait."""
    intake: Intake = app.extensions[EXTENSION]
    intake.sent = Memory(FILES_HELD * intake.largest_bytes, patience_seconds=0.01)
    return intake


def by_form(api: Api, photo: bytes) -> Answer:
    form = {"file": (BytesIO(photo), "a.png")}
    return api.post("/api/uploads", data=form, content_type="multipart/form-data")


def by_json(api: Api, photo: bytes) -> Answer:
    return api.post("/api/uploads", json={"data": base64.b64encode(photo).decode()})


@pytest.mark.parametrize("send", [by_form, by_json])
def test_an_upload_without_room_is_told_to_come_again_and_taken_later(
    app: Flask, ann: Api, photo: bytes, send: Callable[[Api, bytes], Answer]
) -> None:
    intake = full(app)

    with intake.sent.hold(FILES_HELD * intake.largest_bytes):
        refused = send(ann, photo)
    taken = send(ann, photo)

    assert (refused.status_code, refused.mimetype) == (503, "application/problem+json")
    assert refused.json["type"].endswith("server-busy")
    assert int(refused.headers["Retry-After"]) >= 1
    assert taken.status_code == 201
    assert len(ann.get("/api/images").json["items"]) == 1


def test_a_file_in_json_takes_room_for_its_copies(app: Flask, ann: Api, photo: bytes) -> None:
    intake = full(app)
    small, body = Memory(JSON_COPIES * len(photo), patience_seconds=0.01), base64.b64encode(photo)

    intake.sent = small
    with small.hold(len(photo)):
        refused = ann.post("/api/uploads", json={"data": body.decode()})

    assert refused.status_code == 503


def test_refusals_give_their_room_back(app: Flask, ann: Api, photo: bytes) -> None:
    intake = full(app)

    answers = [by_form(ann, b"no picture"), by_json(ann, b"no picture"), by_json(ann, photo[:100])]

    assert {answer.status_code for answer in answers} == {422}
    with intake.sent.hold(FILES_HELD * intake.largest_bytes):
        pass
