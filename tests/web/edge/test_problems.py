"""Errors: which status each class has, what an answer says, and that nothing inside leaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any

import pytest
from flask import Flask

from ChatBot import errors
from ChatBot.app import create_app
from ChatBot.container import Services
from ChatBot.db.sessions import Sessions
from ChatBot.sentence import Sentence
from ChatBot.web.edge.problems import FOR_A_PERSON, status_of
from tests.fixtures.application import PASSWORD, Api

STATUSES = {
    errors.InputError("x"): 422,
    errors.PictureRefused("x", reason="truncated"): 422,
    errors.TooLarge("x"): 413,
    errors.TooLongToKeep("x"): 422,
    errors.NotAuthenticated("x"): 401,
    errors.Forbidden("x"): 403,
    errors.NotFound("x"): 404,
    errors.Conflict("x"): 409,
    errors.QuotaExceeded("x"): 429,
    errors.RateLimited("x", retry_after_seconds=2.1): 429,
    errors.ServerBusy("x", retry_after_seconds=10): 503,
    errors.ProviderRefused("x", provider="p", reason="moderation"): 422,
    errors.ProviderUnavailable("x", provider="p"): 502,
    errors.StorageFull("x"): 507,
    errors.StorageError("x"): 503,
    errors.BytesMissing("x"): 503,
    errors.IntegrityError("x"): 503,
    errors.DatabaseUnavailable("x"): 503,
    errors.Cancelled("x"): 409,
}
PERSON = dict([FOR_A_PERSON])
WITHOUT_STATUS = {errors.ChatBotError, errors.SettingsError, errors.ProviderError, errors.QueueUnavailable}
"""Classes that no request can meet: the roots, what stops the start, and what the worker takes care of itself."""


def classes(root: type[errors.ChatBotError]) -> Iterator[type[errors.ChatBotError]]:
    """Yield a class and all below it that ``errors.py`` defines."""
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from classes(child)


@pytest.mark.parametrize(
    ("method", "path", "body", "vietnamese"),
    [
        ("post", "/api/generate-image", {"prompt": " "}, "Mô tả trống; hãy mô tả bức ảnh."),
        ("post", "/api/uploads", {"data": "YWJj"}, "Tệp không phải là ảnh PNG, JPEG, GIF hoặc WEBP."),
        ("get", f"/api/images/{'0' * 32}", None, "Không có ảnh này."),
    ],
)
def test_what_an_error_says_is_in_the_language_of_the_page(
    ann: Api, method: str, path: str, body: dict[str, Any] | None, vietnamese: str
) -> None:
    spoken = ann._send(method.upper(), path, {"json": body, "headers": {"Accept-Language": "vi", **PERSON}})
    plain = ann._send(method.upper(), path, {"json": body})

    assert spoken.json["detail"].startswith(vietnamese)
    assert plain.json["detail"].isascii()
    assert (spoken.json["type"], spoken.json["title"]) == (plain.json["type"], plain.json["title"])


def test_the_numbers_of_an_error_are_written_as_its_language_does(app: Flask) -> None:
    error = errors.InputError(Sentence("The prompt is longer than %(most)s characters.", most=32_000))

    with app.test_request_context("/api/x", headers={"Accept-Language": "vi", **PERSON}):
        answer = app.make_response(app.handle_user_exception(error))

    assert answer.get_json()["detail"] == "Mô tả dài hơn 32.000 ký tự."


@pytest.mark.parametrize("error", STATUSES, ids=lambda error: type(error).__name__)
def test_each_error_has_its_status(app: Flask, error: errors.ChatBotError) -> None:
    with app.test_request_context("/api/x"):
        answer = app.make_response(app.handle_user_exception(error))

    assert answer.status_code == status_of(error) == STATUSES[error]
    assert answer.mimetype == "application/problem+json"
    body = json.loads(answer.get_data())
    assert {"type", "title", "status", "detail", "request_id"} <= set(body)
    assert (body["status"], body["detail"]) == (answer.status_code, "x")


def test_no_error_is_without_a_status() -> None:
    assert {type(error) for error in STATUSES} | WITHOUT_STATUS == set(classes(errors.ChatBotError))


def test_the_reason_of_a_refused_picture_is_a_word_for_programs(app: Flask) -> None:
    with app.test_request_context("/api/x"):
        answer = app.make_response(app.handle_user_exception(errors.PictureRefused("x", reason="frames")))

    assert json.loads(answer.get_data())["reason"] == "frames"


def test_the_request_id_is_in_the_header_and_in_the_body(visitor: Api) -> None:
    answer = visitor.get("/api/images")

    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    assert len(answer.json["request_id"]) == 32


@pytest.mark.parametrize(
    ("path", "accept", "expected"),
    [
        ("/nowhere", "text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("/nowhere", "application/json", "application/problem+json"),
        ("/nowhere", "*/*", "application/problem+json"),
        ("/nowhere", "", "application/problem+json"),
        ("/api/nowhere", "text/html", "application/problem+json"),
        ("/i/nowhere", "text/html", "application/problem+json"),
    ],
)
def test_people_get_a_page_and_programs_get_json(ann: Api, path: str, accept: str, expected: str) -> None:
    answer = ann.get(path, headers={"Accept": accept})

    assert (answer.status_code, answer.mimetype) == (404, expected)
    assert answer.headers["X-Request-ID"] in answer.text


def test_a_wrong_method_says_which_ones_there_are(visitor: Api) -> None:
    answer = visitor.delete("/healthz")

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


class Broken:
    """A health service with a fault of our own in it."""

    def stats(self) -> dict[str, Any]:
        raise RuntimeError("secret of /srv/inside")

    def readiness(self) -> dict[str, Any]:
        raise errors.ChatBotError("a root that nobody should raise: secret of /srv/inside")


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_an_unknown_error_says_nothing_but_where_to_look(
    make_services: Callable[..., Services], path: str, accept: str
) -> None:
    app = create_app(services=replace(make_services(), health=Broken()))  # type: ignore[arg-type]

    answer = Api(app).get(path, headers={"Accept": accept})

    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Error(" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["X-Request-ID"] in answer.text


class SometimesAway(Sessions):
    """Sessions on a database that can go away."""

    away = False

    def load(self, key: str, at: datetime) -> dict[str, Any] | None:
        if self.away:
            raise errors.DatabaseUnavailable("MongoDB does not answer.")
        return super().load(key, at)


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_database_outage_is_503_and_nobody_is_logged_out(make_services: Callable[..., Services], accept: str) -> None:
    services = make_services()
    sessions = SometimesAway(services.database)
    app = create_app(services=replace(services, repositories=replace(services.repositories, sessions=sessions)))
    ann = Api(app).register()

    sessions.away = True
    answers = {path: ann.get(path, headers={"Accept": accept}) for path in ("/", "/api/auth/me", "/api/images", "/x")}
    alive = ann.get("/healthz")
    sessions.away = False

    assert {path: answer.status_code for path, answer in answers.items()} == {
        "/": 503,
        "/api/auth/me": 503,
        "/api/images": 503,
        "/x": 404,
    }
    assert not any("Set-Cookie" in answer.headers for answer in answers.values())
    assert alive.status_code == 200
    assert ann.get("/api/auth/me").status_code == 200


TEXTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("/api/auth/register", "username", {"password": PASSWORD}),
    ("/api/auth/register", "password", {"username": "eve"}),
    ("/api/auth/login", "username", {"password": PASSWORD}),
    ("/api/auth/login", "password", {"username": "ann"}),
    ("/api/tokens", "name", {}),
    ("/api/conversations", "title", {}),
    ("/api/conversation/{conversation}/messages", "content", {}),
    ("/api/conversation/{conversation}/messages", "images", {"content": "x"}),
    ("/api/conversation/{conversation}/share", "password", {}),
    ("/api/generate-image", "prompt", {}),
    ("/api/generate-image", "negative_prompt", {"prompt": "x"}),
    ("/api/generate-image", "generator", {"prompt": "x"}),
    ("/api/generate-image", "conversation_id", {"prompt": "x"}),
    ("/api/uploads", "data", {}),
    ("/api/uploads", "url", {}),
)
MALFORMED: dict[str, str | bytes] = {
    "nothing": "",
    "half an object": '{"a": ',
    "an array": "[]",
    "a number": "1",
    "null": "null",
    "not UTF-8": b"\xff\xfe\xfa",
    "100,000 brackets": "[" * 100_000 + "]" * 100_000,
    "100,000 objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "an unknown field": '{"surprise": 1}',
    "NaN": '{"width": NaN, "prompt": "x"}',
}


@pytest.fixture
def conversation(ann: Api) -> str:
    """An empty conversation of ``ann``."""
    return str(ann.post("/api/conversations", json={}).json["id"])


def refused(api: Api, path: str, body: str | bytes) -> None:
    """Assert that a body is refused in the proper form."""
    answer = api.post(path, data=body, content_type="application/json")
    assert 400 <= answer.status_code < 500, (path, body[:80], answer.text)
    assert answer.mimetype == "application/problem+json"
    assert answer.json["detail"]


def test_a_malformed_body_is_refused_everywhere(ann: Api, conversation: str) -> None:
    for body in MALFORMED.values():
        for path in {path for path, _, _ in TEXTS}:
            refused(ann, path.format(conversation=conversation), body)


def test_a_body_that_is_no_json_is_told_what_it_must_be(ann: Api) -> None:
    answer = ann.post("/api/generate-image", data='{"prompt": ', content_type="application/json")

    assert answer.status_code == 422
    assert answer.json["detail"] == "body: Must be a JSON object, with Content-Type: application/json"


def test_a_wrong_type_in_a_text_field_is_refused(ann: Api, conversation: str) -> None:
    wrong: tuple[object, ...] = (1, 1.5, True, {}, {"$gt": ""}, [[]])
    for value in wrong:
        for path, field, others in TEXTS:
            refused(ann, path.format(conversation=conversation), json.dumps({**others, field: value}))


@pytest.mark.parametrize("text", ['"a\\u0000b"', '"a\\ud800b"', '"\\udfff"'], ids=["NUL", "high half", "low half"])
def test_a_text_that_is_no_text_is_refused_in_every_field(ann: Api, conversation: str, text: str) -> None:
    for path, field, others in TEXTS:
        value = f"[{text}]" if field == "images" else text
        body = json.dumps({**others, field: "@"}).replace('"@"', value)
        refused(ann, path.format(conversation=conversation), body)
    image = ann.generate(width=64, height=64)["images"][0]["id"]
    for body in (f'{{"caption": {text}}}', f'{{"tags": [{text}]}}'):
        answer = ann.patch(f"/api/images/{image}", data=body, content_type="application/json")
        assert answer.status_code == 422, body
    renamed = ann.patch(
        f"/api/conversation/{conversation}", data=f'{{"title": {text}}}', content_type="application/json"
    )
    assert renamed.status_code == 422


def test_a_megabyte_of_text_is_refused_in_every_field(ann: Api, conversation: str) -> None:
    for (path, field, others), letter in product(TEXTS, ("a", "\U0001f98a", "[")):
        refused(ann, path.format(conversation=conversation), json.dumps({**others, field: letter * 1_000_000}))


UNDRAWABLE: tuple[dict[str, Any], ...] = (
    {"width": 63},
    {"width": 2049},
    {"height": "256"},
    {"height": 256.0},
    {"count": 0},
    {"count": 9},
    {"seed": -1},
    {"seed": 2**32},
    {"seed": 10**400},
    {"prompt": ""},
    {"prompt": "   "},
    {"generator": "no-such-one"},
    {"width": True},
    {"colour": "red"},
)


def test_a_picture_request_that_cannot_be_drawn_is_refused_and_leaves_nothing(ann: Api) -> None:
    for fields in UNDRAWABLE:
        answer = ann.post("/api/generate-image", json={"prompt": "a fox", **fields})

        assert answer.status_code == 422, fields
    assert ann.get("/api/conversations").json["items"] == []


def test_an_invalid_request_names_its_fields(ann: Api) -> None:
    answer = ann.post("/api/generate-image", json={"width": 1, "colour": "red"})

    assert {each["field"] for each in answer.json["errors"]} == {"prompt", "width", "colour"}
    assert "prompt" in answer.json["detail"]


def test_a_message_is_not_repeated_back_in_a_refusal(visitor: Api) -> None:
    answer = visitor.post("/api/auth/login", json={"username": "ann", "password": ["my secret words"]})

    assert answer.status_code == 422
    assert "my secret words" not in answer.text


def test_a_limit_that_is_none_is_refused(ann: Api) -> None:
    for query in ("limit=0", "limit=201", "limit=abc", "limit=1e3", "limit=" + "9" * 5000):
        for path in ("/api/images", "/api/conversations", "/api/shares"):
            assert ann.get(f"{path}?{query}").status_code == 422, (path, query)
