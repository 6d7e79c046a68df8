"""The audit log: what is kept, what is never in it, who may see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from ChatBot.container import Services
from ChatBot.db.audit import AuditLog
from ChatBot.errors import DatabaseUnavailable
from ChatBot.models import now
from ChatBot.services.audit import Audit
from ChatBot.web.edge.audited import ACTIONS, NOT_SECURITY_RELEVANT, ONLY_WHEN_REFUSED, SAID_BY_THEIR_VIEWS
from tests.fixtures.application import PASSWORD, Api
from tests.web.edge.test_guard import routes

HTML = {"Accept": "text/html", "Accept-Language": "en"}


def kept(ann: Api, **query: str) -> list[dict[str, Any]]:
    """Return the entries, the oldest first."""
    answer = ann.get("/api/admin/audit", query_string=query)
    assert answer.status_code == 200, answer.text
    return list(reversed(answer.json["items"]))


def told(ann: Api) -> list[tuple[str, str]]:
    """Return actions and outcomes, the oldest first."""
    return [(entry["action"], entry["outcome"]) for entry in kept(ann)]


def test_every_route_that_changes_something_is_kept_or_stands_among_those_that_are_not(app: Flask) -> None:
    changing = {route.endpoint for route, method in routes(app) if method != "GET"}
    named = [*(set(ACTIONS) & changing), *SAID_BY_THEIR_VIEWS, *NOT_SECURITY_RELEVANT]

    assert sorted(named) == sorted(changing)
    assert {action for name, action in ACTIONS.items() if name not in changing} == ONLY_WHEN_REFUSED


def test_becoming_private_is_kept_and_renaming_is_not(ann: Api, bob: Api) -> None:
    conversation = ann.post("/api/conversations", json={}).json["id"]
    path = f"/api/conversation/{conversation}"
    ann.patch(path, json={"title": "renamed"})
    ann.patch(path, json={"private": True})
    bob.patch(path, json={"private": False})
    bob.patch("/api/auth/me", json={"private": True})
    bob.patch("/api/auth/me", json={"private": False})

    entries = [entry for entry in kept(ann) if ".p" in entry["action"]]

    assert [(entry["actor"], entry["action"], entry["outcome"], entry["target_id"]) for entry in entries] == [
        ("ann", "conversation.private", "ok", conversation),
        ("bob", "conversation.public", "refused", conversation),
        ("bob", "account.private", "ok", None),
        ("bob", "account.public", "ok", None),
    ]
    assert len(kept(ann, action="conversation.private")) == 1


def test_making_and_ending_links_to_pictures_is_kept_without_their_tokens(ann: Api) -> None:
    image_id = ann.generate(width=64, height=64)["images"][0]["id"]
    made = ann.post(f"/api/images/{image_id}/links", json={"permanent": True}).json
    ann.delete(f"/api/links/{made['id']}")
    ann.delete("/api/links")

    entries = [entry for entry in kept(ann) if entry["action"].startswith("link.")]

    assert [(entry["action"], entry["target_id"]) for entry in entries] == [
        ("link.create", made["id"]),
        ("link.revoke", made["id"]),
        ("link.revoke", None),
    ]
    assert made["url"].rpartition("/")[2] not in str(entries)


def test_an_entry_says_who_what_when_from_where_and_under_which_request(ann: Api) -> None:
    answer = ann.post("/api/tokens", json={"name": "laptop"})

    entry = kept(ann)[-1]

    assert entry["action"] == "token.create"
    assert entry["outcome"] == "ok"
    assert entry["actor"] == "ann"
    assert entry["actor_id"] == ann.get("/api/auth/me").json["id"]
    assert entry["address"] == "127.0.0.1"
    assert entry["target_id"] == answer.json["id"]
    assert entry["request_id"] == answer.headers["X-Request-ID"]


def test_the_life_of_an_account_is_kept(app: Flask, ann: Api) -> None:
    bob = Api(app).register("bob")
    made = bob.generate()
    conversation, picture = made["conversation_id"], made["images"][0]["id"]
    share = bob.post(f"/api/conversation/{conversation}/share", json={"password": "secret"}).json
    bob.delete(f"/api/shares/{share['id']}")
    bob.delete(f"/api/images/{picture}")
    bob.delete(f"/api/conversation/{conversation}")
    bob.post("/api/auth/password", json={"current": PASSWORD, "new": "another long password"})
    bob.get("/admin")
    bob.headers["X-CSRF-Token"] = bob.get("/api/auth/me").json["csrf_token"]
    bob.post("/api/admin/tasks", json={"kind": "restore"})
    bob.post("/api/auth/logout")

    entries = [entry for entry in kept(ann) if entry["actor"] == "bob"]

    assert [(entry["action"], entry["outcome"]) for entry in entries] == [
        ("account.register", "ok"),
        ("share.create", "ok"),
        ("share.revoke", "ok"),
        ("picture.trash", "ok"),
        ("conversation.delete", "ok"),
        ("account.password", "ok"),
        ("admin.task", "refused"),
        ("account.logout", "ok"),
    ]
    targets = [entry["target_id"] for entry in entries]
    assert targets[1:5] == [share["id"], share["id"], picture, conversation]


def test_logging_in_in_vain_names_the_account_and_never_what_was_typed(
    app: Flask, ann: Api, database: Database[dict[str, Any]]
) -> None:
    for name in ("ann", "hunter2 is my password"):
        Api(app).post("/api/auth/login", json={"username": name, "password": "wrong password"})

    entries = [entry for entry in kept(ann) if entry["action"] == "account.login"]

    assert [(entry["outcome"], entry["actor_id"]) for entry in entries] == [("refused", None)] * 2
    assert [entry["target_id"] for entry in entries] == [ann.get("/api/auth/me").json["id"], None]
    assert "hunter2" not in str(list(database["audit"].find()))


def test_opening_a_link_in_vain_is_kept_without_its_token(ann: Api, visitor: Api) -> None:
    made = ann.generate()
    share = ann.post(f"/api/conversation/{made['conversation_id']}/share", json={}).json
    visitor.get(f"/share/{share['token']}")
    ann.delete(f"/api/shares/{share['id']}")

    visitor.get(f"/share/{share['token']}")

    entries = [entry for entry in kept(ann) if entry["action"] == "share.open"]
    assert [entry["outcome"] for entry in entries] == ["refused"]
    assert share["token"] not in str(kept(ann))


def test_continuing_a_shared_conversation_is_kept_by_its_link(ann: Api, bob: Api) -> None:
    made = ann.generate(width=64, height=64)
    share = ann.post(f"/api/conversation/{made['conversation_id']}/share", json={}).json

    bob.post(f"/api/share/{share['token']}/continue")

    (entry,) = [entry for entry in kept(ann) if entry["action"] == "share.continue"]
    assert (entry["target_id"], entry["outcome"]) == (share["id"], "ok")


def test_no_secret_is_ever_kept(app: Flask, ann: Api, database: Database[dict[str, Any]]) -> None:
    token = ann.post("/api/tokens", json={}).json["token"]
    made = ann.generate()
    share = ann.post(f"/api/conversation/{made['conversation_id']}/share", json={"password": "share password"}).json
    Api(app).get("/api/tokens", headers={"Authorization": f"Bearer {token}"})
    ann.post("/api/auth/password", json={"current": PASSWORD, "new": "another long password"})

    stored = str(list(database["audit"].find()))

    cookie = ann.http.get_cookie("chatbot_session")
    assert cookie is not None
    for secret in (token, share["token"], "share password", PASSWORD, "another long password", cookie.value):
        assert secret not in stored


@pytest.mark.usefixtures("app")
def test_entries_are_filtered_and_paged(ann: Api, bob: Api) -> None:
    for _ in range(3):
        bob.post("/api/tokens", json={})
    ann.post("/api/tokens", json={})

    first = ann.get("/api/admin/audit", query_string={"account": "BOB", "action": "token.create", "limit": 2}).json
    second = ann.get(
        "/api/admin/audit",
        query_string={"account": "BOB", "action": "token.create", "limit": 2, "cursor": first["next_cursor"]},
    ).json

    assert (len(first["items"]), len(second["items"]), second["next_cursor"]) == (2, 1, None)
    assert len({entry["id"] for entry in first["items"] + second["items"]}) == 3
    assert kept(ann, account="nobody") == []
    assert kept(ann, outcome="refused") == []


def test_the_page_shows_and_filters_and_escapes(ann: Api) -> None:
    ann.post("/api/tokens", json={})

    page = ann.get("/admin/audit?action=token.create&account=ann", headers=HTML).text
    hostile = ann.get("/admin/audit", query_string={"account": '"><script>x</script>'}, headers=HTML).text

    assert "<code>token.create</code>" in page
    assert "<code>account.register</code>" not in page
    assert "<script>x" not in hostile
    assert "Nothing is noted." in hostile


def test_nobody_but_an_administrator_sees_it(bob: Api, visitor: Api) -> None:
    assert bob.get("/api/admin/audit").status_code == 403
    assert bob.get("/admin/audit", headers=HTML).status_code == 403
    assert visitor.get("/api/admin/audit").status_code == 401


def test_entries_go_when_their_time_is_over(
    make_services: Callable[..., Services], database: Database[dict[str, Any]]
) -> None:
    make_services(audit_days=7).audit.note("account.login")

    (entry,) = database["audit"].find()
    assert entry["expires_at"] - entry["at"] == timedelta(days=7)
    assert any(index.get("expireAfterSeconds") == 0 for index in database["audit"].index_information().values())


class AwayLog(AuditLog):
    """An audit log whose database does not answer."""

    def __init__(self) -> None:
        """Need no database."""

    def add(self, entry: Any, expires_at: Any) -> None:  # noqa: ARG002 - the real one needs them
        raise DatabaseUnavailable("MongoDB does not answer.")


def test_an_action_goes_on_when_its_entry_cannot_be_written(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = Audit(AwayLog(), services.repositories.users, days=1)

    audit.note("account.login", target_id="a target")

    assert "audit.unwritten" in capsys.readouterr().out


def test_a_flood_that_a_limit_refuses_leaves_no_flood_of_entries(make_app: Callable[..., Flask]) -> None:
    app = make_app(rate_limits="login=3/hour")
    ann = Api(app).register()

    for _ in range(10):
        Api(app).post("/api/auth/login", json={"username": "ann", "password": "wrong password"})

    assert told(ann) == [("account.register", "ok"), ("account.login", "refused"), ("account.login", "refused")]


def test_a_purge_by_the_server_is_kept_once(make_app: Callable[..., Flask]) -> None:
    app = make_app(trash_days=0)
    ann = Api(app).register()
    picture = ann.generate()["images"][0]["id"]
    ann.delete(f"/api/images/{picture}")

    app.extensions["chatbot"].deletion.purge_due()
    app.extensions["chatbot"].deletion.purge_due()

    purges = [entry for entry in kept(ann) if entry["action"] == "picture.purge"]
    assert [(entry["target_id"], entry["address"]) for entry in purges] == [(picture, "this server")]
    assert purges[0]["at"] <= now().isoformat()
