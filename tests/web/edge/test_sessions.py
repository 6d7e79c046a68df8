"""Sessions in the database: only hashes of keys, kept as long as they are used, ended for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from pymongo.database import Database

from ChatBot.models import now
from tests.fixtures.application import Api

COOKIE = "chatbot_session"


def stored(database: Database[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the stored sessions."""
    return list(database["sessions"].find())


def test_the_database_does_not_hold_the_key(ann: Api, database: Database[dict[str, Any]]) -> None:
    cookie = ann.http.get_cookie(COOKIE)

    assert cookie is not None
    assert len(cookie.value) >= 43  # 256 bits in base64
    assert cookie.value not in str(stored(database))


def test_a_visitor_who_only_looks_gets_no_session(visitor: Api, database: Database[dict[str, Any]]) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/static/css/app.css", "/api/images", "/gallery"):
        assert "Set-Cookie" not in visitor.get(path).headers, path

    assert stored(database) == []


def test_reading_does_not_write_the_session_again(ann: Api, database: Database[dict[str, Any]]) -> None:
    before = stored(database)

    answer = ann.get("/api/images")

    assert "Set-Cookie" not in answer.headers
    assert stored(database) == before


def test_a_look_from_another_browser_or_address_writes_nothing(ann: Api, database: Database[dict[str, Any]]) -> None:
    before = stored(database)

    answer = ann.get(
        "/api/images", headers={"User-Agent": "renewed"}, environ_overrides={"REMOTE_ADDR": "198.51.100.4"}
    )

    assert "Set-Cookie" not in answer.headers
    assert stored(database) == before


def test_a_session_in_use_is_renewed_once_a_day(ann: Api, database: Database[dict[str, Any]]) -> None:
    soon = now() + timedelta(days=2)
    database["sessions"].update_one({}, {"$set": {"data._renewed_at": now() - timedelta(days=28), "expires_at": soon}})

    answer = ann.get("/api/images")

    expires: datetime = stored(database)[0]["expires_at"]
    assert expires > soon + timedelta(days=20)
    assert COOKIE in answer.headers["Set-Cookie"]


def test_an_expired_session_is_nobody(ann: Api, database: Database[dict[str, Any]]) -> None:
    database["sessions"].update_one({}, {"$set": {"expires_at": now() - timedelta(seconds=1)}})

    assert ann.get("/api/auth/me").status_code == 401


def test_a_session_of_an_account_that_is_gone_is_nobody(ann: Api, database: Database[dict[str, Any]]) -> None:
    database["users"].delete_many({})

    assert ann.get("/api/auth/me").status_code == 401


def test_logout_deletes_the_session(ann: Api, database: Database[dict[str, Any]]) -> None:
    answer = ann.post("/api/auth/logout")

    assert stored(database) == []
    assert f"{COOKIE}=;" in answer.headers["Set-Cookie"]


def test_ending_all_sessions_of_an_account_ends_no_other(app: Flask, ann: Api, bob: Api) -> None:
    accounts = app.extensions["chatbot"].accounts
    user = accounts.get(ann.get("/api/auth/me").json["id"])

    assert accounts.end_sessions(user) == 1

    assert ann.get("/api/auth/me").status_code == 401
    assert bob.get("/api/auth/me").status_code == 200
