"""A replica set that is found, made, or still being read."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import OperationFailure

from ChatBot.db.mongod.replica_set import _configure

MEMBER = "/run/chatbot/m.sock"
CONFIG = {"config": {"version": 1, "members": [{"_id": 0, "host": MEMBER}]}}
NOT_YET = OperationFailure("no replset config has been received", 94)
ALREADY = OperationFailure("already initialized", 23)


class Mongod:
    """Answers the commands in turn with what it is told, and remembers what it was asked."""

    def __init__(self, *answers: dict[str, Any] | OperationFailure) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []
        self.admin = self

    def command(self, name: str, *_: Any, **__: Any) -> dict[str, Any]:
        self.asked.append(name)
        answer = self._answers.pop(0)
        if isinstance(answer, OperationFailure):
            raise answer
        return answer


def test_a_new_one_is_initiated() -> None:
    mongod = Mongod(NOT_YET, {"ok": 1})

    _configure(mongod, MEMBER)  # type: ignore[arg-type]

    assert mongod.asked == ["replSetGetConfig", "replSetInitiate"]


def test_one_that_is_still_reading_its_configuration_is_asked_again() -> None:
    mongod = Mongod(NOT_YET, ALREADY, NOT_YET, ALREADY, CONFIG)

    _configure(mongod, MEMBER)  # type: ignore[arg-type]

    assert mongod.asked[-1] == "replSetGetConfig"


def test_any_other_refusal_is_told() -> None:
    mongod = Mongod(NOT_YET, OperationFailure("not authorized", 13))

    with pytest.raises(OperationFailure):
        _configure(mongod, MEMBER)  # type: ignore[arg-type]


def test_one_that_moved_is_told_its_new_address() -> None:
    mongod = Mongod(CONFIG, {"ok": 1})

    _configure(mongod, "/elsewhere/m.sock")  # type: ignore[arg-type]

    assert mongod.asked == ["replSetGetConfig", "replSetReconfig"]
