"""``/healthz`` and ``/readyz``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Flask

from ChatBot.app import create_app
from ChatBot.container import Services
from tests.fixtures.application import Api


def test_a_living_process_says_so_to_anybody(visitor: Api) -> None:
    answer = visitor.get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
    assert "Set-Cookie" not in answer.headers


def test_readiness_tells_of_each_part(make_app: Callable[..., Flask], host_settings: dict[str, Any]) -> None:
    answer = Api(make_app(**host_settings)).get("/readyz")

    assert answer.status_code == 200
    assert answer.json["ready"] is True
    assert {part: answer.json[part]["ok"] for part in ("database", "disk", "generator", "assistant")} == {
        "database": True,
        "disk": True,
        "generator": True,
        "assistant": True,
    }
    assert answer.json["outbox"] == 0


class Unready:
    """A health service whose database is away."""

    def readiness(self) -> dict[str, Any]:
        return {"ready": False, "database": {"ok": False, "reason": "MongoDB does not answer."}}


def test_a_server_that_cannot_work_is_503_with_the_reason(make_services: Callable[..., Services]) -> None:
    app = create_app(services=replace(make_services(), health=Unready()))  # type: ignore[arg-type]

    answer = Api(app).get("/readyz")

    assert answer.status_code == 503
    assert answer.json["database"]["reason"] == "MongoDB does not answer."
