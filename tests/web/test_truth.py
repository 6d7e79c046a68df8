"""The comparison of answers with the API's description notices what is not described."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, Response, jsonify
from werkzeug.test import TestResponse

from tests.fixtures.application import Api
from tests.fixtures.truth import Truth, Untrue

ENTRY = {"id": "0" * 32, "name": "a", "created_at": "2026-01-01T00:00:00.000Z", "last_used_at": None}
KNOWN = {"X-Request-ID": "0" * 32}


def listed(**changes: Any) -> dict[str, Any]:
    """Return a list of API tokens with one that is changed; ``None`` as its name takes the name away."""
    entry = {**ENTRY, **changes}
    return {"items": [entry if entry["name"] else {"id": entry["id"]}], "next_cursor": None}


ANSWERS: dict[str, tuple[Any, int, dict[str, str]]] = {
    "as described": (listed(), 200, KNOWN),
    "another field": (listed(secret="x"), 200, KNOWN),
    "a field less": (listed(name=None), 200, KNOWN),
    "another type": (listed(name=7), 200, KNOWN),
    "another form of time": (listed(created_at="yesterday"), 200, KNOWN),
    "another status": (listed(), 203, KNOWN),
    "another media type": (listed(), 200, {**KNOWN, "Content-Type": "text/html"}),
    "a header less": (listed(), 200, {}),
    "a refusal that is no problem": ({"error": "no"}, 404, KNOWN),
}


def answered(app: Flask, body: Any, status: int, headers: dict[str, str]) -> TestResponse:
    """Return an answer to ``GET /api/tokens`` that the application would not give."""
    with app.test_request_context("/api/tokens") as context:
        response: Response = jsonify(body)
        response.status_code = status
        response.headers.update(headers)
        request = context.request
        return TestResponse(response.response, f"{status} x", response.headers, request=request)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [name for name in ANSWERS if name != "as described"])
def test_an_answer_that_is_not_described_is_noticed(app: Flask, name: str) -> None:
    answer = answered(app, *ANSWERS[name])

    with pytest.raises(Untrue, match="GET /api/tokens"):
        Truth(app).hold("GET", answer, read=True)


def test_an_answer_that_is_described_passes(app: Flask) -> None:
    Truth(app).hold("GET", answered(app, *ANSWERS["as described"]), read=True)


def test_the_client_of_the_tests_compares_what_it_gets(app: Flask, visitor: Api) -> None:
    app.view_functions["auth.me"] = lambda: {"surprise": 1}

    with pytest.raises(Untrue, match="GET /api/auth/me"):
        visitor.get("/api/auth/me")
