"""The log: no secret gets into it, by whatever way it comes."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from flask import Flask

from ChatBot.config import PROJECT_ROOT, Settings
from ChatBot.logs import HIDDEN, Stderr, hide, log_to_stderr, log_what_nobody_catches, redact
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
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """The log as operators have it; the function returns what was written since it was last asked."""
    root = logging.getLogger()
    ours, levels = logging.getLogger("ChatBot"), (root.level, logging.getLogger("ChatBot").level)
    structlog.contextvars.clear_contextvars()  # the last request of a test before may still be named there
    log_to_stderr()
    structlog.configure(cache_logger_on_first_use=False)  # what is kept would outlive this test
    yield lambda: capsys.readouterr().err
    structlog.reset_defaults()
    for handler in [each for each in root.handlers if isinstance(each, Stderr)]:
        root.removeHandler(handler)
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.fixture
def nothing_uncaught(logged: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """The log as operators have it, with what else would be printed; the hooks are those of before afterwards."""
    for place, name in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(place, name, getattr(place, name))
    with warnings.catch_warnings():
        log_what_nobody_catches()
        yield logged
        logging.captureWarnings(capture=False)


def only_line(text: str) -> dict[str, Any]:
    """Return the one JSON object that was logged."""
    [line] = text.splitlines()
    return dict(json.loads(line))


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
        ("https://me:p4ss@proxy:3128", "p4ss"),
        ("https://me:an@other-one@proxy:3128/", "an@other-one"),
        ("GET /1/upload?expiration=60&key=abcDEF123456", "abcDEF123456"),
        ("GET /bucket/a.png?X-Amz-Signature=0123456789abcdef", "0123456789abcdef"),
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
    event |= {"server": "http://[2001:db8::7]:50000/", "monkey": "?monkey=abcdefgh"}

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


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("GET %s", "https://me:planted@127.0.0.1/"),
        ("Retry after %s", "/share/planted-token-123456"),
        ("Bearer is %s", "Bearer planted-token-123456"),
        ("sent %s", {"key": ["a-planted-key"]}),
    ],
)
def test_what_a_library_says_is_one_line_without_its_secret(logged: Callable[[], str], said: str, told: object) -> None:
    hide(["a-planted-key"])

    logging.getLogger("urllib3.connectionpool").warning(said, told)

    line = only_line(logged())
    assert "planted" not in str(line)
    assert HIDDEN in line["event"]
    assert (line["level"], line["logger"]) == ("warning", "urllib3.connectionpool")


def test_a_librarys_traceback_is_in_the_line_without_its_secret(logged: Callable[[], str]) -> None:
    try:
        int("https://me:plan" + "ted@127.0.0.1/")
    except ValueError:
        logging.getLogger("asyncio").exception("it broke")

    line = only_line(logged())
    assert "https://me:[hidden]@127.0.0.1/" in line["exception"]
    assert "planted" not in str(line)


def test_what_a_library_says_in_passing_is_not_written(logged: Callable[[], str]) -> None:
    logging.getLogger("httpx").info("GET https://me:planted@127.0.0.1/")

    assert not logged()


def test_a_librarys_record_that_is_broken_is_told_without_its_secret(logged: Callable[[], str]) -> None:
    broken = {"name": "botocore", "msg": "sent %d", "args": ("Bearer planted-token-123456",)}

    Stderr().handle(logging.makeLogRecord(broken))  # not by way of the logger, for pytest reads that too

    line = only_line(logged())
    assert line["event"] == "This cannot be written: sent %d"
    assert "planted-token" not in str(line)
    assert "TypeError" in line["exception"]


def test_each_event_is_one_line_however_often_the_log_is_set_up(logged: Callable[[], str]) -> None:
    log_to_stderr()
    structlog.configure(cache_logger_on_first_use=False)
    structlog.get_logger("ChatBot.test").warning("ours", number=7)
    ours = only_line(logged())
    logging.getLogger("huey").warning("theirs")
    theirs = only_line(logged())

    assert ours.keys() == {"event", "level", "timestamp", "number"}
    assert theirs.keys() == {"event", "level", "timestamp", "logger"}


def test_an_error_that_ends_a_thread_is_one_line_without_its_secret(nothing_uncaught: Callable[[], str]) -> None:
    def breaks() -> None:
        raise RuntimeError("Bearer planted-" + "token-123456")

    thread = threading.Thread(target=breaks, name="the broken one")
    thread.start()
    thread.join()

    line = only_line(nothing_uncaught())
    assert (line["event"], line["thread"]) == ("thread.broke", "the broken one")
    assert "planted-token" not in str(line)


def test_an_error_that_cannot_be_raised_is_one_line_without_its_secret(nothing_uncaught: Callable[[], str]) -> None:
    class Breaks:
        def __del__(self) -> None:
            raise RuntimeError("Bearer planted-" + "token-123456")

    Breaks()

    line = only_line(nothing_uncaught())
    assert line["event"] == "error.ignored"
    assert "Breaks.__del__" in line["where"]
    assert "planted-token" not in str(line)


def test_a_warning_is_one_line_without_its_secret(nothing_uncaught: Callable[[], str]) -> None:
    warnings.simplefilter("always")

    warnings.warn("/share/planted-" + "token-123456", stacklevel=1)

    line = only_line(nothing_uncaught())
    assert (line["level"], line["logger"]) == ("warning", "py.warnings")
    assert "planted-token" not in str(line)


@pytest.mark.parametrize(
    ("program", "event"),
    [
        ("from ChatBot.cli import *; sys.argv[1:] = ['broken']; group.command('broken')(broken); main()", "command"),
        ("from ChatBot.logs import *; log_to_stderr(); log_what_nobody_catches(); broken()", "process"),
        ("from ChatBot import app; app.build = broken; app.application()", "server"),
    ],
)
def test_an_error_that_ends_a_process_is_one_line_without_its_secret(program: str, event: str) -> None:
    broken = "import sys\ndef broken(*_, **__): raise RuntimeError('Bearer planted-' + 'token-123456')\n"

    ran = subprocess.run(
        [sys.executable, "-c", broken + program],
        cwd=PROJECT_ROOT, env={"ENV_FILE": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    line = only_line(ran.stderr)
    assert ran.returncode == 1
    assert line["event"].startswith(event)
    assert "RuntimeError: Bearer [hidden]" in line["exception"]
    assert "planted-token" not in ran.stdout + ran.stderr


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
