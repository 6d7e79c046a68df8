"""A new password: who may set it, what it closes, and what stays open."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher
from flask import Flask
from pymongo.database import Database

from ChatBot.app import create_app
from ChatBot.bootstrap import build
from ChatBot.media.decoding import Decoder
from ChatBot.models import now
from ChatBot.services.accounts import digest
from tests.fixtures.application import PASSWORD, Answer, Api, SettingsFactory
from tests.web.routes.test_auth import key, with_cookie

NEW = "another long password"
HTML = {"Accept": "text/html", "Accept-Language": "en"}


def log_in(app: Flask, password: str = PASSWORD) -> Api:
    """Log in from another browser."""
    api = Api(app)
    answer = api.post("/api/auth/login", json={"username": "ann", "password": password})
    assert answer.status_code == 200, answer.text
    api.headers["X-CSRF-Token"] = answer.json["csrf_token"]
    return api


def change(api: Api, **fields: Any) -> Answer:
    """Change the password over JSON."""
    return api.post("/api/auth/password", json={"current": PASSWORD, "new": NEW, **fields})


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one_under_a_new_key(app: Flask, ann: Api) -> None:
    other, before = log_in(app), key(ann)
    assert before is not None

    answer = change(ann)

    assert answer.json == {"sessions_ended": 1, "tokens_revoked": 0, "links_revoked": 0}
    assert other.get("/api/auth/me").status_code == 401
    assert ann.get("/api/auth/me").status_code == 200
    assert key(ann) not in (None, before)
    assert with_cookie(app, before).get("/api/auth/me").status_code == 401


class WaitingHasher(PasswordHasher):
    """Stops after the first check of a password that fits once it is told to, until it may go on."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.armed = False
        self.checked, self.may_go_on = threading.Event(), threading.Event()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
        fits = super().verify(hash, password)
        if self.armed:
            self.armed = False
            self.checked.set()
            assert self.may_go_on.wait(30)
        return fits


def test_a_login_with_the_old_password_that_ends_after_the_change_opens_nothing(
    make_settings: SettingsFactory, decoder: Decoder
) -> None:
    hasher = WaitingHasher()
    with closing(build(make_settings(), hasher=hasher, decoder=decoder)) as services:
        app = create_app(services=services)
        ann, thief = Api(app).register("ann"), Api(app)
        picture = ann.generate()["images"][0]["src"]
        hasher.armed = True
        answers: list[Answer] = []
        credentials = {"username": "ann", "password": PASSWORD}
        login = threading.Thread(target=lambda: answers.append(thief.post("/api/auth/login", json=credentials)))
        login.start()
        assert hasher.checked.wait(30)

        changed = change(ann)
        hasher.may_go_on.set()
        login.join(30)

        assert (changed.status_code, answers[0].status_code) == (200, 200)
        assert [thief.get(path).status_code for path in (picture, "/api/auth/me", "/api/images")] == [401, 401, 401]
        assert ann.get(picture).status_code == 200
        assert len(ann.get("/api/auth/sessions").json["items"]) == 1


def test_signed_links_end_with_the_password_and_permanent_ones_when_that_is_asked(ann: Api, visitor: Api) -> None:
    image_id = ann.generate()["images"][0]["id"]
    signed, permanent = (
        ann.post(f"/api/images/{image_id}/links", json=body).json["url"].removeprefix("http://localhost")
        for body in ({}, {"permanent": True})
    )

    first = change(ann)
    after_first = [visitor.get(link).status_code for link in (signed, permanent)]
    second = ann.post("/api/auth/password", json={"current": NEW, "new": PASSWORD, "end_links": True})

    assert (first.json["links_revoked"], after_first) == (0, [404, 200])
    assert (second.json["links_revoked"], visitor.get(permanent).status_code) == (1, 404)


def test_only_the_new_password_lets_in(app: Flask, ann: Api) -> None:
    change(ann)

    assert log_in(app, NEW).get("/api/auth/me").status_code == 200
    answer = Api(app).post("/api/auth/login", json={"username": "ann", "password": PASSWORD})
    assert answer.status_code == 401


@pytest.mark.parametrize(("keep", "status"), [(False, 401), (True, 200)])
def test_api_tokens_go_unless_they_are_kept(ann: Api, program: Api, keep: bool, status: int) -> None:
    answer = change(ann, keep_tokens=keep)

    assert answer.json["tokens_revoked"] == (0 if keep else 1)
    assert program.get("/api/auth/me").status_code == status


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"current": "wrong password"}, 403), ({"new": "short"}, 422), ({"current": {"$ne": ""}}, 422)],
)
def test_a_change_that_is_refused_changes_nothing(app: Flask, ann: Api, fields: dict[str, Any], status: int) -> None:
    other = log_in(app)

    answer = change(ann, **fields)

    assert answer.status_code == status
    assert other.get("/api/auth/me").status_code == 200
    assert log_in(app).get("/api/auth/me").status_code == 200


def test_guessing_the_current_password_gets_slower_too(ann: Api) -> None:
    answers = [change(ann, current=f"wrong password {n}").status_code for n in range(8)]

    assert answers[:6] == [403] * 6
    assert answers[-1] == 429


def test_sessions_are_listed_without_their_keys(app: Flask, ann: Api) -> None:
    log_in(app)

    answer = ann.get("/api/auth/sessions")

    items = answer.json["items"]
    assert [item["present"] for item in items] == [False, True]
    assert {item["address"] for item in items} == {"127.0.0.1"}
    assert all(item["begun_at"] and "Werkzeug" in item["agent"] for item in items)
    cookie = key(ann)
    assert cookie is not None
    assert cookie not in answer.text
    assert digest(cookie) not in answer.text


def test_ending_the_others_keeps_this_one(app: Flask, ann: Api) -> None:
    others = [log_in(app), log_in(app)]

    answer = ann.post("/api/auth/sessions/end-others")

    assert answer.json == {"sessions_ended": 2}
    assert [other.get("/api/auth/me").status_code for other in others] == [401, 401]
    assert ann.get("/api/auth/me").status_code == 200


def test_the_form_says_what_it_closed(app: Flask, ann: Api) -> None:
    log_in(app)
    fields = {"current": PASSWORD, "new": NEW, "again": NEW, "csrf_token": ann.headers["X-CSRF-Token"]}

    answer = ann.post("/settings/password", data=fields)
    page = ann.get(answer.headers["Location"], headers=HTML)

    assert answer.status_code == 303
    assert "Other sessions ended: 1" in page.text


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"again": "something else"}, 422, "differ"),
        ({"current": "wrong password"}, 403, "The current password is wrong."),
        ({"new": "short", "again": "short"}, 422, "at least 8 characters"),
    ],
)
def test_the_form_says_what_is_wrong(ann: Api, fields: dict[str, str], status: int, sentence: str) -> None:
    wanted = {"current": PASSWORD, "new": NEW, "again": NEW, "csrf_token": ann.headers["X-CSRF-Token"], **fields}

    answer = ann.post("/settings/password", data=wanted, headers=HTML)

    assert answer.status_code == status
    assert sentence in answer.text
    assert PASSWORD not in answer.text


def test_a_session_that_was_ended_is_not_written_again(
    app: Flask, ann: Api, database: Database[dict[str, Any]]
) -> None:
    sessions = app.extensions["chatbot"].repositories.sessions
    cookie = key(ann)
    assert cookie is not None
    data = sessions.load(digest(cookie), now())
    database["sessions"].delete_many({})

    assert not sessions.renew(digest(cookie), data, None, now())

    assert list(database["sessions"].find()) == []
