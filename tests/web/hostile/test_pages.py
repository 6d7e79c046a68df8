"""Whatever a text says, every page that shows it has the same elements as with a harmless one."""

from __future__ import annotations

from functools import cache
from urllib.parse import quote

from flask import Flask
from hypothesis import example, given

from tests.fixtures.application import Answer, Api
from tests.web.edge.test_guard import routes
from tests.web.hostile.conftest import HTML, World
from tests.web.hostile.shapes import Shape, as_shown, shape_of, text_of
from tests.web.hostile.texts import texts, walk
from tests.web.routes.test_pages import form_token
from tests.web.test_hygiene import HOSTILE

REDIRECTS = (301, 302, 303, 307, 308)


ENTRIES = {"pages.login", "pages.register"}
"""Pages for nobody in particular: they repeat only what was just sent, see below."""


def test_the_walk_goes_over_every_page_there_is(app: Flask, world: World) -> None:
    adapter = app.url_map.bind("localhost")

    walked = {adapter.match(path)[0] for _, path in world.pages}

    pages = {route.endpoint for route, method in routes(app) if method == "GET" and "pages." in route.endpoint}
    assert walked >= {*pages, "shared.page", "documents.reference"} - ENTRIES


def test_no_text_adds_an_element_an_attribute_or_an_address_to_any_page(world: World) -> None:
    @cache
    def harmless(text: str) -> dict[str, Shape]:
        world.say(text)
        return {where: shape_of(answer.text) for where, answer in world.answers().items()}

    @walk(20)
    @given(texts())
    @example(HOSTILE)
    def explore(text: str) -> None:
        expected = harmless("a" if text.strip() else text[:1])
        world.say(text)

        for where, answer in world.answers().items():
            assert answer.status_code == 200, where
            found = shape_of(answer.text)
            assert found == expected[where], (where, expected[where].beside(found))

    explore()


def test_a_page_shows_a_text_as_it_was_written(world: World) -> None:
    @walk(10)
    @given(texts())
    def explore(text: str) -> None:
        world.say(text)

        page = world.ann.get(f"/c/{world.conversation}", headers=HTML).text

        assert text_of(page, f"#m-{world.question} [data-text]") == as_shown(text)
        assert text_of(page, "#conversation-title") == as_shown(text or "New conversation")

    explore()


def test_what_a_form_or_an_address_says_adds_nothing_to_the_page_that_repeats_it(
    app: Flask, ann: Api, visitor: Api
) -> None:
    app.extensions["chatbot"].worker.close()  # its measurements would come up on /admin in the middle
    token = form_token(visitor.get("/login", headers=HTML).text)

    def answers(text: str) -> list[Answer]:
        form = {"csrf_token": token, "username": text, "password": text, "next": f"/{text}"}
        own = {"csrf_token": ann.headers["X-CSRF-Token"], "current": text, "new": text, "again": text + text}
        return [
            visitor.get("/login", query_string={"next": f"/{text}"}, headers=HTML),
            visitor.get("/register", query_string={"next": f"/{text}"}, headers=HTML),
            visitor.post("/login", data=form, headers=HTML),
            visitor.post("/register", data={**form, "password": "short"}, headers=HTML),
            visitor.post("/share/unknown", data=form, headers=HTML),
            visitor.get("/gallery", query_string={text: text}, headers=HTML),
            *(
                ann.get("/admin/audit", query_string={name: f"x{text}"}, headers=HTML)
                for name in ("action", "outcome", "account")
            ),
            ann.get("/admin", query_string={"days": text}, headers=HTML),
            ann.get("/settings", query_string=dict.fromkeys(("ended", "revoked", "links_ended"), text), headers=HTML),
            ann.get("/trash", query_string=dict.fromkeys(("restored", "pending", "cursor"), text), headers=HTML),
            ann.post("/settings/password", data=own, headers=HTML),
            ann.post("/admin/tasks", data={**own, "kind": text, "apply": text}, headers=HTML),
            ann.post("/admin/retry", data={**own, "image_id": text, "host": text}, headers=HTML),
            *(
                ann.get(f"/{place}", query_string={"cursor": text}, headers=HTML)
                for place in ("gallery", "files", "shares")
            ),
            ann.get("/", query_string={"older": text}, headers=HTML),
            ann.get(f"/no/{quote(text, safe='')}", headers=HTML),
        ]

    expected: dict[str, set[Shape]] = {}
    for plain in ("a", " ", "", "1", "a" * 60, "a" * 2_001):
        for answer in answers(plain):
            if answer.mimetype == "text/html":
                expected.setdefault(answer.request.path.split("/no/")[0], set()).add(shape_of(answer.text))

    @walk(8)
    @given(texts())
    @example(HOSTILE)
    def explore(text: str) -> None:
        for answer in answers(text):
            assert answer.status_code < 500, (answer.request.path, answer.request.query_string)
            if answer.mimetype == "text/html" and answer.status_code not in REDIRECTS:
                found = shape_of(answer.text)
                assert found in expected[answer.request.path.split("/no/")[0]], answer.request.path

    explore()
