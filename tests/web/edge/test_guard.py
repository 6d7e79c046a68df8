"""Every route has a rule, every rule holds, and somebody else's thing answers exactly like an absent one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule as Route

from ChatBot.models import new_id
from ChatBot.web.edge.guard import RULES, Rule
from tests.fixtures.application import Answer, Api

BODIES: dict[str, dict[str, Any]] = {
    "conversations.change": {"title": "new"},
    "auth.change": {"private": False},
    "auth.change_password": {"current": "whatever", "new": "short"},
    "messages.post": {"content": "hello"},
    "messages.edit": {"content": "hello"},
    "images.describe": {"caption": "new"},
    "shares.create": {},
    "picture_links.create": {},
}
"""A body that would be taken if the ids in the address were one's own; other routes need none."""

BY_LINK = {
    *("shared.data", "shared.page", "shared.unlock", "shared.image", "shared.preview", "shared.archive"),
    *("shared.continue_by_form", "shared.continue_as_copy"),
    *("picture_links.picture", "static"),
}
"""Routes whose address carries the right to enter, and the public files."""


ABOUT_SESSIONS = {
    "auth.me",
    "auth.logout",
    "auth.login",
    "auth.end_others",
    "pages.log_out_by_form",
    "account_pages.end_others",
}
"""Routes whose answers are about the session itself: see test_auth.py and test_password.py."""


@dataclass(frozen=True)
class Things:
    """What somebody has, by the names that routes call it."""

    conversation_id: str
    message_id: str
    image_id: str
    token_id: str
    share_id: str
    link_id: str
    folder: str
    file: str
    token: str

    @classmethod
    def of(cls, owner: Api) -> Things:
        """Make one thing of each kind."""
        made = owner.generate()
        conversation_id, image_id = made["conversation_id"], made["images"][0]["id"]
        share = owner.post(f"/api/conversation/{conversation_id}/share", json={}).json
        token_id = owner.post("/api/tokens", json={}).json["id"]
        link_id = owner.post(f"/api/images/{image_id}/links", json={"permanent": True}).json["id"]
        file = f"{image_id}.png"
        return cls(
            conversation_id, made["message_id"], image_id, token_id, share["id"], link_id, "Image_Gen", file,
            share["token"],
        )  # fmt: skip

    @classmethod
    def absent(cls) -> Things:
        """Names of things that nobody has."""
        made, message, image, token, share, link, secret = (new_id() for _ in range(7))
        return cls(made, message, image, token, share, link, "Image_Gen", f"{new_id()}.png", secret)


def routes(app: Flask) -> Iterator[tuple[Route, str]]:
    """Yield every route with each of its own methods."""
    for route in app.url_map.iter_rules():
        for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
            yield route, method


def address(app: Flask, route: Route, things: dict[str, str]) -> str:
    """Return the path of a route for those things."""
    built = app.url_map.bind("localhost").build(route.endpoint, {name: things[name] for name in route.arguments})
    return built.removeprefix("http://localhost")


def ask(api: Api, method: str, path: str, endpoint: str, bodies: Mapping[str, dict[str, Any]] = BODIES) -> Answer:
    """Send a request as a browser would to pages, as a program would to everything else."""
    accept = "text/html" if endpoint.startswith("pages.") else "application/json"
    body = {"json": bodies.get(endpoint, {})} if method in ("POST", "PATCH") else {}
    return api._send(method, path, {"headers": {"Accept": accept}, "buffered": False, **body})


def same(answer: Answer) -> tuple[int, str, dict[str, str]]:
    """Return what a person can tell of an answer, without the id and the time that every request has of its own."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("X-Request-ID", "Date")}
    # A page's CSRF token carries the second it was signed in.
    text = re.sub(r'((?:name="csrf-token" content|name="csrf_token" value)=)"[^"]*"', r"\1", answer.text)
    return answer.status_code, text.replace(answer.headers["X-Request-ID"], ""), headers


def test_every_route_has_a_rule_and_every_rule_a_route(app: Flask) -> None:
    assert {route.endpoint for route in app.url_map.iter_rules()} == set(RULES)


def test_a_route_without_a_rule_answers_nobody(make_app: Any) -> None:
    app = make_app()
    app.add_url_rule("/forgotten", "forgotten", lambda: "open")

    assert app.test_client().get("/forgotten").status_code == 404


@pytest.fixture
def people(app: Flask, visitor: Api, ann: Api, bob: Api, program: Api) -> dict[str, Api]:
    """Everybody who may come to a route; the owner is ``ann``, who is also the administrator."""
    member_program = Api(app)
    text = bob.post("/api/tokens", json={}).json["token"]
    member_program.headers["Authorization"] = f"Bearer {text}"
    return {
        "visitor": visitor,
        "administrator": ann,
        "member": bob,
        "administrator's program": program,
        "member's program": member_program,
    }


def expected(rule: Rule, who: str) -> str:
    """Return how a route with that rule receives somebody."""
    if rule is Rule.PAGE and who == "visitor":
        return "login page"
    if rule in (Rule.ACCOUNT, Rule.ADMIN) and who == "visitor":
        return "401"
    if rule is Rule.ADMIN and who.startswith("member"):
        return "403"
    return "enters"


def received(answer: Answer) -> str:
    """Return how a route received somebody."""
    if answer.status_code == 302 and answer.headers["Location"].startswith("/login"):
        return "login page"
    return str(answer.status_code) if answer.status_code in (401, 403) else "enters"


def test_every_route_receives_everybody_as_its_rule_says(app: Flask, people: dict[str, Api]) -> None:
    things = vars(Things.absent()) | {"filename": "css/app.css"}
    wrong = []

    for route, method in routes(app):
        if route.endpoint in ABOUT_SESSIONS:
            continue
        for who, api in people.items():
            answer = ask(api, method, address(app, route, things), route.endpoint)
            wanted = expected(RULES[route.endpoint], who)
            if received(answer) != wanted or answer.status_code >= 500:
                wrong.append((route.endpoint, method, who, wanted, answer.status_code))
            answer.close()

    open_forms = {"shared.unlock", "pages.log_in_by_form", "pages.sign_up", "pages.language"}
    assert [each for each in wrong if each[0] not in open_forms] == []


def test_a_form_that_anybody_may_send_needs_its_token(visitor: Api) -> None:
    for path in ("/login", "/register", "/language", "/share/unknown"):
        answer = visitor.post(path, data={"username": "eve", "password": "long enough"})

        assert answer.status_code == 403, path


def test_the_login_page_leads_back_to_where_the_visitor_wanted_to_go(visitor: Api) -> None:
    answer = visitor.get("/gallery?cursor=abc")

    assert answer.headers["Location"] == "/login?next=/gallery?cursor%3Dabc"


def test_everything_of_somebody_else_answers_exactly_like_nothing(app: Flask, ann: Api, bob: Api) -> None:
    hers, his, nobodys = vars(Things.of(ann)), vars(Things.of(bob)), vars(Things.absent())
    tried = 0

    for route, method in routes(app):
        names = sorted(route.arguments)
        if not names or route.endpoint in BY_LINK:
            continue
        for owners in product(("his", "other"), repeat=len(names)):
            if set(owners) == {"his"} or dict(zip(names, owners, strict=True)).get("file") == "his":
                continue
            foreign = {n: (his if o == "his" else hers)[n] for n, o in zip(names, owners, strict=True)}
            absent = {n: (his if o == "his" else nobodys)[n] for n, o in zip(names, owners, strict=True)}
            first = same(ask(bob, method, address(app, route, foreign), route.endpoint))
            second = same(ask(bob, method, address(app, route, absent), route.endpoint))
            assert first == second, (route.endpoint, foreign)
            expected = 403 if RULES[route.endpoint] is Rule.ADMIN else 404
            if route.endpoint == "pages.message" and foreign["conversation_id"] == his["conversation_id"]:
                expected = 204  # a message of one's own conversation may have gone; its place in the page is empty then
            assert first[0] == expected, (route.endpoint, "needs a body in BODIES?", first)
            tried += 1

    assert tried > 20
    assert ann.get(f"/i/{hers['image_id']}").status_code == 200
    assert len(ann.get(f"/api/conversation/{hers['conversation_id']}").json["messages"]) == 2
    assert len(ann.get("/api/shares").json["items"]) == 1
    assert ann.get(f"/api/share/{hers['token']}").status_code == 200


@pytest.mark.usefixtures("app")
def test_a_link_shows_no_picture_of_another_conversation(ann: Api, bob: Api, visitor: Api) -> None:
    hers, his, nobodys = Things.of(ann), Things.of(bob), Things.absent()

    for token in (hers.token, nobodys.token):
        foreign = same(visitor.get(f"/share/{token}/i/{his.image_id}"))
        absent = same(visitor.get(f"/share/{token}/i/{nobodys.image_id}"))

        assert foreign == absent
        assert foreign[0] == 404


@pytest.mark.parametrize("route", ["/api/generate-image", "/api/conversation/{own}/messages"])
def test_naming_somebody_elses_thing_in_a_body_answers_like_nothing(ann: Api, bob: Api, route: str) -> None:
    hers = Things.of(ann)
    own = bob.post("/api/conversations", json={}).json["id"]
    nobodys = Things.absent()

    def body(things: Things) -> dict[str, Any]:
        if route.endswith("messages"):
            return {"content": "look", "images": [things.image_id]}
        return {"prompt": "a fox", "conversation_id": things.conversation_id}

    foreign = same(bob.post(route.format(own=own), json=body(hers)))
    absent = same(bob.post(route.format(own=own), json=body(nobodys)))

    assert foreign == absent
    assert foreign[0] == 404


def test_only_lists_of_ones_own_things_are_listed(ann: Api, bob: Api) -> None:
    hers = Things.of(ann)

    everything = json.dumps([bob.get(f"/api/{name}").json for name in ("images", "conversations", "shares", "tokens")])

    assert not any(value in everything for name, value in vars(hers).items() if name != "folder")
    assert not re.search(hers.image_id, bob.get("/gallery", headers={"Accept": "text/html"}).text)
