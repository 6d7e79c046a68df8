"""Registering, logging in and out, tokens, and who needs a CSRF token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from ChatBot.models import now
from ChatBot.services.accounts import digest
from tests.fixtures.application import PASSWORD, Api

COOKIE = "chatbot_session"
CREDENTIALS = {"username": "ann", "password": PASSWORD}


def key(api: Api) -> str | None:
    """Return the session cookie of a client."""
    cookie = api.http.get_cookie(COOKIE)
    return cookie.value if cookie else None


def with_cookie(app: Flask, value: str) -> Api:
    """Return somebody who found that session cookie."""
    api = Api(app)
    api.http.set_cookie(COOKIE, value)
    return api


def test_the_first_account_is_the_administrator_and_the_next_is_not(ann: Api, bob: Api) -> None:
    assert ann.get("/api/auth/me").json["role"] == "admin"
    assert bob.get("/api/auth/me").json["role"] == "member"


def test_me_tells_who_it_is_and_the_csrf_token_and_nothing_else(ann: Api) -> None:
    answer = ann.get("/api/auth/me")

    assert set(answer.json) == {"id", "username", "role", "private", "csrf_token"}
    assert answer.json["username"] == "ann"


def test_me_gives_a_visitor_a_csrf_token_with_its_refusal(visitor: Api) -> None:
    answer = visitor.get("/api/auth/me")

    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert answer.json["csrf_token"]


@pytest.mark.usefixtures("ann")
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(visitor: Api) -> None:
    name = visitor.post("/api/auth/login", json={**CREDENTIALS, "username": "nobody"})
    password = visitor.post("/api/auth/login", json={**CREDENTIALS, "password": "wrong password"})

    assert name.status_code == password.status_code == 401
    assert name.json["detail"] == password.json["detail"]


@pytest.mark.usefixtures("ann")
def test_logging_in_and_out_again(app: Flask) -> None:
    again = Api(app)

    answer = again.post("/api/auth/login", json=CREDENTIALS)
    again.headers["X-CSRF-Token"] = answer.json["csrf_token"]

    assert again.get("/api/auth/me").json["username"] == "ann"
    assert again.post("/api/auth/logout").status_code == 204
    assert again.get("/api/auth/me").status_code == 401


def test_the_session_dies_on_the_server_at_logout(app: Flask, ann: Api) -> None:
    stolen = key(ann)
    assert stolen is not None
    assert with_cookie(app, stolen).get("/api/auth/me").status_code == 200

    ann.post("/api/auth/logout")

    assert with_cookie(app, stolen).get("/api/auth/me").status_code == 401
    assert with_cookie(app, stolen).get("/api/images").status_code == 401


def test_logging_out_by_the_form_ends_the_session_too(app: Flask, ann: Api) -> None:
    stolen = key(ann)
    assert stolen is not None

    answer = ann.post("/logout", data={"csrf_token": ann.headers["X-CSRF-Token"]})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert with_cookie(app, stolen).get("/api/auth/me").status_code == 401


@pytest.mark.usefixtures("ann")
def test_the_session_key_changes_at_login_and_the_old_one_is_worth_nothing(app: Flask) -> None:
    victim = Api(app)
    victim.get("/api/auth/me")
    planted = key(victim)
    assert planted is not None

    victim.post("/api/auth/login", json=CREDENTIALS, headers={"X-CSRF-Token": ""})

    assert key(victim) not in (None, planted)
    assert with_cookie(app, planted).get("/api/auth/me").status_code == 401
    assert app.extensions["chatbot"].repositories.sessions.load(digest(planted), now()) is None


def test_an_invented_cookie_is_nobody_and_is_not_adopted(app: Flask) -> None:
    eve = with_cookie(app, "an invented key")

    answer = eve.post("/api/auth/register", json=CREDENTIALS)

    assert answer.status_code == 201
    assert key(eve) != "an invented key"


@pytest.mark.parametrize("secure", [False, True])
def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(make_app: Callable[..., Flask], secure: bool) -> None:
    app = make_app(secure_cookies=secure)

    answer = app.test_client().post("/api/auth/register", json=CREDENTIALS)

    flags = {part.strip().lower() for part in answer.headers["Set-Cookie"].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    assert ("secure" in flags) is secure
    assert not any(flag.startswith("domain") for flag in flags)


@pytest.mark.parametrize("wrong", ["", "nonsense", "foreign"])
def test_a_change_with_a_session_needs_its_own_csrf_token(ann: Api, bob: Api, wrong: str) -> None:
    token = bob.headers["X-CSRF-Token"] if wrong == "foreign" else wrong

    answer = ann.post("/api/conversations", json={}, headers={"X-CSRF-Token": token})

    assert answer.status_code == 403
    assert answer.mimetype == "application/problem+json"
    assert "/api/auth/me" in answer.json["detail"]
    assert "X-CSRF-Token" in answer.json["detail"]
    assert ann.get("/api/conversations").json["items"] == []


def test_the_token_that_me_gives_is_taken(ann: Api) -> None:
    token = ann.get("/api/auth/me").json["csrf_token"]

    answer = ann.post("/api/conversations", json={}, headers={"X-CSRF-Token": token})

    assert answer.status_code == 201


def test_an_api_token_needs_no_csrf_token(program: Api) -> None:
    assert program.post("/api/conversations", json={}).status_code == 201


def test_a_wrong_api_token_is_refused_also_beside_a_good_session(ann: Api) -> None:
    answer = Api(ann.http.application).get("/api/images", headers={"Authorization": "Bearer cb_wrong"})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_wrong_api_token_gets_a_page_that_says_so_in_a_browser(visitor: Api) -> None:
    answer = visitor.get("/gallery", headers={"Authorization": "Bearer cb_wrong", "Accept": "text/html"})

    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert "token is unknown" in answer.text


def test_a_revoked_api_token_is_worth_nothing_at_once(ann: Api, program: Api) -> None:
    assert program.get("/api/images").status_code == 200
    token_id = ann.get("/api/tokens").json["items"][0]["id"]

    assert ann.delete(f"/api/tokens/{token_id}").status_code == 204

    assert program.get("/api/images").status_code == 401
    assert ann.get("/api/tokens").json == {"items": [], "next_cursor": None}


def test_an_api_tokens_text_is_shown_once(ann: Api) -> None:
    made = ann.post("/api/tokens", json={"name": "laptop"}).json

    assert made["token"].startswith("cb_")
    assert made["token"] not in ann.get("/api/tokens").text
    assert made["token"] not in ann.get("/settings", headers={"Accept": "text/html"}).text


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/register"])
@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost.evil.example", "null"])
@pytest.mark.usefixtures("ann")
def test_a_login_from_another_origin_is_refused(visitor: Api, path: str, origin: str) -> None:
    answer = visitor.post(path, json=CREDENTIALS, headers={"Origin": origin})

    assert answer.status_code == 403


@pytest.mark.usefixtures("ann")
def test_a_login_from_our_own_origin_is_taken(visitor: Api) -> None:
    answer = visitor.post("/api/auth/login", json=CREDENTIALS, headers={"Origin": "http://localhost"})

    assert answer.status_code == 200


@pytest.mark.usefixtures("ann")
def test_a_login_dressed_as_a_plain_form_needs_the_token(visitor: Api) -> None:
    answer = visitor.post(
        "/api/auth/login", data='{"username":"ann","password":"' + PASSWORD + '"}', content_type="text/plain"
    )

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"username": "a", "password": PASSWORD}, 422),
        ({"username": "x" * 65, "password": PASSWORD}, 422),
        ({"username": "carl", "password": "short"}, 422),
        ({"username": "ANN", "password": PASSWORD}, 409),
        ({"username": "\uff41nn", "password": PASSWORD}, 409),
        ({"username": "carl\u200b", "password": PASSWORD}, 422),
    ],
    ids=[
        "short name",
        "long name",
        "short password",
        "same name in capitals",
        "same name in wide letters",
        "invisible",
    ],
)
@pytest.mark.usefixtures("ann")
def test_a_registration_that_cannot_be_is_refused_with_a_sentence(
    visitor: Api, fields: dict[str, str], status: int
) -> None:
    answer = visitor.post("/api/auth/register", json=fields)

    assert answer.status_code == status
    assert answer.json["detail"]
    assert visitor.get("/api/auth/me").status_code == 401


def test_closed_registration_lets_the_first_account_in_and_nobody_else(make_app: Callable[..., Flask]) -> None:
    app = make_app(allow_registration=False)
    Api(app).register("ann")

    answer = Api(app).post("/api/auth/register", json={"username": "bob", "password": PASSWORD})

    assert answer.status_code == 403
    assert "closed" in answer.json["detail"]
    page = Api(app).get("/register", headers={"Accept": "text/html"})
    assert 'name="password"' not in page.text


@pytest.mark.usefixtures("ann")
def test_the_password_appears_nowhere(app: Flask) -> None:
    stored: list[dict[str, Any]] = list(app.extensions["chatbot"].database["users"].find())

    assert PASSWORD not in str(stored)
    assert "argon2id" in str(stored)
