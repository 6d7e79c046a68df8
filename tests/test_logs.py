"""The log: no secret gets into it, by whatever way it comes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
import structlog
from flask import Flask

from ChatBot.config import Settings
from ChatBot.logs import HIDDEN, STEPS, hide, redact
from tests.fixtures.application import PASSWORD, Api

SECRETS = {
    "imgbb_api_key": "imgbb-planted-key",
    "postimages_api_key": "postimages-planted-key",
    "s3_access_key": "s3-access-planted",
    "s3_secret_key": "s3-secret-planted",
    "openai_api_key": "openai-planted-key",
    "redis_url": "redis://:redis-planted@127.0.0.1:1/0",
}
PLANTED = ("imgbb-planted-key", "postimages-planted-key", "s3-access-planted", "s3-secret-planted",
           "openai-planted-key", "redis-planted")  # fmt: skip


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    """The log as operators have it; the function returns what is in it."""
    written = StringIO()
    structlog.configure(
        processors=[*STEPS, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(written),
        cache_logger_on_first_use=False,
    )
    yield written.getvalue
    structlog.reset_defaults()


def test_the_settings_name_all_their_secrets() -> None:
    settings = Settings(_env_file=None, **SECRETS, mongodb_uri="mongodb://me:mongo-planted@db/")  # type: ignore[arg-type]

    assert set(settings.secrets) == {*PLANTED, "mongo-planted"}


def test_every_key_in_the_settings_is_among_the_secrets() -> None:
    named = [name for name in Settings.model_fields if name.endswith(("_key", "_token", "_secret", "_password"))]
    values = {name: f"planted-{name}-with-more-than-32-characters" for name in named}

    found = Settings(_env_file=None, **values).secrets  # type: ignore[arg-type]

    assert set(values.values()) <= set(found)


def test_the_password_in_every_address_is_among_the_secrets_as_written_and_as_it_is_sent() -> None:
    named = [name for name in Settings.model_fields if name.endswith(("_url", "_uri"))]
    schemes = {"mongodb_uri": "mongodb", "redis_url": "redis"}
    values = {name: f"{schemes.get(name, 'https')}://me:p%40ss-{name}@host/" for name in named}

    found = set(Settings(_env_file=None, **values).secrets)  # type: ignore[arg-type]

    assert len(named) > 5
    assert found == {f"{sign}-{name}" for name in named for sign in ("p%40ss", "p@ss")}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("GET /share/abcDEF123456789 failed", "abcDEF123456789"),
        ("GET /api/share/abcDEF123456789", "abcDEF123456789"),
        ("GET /linked/abcDEF123456789", "abcDEF123456789"),
        ("Authorization: Bearer abcDEF123456789", "abcDEF123456789"),
        ("mongodb://me:hunter22@db:27017/x", "hunter22"),
        ("the token cb_abcdefghijklmnopqrstuvwxyz0123 leaked", "cb_abcdefghijklmnopqrstuvwxyz0123"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, secret: str) -> None:
    event = redact(None, "info", {"event": text, "deep": {"list": [text]}, "number": 7})

    assert secret not in str(event)
    assert HIDDEN in event["event"]
    assert event["number"] == 7


def test_ordinary_text_stays_as_it_is() -> None:
    event = {"event": "request", "path": "/api/images/0123456789abcdef", "status": 200, "url": "https://ibb.co/abc"}

    assert redact(None, "info", dict(event)) == event


def test_a_secret_in_a_traceback_is_hidden(logged: Callable[[], str]) -> None:
    hide(["planted in a traceback"])

    try:
        int("planted in a traceback")
    except ValueError:
        structlog.get_logger("test").exception("it.broke")

    text = logged()
    assert "it.broke" in text
    assert "planted in a traceback" not in text
    assert "ValueError" in json.loads(text)["exception"]


def test_no_error_of_a_request_tells_a_secret(make_app: Callable[..., Flask], logged: Callable[[], str]) -> None:
    app = make_app(**SECRETS)
    ann = Api(app).register()
    token = ann.post("/api/tokens", json={}).json["token"]
    cookie = ann.http.get_cookie("chatbot_session")
    assert cookie is not None

    def breaks(**_: Any) -> str:
        raise RuntimeError(f"broke with {SECRETS} {token} Bearer {token}")

    for endpoint in ("images.listing", "images.upload", "shared.page", "pages.gallery", "auth.login"):
        app.view_functions[endpoint] = breaks
    answers = [
        ann.get("/api/images"),
        ann.post("/api/uploads", data=b"x"),
        ann.get("/share/planted-share-token-123456"),
        ann.get("/gallery", headers={"Accept": "text/html"}),
        ann.post("/api/auth/login", json={"username": "ann", "password": PASSWORD}),
        ann.get("/api/images", headers={"Authorization": f"Bearer {token}x"}),
    ]

    seen = logged() + "".join(answer.text for answer in answers)
    assert "request.broke" in seen
    for secret in (*PLANTED, token, PASSWORD, cookie.value, "planted-share-token-123456"):
        assert secret not in seen.replace('action="/share/planted-share-token-123456', ""), secret
