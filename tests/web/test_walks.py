"""Walks over every route: no host's secret, no change without a token, and foreign things cost what absent ones do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask
from pymongo import monitoring
from pymongo.database import Database

from ChatBot.models import new_id
from tests.fixtures.application import Api
from tests.standins.hosts import HostServer
from tests.web.edge.test_guard import ABOUT_SESSIONS, Things, address, ask, routes
from tests.web.test_hygiene import state

ENDS_IT_ALL = ABOUT_SESSIONS | {"conversations.remove", "pages.sign_up", "pages.log_in_by_form"}
"""Routes after which there is nothing left to ask for; deletions of single things come last."""
STATE_CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


class Counting(monitoring.CommandListener):
    """Counts the commands that reach MongoDB, by thread."""

    def __init__(self) -> None:
        self.names: dict[int, list[str]] = {}

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.names.setdefault(threading.get_ident(), []).append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Do nothing."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Do nothing."""

    def during(self, action: Callable[[], Any]) -> list[str]:
        """Return what this thread asked of MongoDB while it did something."""
        mine = self.names.setdefault(threading.get_ident(), [])
        before = len(mine)
        action()
        return mine[before:]


@pytest.fixture
def counting() -> Iterator[Counting]:
    """A listener that every client made from now on tells what it does."""
    listener = Counting()
    listeners = monitoring._LISTENERS.command_listeners
    listeners.append(listener)
    yield listener
    listeners.remove(listener)


def secrets_of(hosts: HostServer) -> list[str]:
    """Return the parts of every delete URL that were given out: whoever has one can delete a picture."""
    given = [*hosts.imgbb.stored, *hosts.postimages.stored]
    return [one.removal_hash for one in given]


@pytest.fixture
def published(make_app: Callable[..., Flask], host_settings: dict[str, Any]) -> Flask:
    return make_app(**host_settings)


def test_a_hosts_delete_secret_is_in_no_answer_and_no_log(
    published: Flask, hosts: HostServer, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    ann = Api(published).register("ann")
    visitor, things = Api(published), vars(Things.of(ann)) | {"filename": "css/app.css", "task_id": "1"}
    hosts.postimages.fault = "status"
    Things.of(ann)
    hosts.imgbb.deletion_ignored = True
    ann.patch("/api/auth/me", json={"private": True})
    published.extensions["chatbot"].privacy.withdraw_due()
    services, answers, statuses = published.extensions["chatbot"], [], set()

    for wanted in ("GET", "PATCH", "POST", "DELETE"):
        for route, method in routes(published):
            if method != wanted or (method != "GET" and route.endpoint in ENDS_IT_ALL):
                continue
            names = {name: things.get(name, "0" * 32) for name in route.arguments}
            for api in (ann, visitor):
                answer = ask(api, method, address(published, route, names), route.endpoint)
                if answer.mimetype != "text/event-stream":
                    answers.append(answer.get_data())
                    statuses.add((method, answer.status_code))
                answer.close()
    events = [repr(each).encode() for each in services.database["events"].find()]  # whatever streams tell

    logged = "".join(capfd.readouterr()) + caplog.text
    secrets = secrets_of(hosts)
    assert len(secrets) >= 2
    assert len(answers) > 100
    assert {("GET", 200), ("PATCH", 200), ("POST", 200), ("POST", 201), ("DELETE", 204)} <= statuses
    assert len(events) > 2
    assert "host.upload" in logged
    for secret in secrets:
        assert secret not in logged
        assert not any(secret.encode() in said for said in (*answers, *events))


def test_no_route_changes_anything_for_a_session_without_its_token(
    app: Flask, ann: Api, database: Database[dict[str, Any]]
) -> None:
    things = vars(Things.of(ann)) | {"filename": "css/app.css", "task_id": "1"}
    app.extensions["chatbot"].worker.close()
    del ann.headers["X-CSRF-Token"]
    before, tried = state(database), 0

    for route, method in routes(app):
        if method in STATE_CHANGING:
            names = {name: things.get(name, "0" * 32) for name in route.arguments}
            answer = ask(ann, method, address(app, route, names), route.endpoint)
            assert 400 <= answer.status_code < 500, (route.endpoint, answer.status_code)
            tried += 1

    assert tried > 30
    assert state(database) == before


def test_another_site_is_told_nothing_and_may_embed_nothing(app: Flask, ann: Api) -> None:
    things = vars(Things.of(ann)) | {"filename": "css/app.css", "task_id": "1"}

    for route, method in routes(app):
        if method != "GET" or route.endpoint == "picture_links.picture":  # made to be embedded
            continue
        names = {name: things.get(name, "0" * 32) for name in route.arguments}
        path = address(app, route, names)
        answer = ann.get(path, headers={"Origin": "https://evil.example"}, buffered=False)
        asked = ann.http.options(
            path, headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}
        )
        for each in (answer, asked):
            assert "Access-Control-Allow-Origin" not in each.headers, route.endpoint
            assert each.headers["Cross-Origin-Resource-Policy"] == "same-origin", route.endpoint
            assert each.headers["X-Frame-Options"] == "DENY", route.endpoint
            each.close()


def test_a_picture_that_a_link_does_not_show_costs_what_an_absent_one_does(
    counting: Counting, make_app: Callable[..., Flask]
) -> None:
    app = make_app()
    ann, bob, visitor = Api(app).register("ann"), Api(app).register("bob"), Api(app)
    shared, other, theirs = (api.generate(width=64, height=64) for api in (ann, ann, bob))
    path = f"/api/conversation/{shared['conversation_id']}/share"
    tokens = [ann.post(path, json={"live": live}).json["token"] for live in (False, True)]
    app.extensions["chatbot"].worker.close()

    for token in tokens:
        absent, *hidden = (
            counting.during(partial(visitor.get, f"/share/{token}/i/{image_id}"))
            for image_id in (new_id(), other["images"][0]["id"], theirs["images"][0]["id"])
        )

        assert absent
        assert hidden == [absent, absent]


def test_a_foreign_thing_named_in_a_body_costs_the_database_what_an_absent_one_does(
    counting: Counting, make_app: Callable[..., Flask]
) -> None:
    app = make_app()
    ann, bob = Api(app).register("ann"), Api(app).register("bob")
    hers, nobodys, own = Things.of(ann), Things.absent(), bob.generate()
    app.extensions["chatbot"].worker.close()

    def bodies(things: Things) -> list[tuple[str, dict[str, Any]]]:
        chosen = {"ids": [things.image_id]}
        return [
            (f"/api/conversation/{own['conversation_id']}/messages", {"content": "a", "images": [things.image_id]}),
            ("/api/generate-image", {"prompt": "a fox", "conversation_id": things.conversation_id}),
            ("/api/uploads", {"data": "", "conversation_id": things.conversation_id}),
            ("/api/trash/restore", chosen),
            ("/api/trash/delete", chosen),
        ]

    for foreign, absent in zip(bodies(hers), bodies(nobodys), strict=True):
        costs = [counting.during(partial(bob.post, path, json=body)) for path, body in (absent, foreign)]
        assert costs[0] == costs[1], foreign


def test_a_foreign_thing_costs_the_database_what_an_absent_one_does(
    counting: Counting, make_app: Callable[..., Flask]
) -> None:
    app = make_app()
    ann, bob = Api(app).register("ann"), Api(app).register("bob")
    hers, nobodys = vars(Things.of(ann)), vars(Things.absent())
    app.extensions["chatbot"].worker.close()
    compared = commands = 0

    for route, method in routes(app):
        names = sorted(route.arguments)
        if not names or route.endpoint.startswith(("shared.", "static", "picture_links.picture", "messages.events")):
            continue
        paths = [address(app, route, {name: things[name] for name in names}) for things in (nobodys, hers)]
        absent, foreign = (counting.during(partial(ask, bob, method, path, route.endpoint)) for path in paths)
        assert foreign == absent, (route.endpoint, method, foreign, absent)
        compared += 1
        commands += len(foreign)

    assert compared > 15
    assert commands > compared, "the listener heard nothing"
