"""For every route: reading changes nothing, texts stay texts, bodies are bounded, caches keep people apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database
from werkzeug.http import parse_options_header

from tests.fixtures.application import Api
from tests.web.edge.test_guard import Things, address, ask, routes

HTML = {"Accept": "text/html"}
BOOKKEEPING = {"views", "audit", "samples", "tasks", "system.profile"}
"""When a picture was last looked at, refused attempts, measurements: what the server notes for itself."""
NOTED_FIELDS = {"views", "last_used_at", "revision", "unrecorded", "purge_attempts"}
"""How often a link was opened and when a token was used last."""


def state(database: Database[dict[str, Any]]) -> dict[str, list[str]]:
    """Return everything that people own, without what the server notes for itself."""
    return {
        name: sorted(
            json.dumps({key: value for key, value in document.items() if key not in NOTED_FIELDS}, default=str)
            for document in database[name].find()
            if name != "sessions" or document["user_id"]  # a form's CSRF token gives its visitor one
        )
        for name in sorted(database.list_collection_names())
        if name not in BOOKKEEPING
    }


def test_no_get_changes_state(app: Flask, ann: Api, visitor: Api, database: Database[dict[str, Any]]) -> None:
    things = vars(Things.of(ann)) | {"filename": "css/app.css", "task_id": "1"}
    app.extensions["chatbot"].worker.close()
    before, asked = state(database), 0

    for route, method in routes(app):
        if method != "GET":
            continue
        for api in (ann, visitor):
            names = {name: things.get(name, "0" * 32) for name in route.arguments}
            answer = ask(api, method, address(app, route, names), route.endpoint)
            assert answer.status_code < 500 or route.endpoint == "health.ready", route.endpoint
            answer.close()
            asked += 1

    assert asked > 40
    assert state(database) == before


HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}</title></textarea>"


def test_a_hostile_text_is_text_on_every_page(app: Flask, ann: Api, visitor: Api) -> None:
    made = ann.generate(HOSTILE)
    conversation, image = made["conversation_id"], made["images"][0]["id"]
    token = {"X-CSRF-Token": ann.headers["X-CSRF-Token"]}
    assert ann.patch(f"/api/conversation/{conversation}", json={"title": HOSTILE}).status_code == 200
    assert ann.patch(f"/api/images/{image}", json={"caption": HOSTILE, "tags": [HOSTILE[:30]]}).status_code == 200
    ann.post("/api/tokens", json={"name": HOSTILE}, headers=token)
    share = ann.post(f"/api/conversation/{conversation}/share", json={}).json["token"]
    things = vars(Things.absent()) | {"conversation_id": conversation, "image_id": image, "token": share}
    things |= {"message_id": made["message_id"], "filename": "css/app.css"}
    pages = 0

    for route, method in routes(app):
        if method != "GET" or route.endpoint == "messages.events":
            continue
        names = {name: things.get(name, "0" * 32) for name in route.arguments}
        for api in (ann, visitor):
            answer = api.get(address(app, route, names), headers=HTML)
            if answer.mimetype != "text/html":
                continue
            pages += 1
            assert "<script>alert" not in answer.text, route.endpoint
            assert "<img src=x" not in answer.text, route.endpoint
            assert "49</title>" not in answer.text, route.endpoint

    assert pages > 15


def test_a_hostile_name_of_a_file_stays_inside_its_header(ann: Api) -> None:
    made = ann.generate('a\r\nSet-Cookie: x=1"; filename="evil.exe')

    answer = ann.get(made["images"][0]["src"] + "?download=1")

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Content-Disposition"].count('"') == 2


@pytest.mark.parametrize(
    ("caption", "name"),
    [
        ("\u202e", "picture.png"),
        ("...", "picture.png"),
        (".htaccess", "htaccess.png"),
        ("../../.bashrc", "_.._.bashrc.png"),
        ("C:\\boot\u061c.ini", "C:_boot.ini.png"),
    ],
)
def test_a_download_is_neither_hidden_nor_in_another_folder(ann: Api, caption: str, name: str) -> None:
    image = ann.generate()["images"][0]["id"]
    ann.patch(f"/api/images/{image}", json={"caption": caption})

    answer = ann.get(f"/i/{image}?download=1")

    assert parse_options_header(answer.headers["Content-Disposition"])[1] == {"filename": name}


@pytest.mark.parametrize("name", ["account", "action"])
@pytest.mark.parametrize("operator", ['{"$ne": "x"}', '{"$gt": ""}', "$ne", '["ann"]'])
def test_an_operator_in_an_address_is_a_text_that_nothing_is_called(ann: Api, name: str, operator: str) -> None:
    everything = ann.get("/api/admin/audit").json["items"]

    as_value = ann.get("/api/admin/audit", query_string={name: operator})
    in_brackets = ann.get("/api/admin/audit", query_string={f"{name}[$ne]": "x"})

    assert everything
    assert as_value.status_code == 422 or as_value.json["items"] == []
    assert in_brackets.status_code == 422 or in_brackets.json["items"] == everything  # an unknown name is passed over


@pytest.mark.parametrize("cursor", ['{"$ne": ""}', "$ne", "W3siJG5lIjoiIn0sImEiXQ"])
def test_an_operator_in_place_of_a_cursor_is_refused(ann: Api, cursor: str) -> None:
    for path in ("/api/images", "/api/conversations", "/api/shares", "/api/links", "/api/admin/audit"):
        answer = ann.get(path, query_string={"cursor": cursor})

        assert answer.status_code == 422, path


def test_a_prompt_of_a_megabyte_is_refused_and_nothing_is_drawn(ann: Api) -> None:
    for size in (100_001, 1_000_000, 5_000_000):
        answer = ann.post("/api/generate-image", json={"prompt": "x" * size})

        assert answer.status_code in (413, 422), size
        assert answer.json["detail"]
    assert ann.get("/api/images").json["items"] == []


def test_json_ends_at_a_megabyte_and_uploads_do_not(ann: Api) -> None:
    body = json.dumps({"title": "x" * 1_100_000})

    refused = ann.post("/api/conversations", data=body, content_type="application/json")
    upload = ann.post("/api/uploads", json={"data": "A" * 2_000_000})

    assert refused.status_code == 413
    assert "1 MB" in refused.json["detail"]
    assert upload.status_code == 422  # read, and no picture


@pytest.mark.parametrize("kind", ["brackets", "objects"])
def test_deep_json_breaks_no_route(app: Flask, ann: Api, kind: str) -> None:
    deep = "[" * 100_000 + "]" * 100_000 if kind == "brackets" else '{"a":' * 100_000 + "1" + "}" * 100_000
    things = vars(Things.absent()) | {"filename": "x", "task_id": "1"}

    for route, method in routes(app):
        if method in ("POST", "PATCH", "PUT") and route.rule.startswith("/api/") and "end-others" not in route.rule:
            path = address(app, route, {name: things.get(name, "0" * 32) for name in route.arguments})
            answer = ann._send(method, path, {"data": deep, "content_type": "application/json"})
            assert answer.status_code < 500, route.rule
            if route.endpoint == "auth.logout":
                ann = Api(app).register(f"person {kind}")


def test_every_answer_but_a_public_file_varies_by_cookie(ann: Api, visitor: Api) -> None:
    picture = ann.generate()["images"][0]["src"]

    for api, path in (
        (ann, "/"),
        (ann, "/api/images"),
        (ann, picture),
        (visitor, "/gallery"),
        (visitor, "/api/images"),
    ):
        assert "Cookie" in api.get(path).headers["Vary"], path
    assert "Cookie" not in visitor.get("/static/css/app.css").headers.get("Vary", "")


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "/\t/evil.example",
               "/%09/evil.example", "%2F%2Fevil.example", "javascript:alert(1)", "/..//evil.example"],
)  # fmt: skip
def test_logging_in_never_leads_to_another_site(make_app: Callable[..., Flask], target: str) -> None:
    app = make_app()
    ann = Api(app).register()

    location = ann.get("/login", query_string={"next": target}, headers=HTML).headers["Location"]

    assert location.startswith("/")
    assert not location.startswith(("//", "/\\", "/\t"))


def test_a_referrer_that_is_no_address_changes_the_language_all_the_same(ann: Api) -> None:
    form = {"language": "vi", "csrf_token": ann.headers["X-CSRF-Token"]}

    answer = ann.post("/language", data=form, headers={"Referer": "http://[not-an-address/gallery"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert 'lang="vi"' in ann.get("/", headers=HTML).text


@pytest.mark.parametrize("name", ["action", "outcome", "account"])
def test_a_filter_of_the_audit_log_that_is_too_long_is_refused_with_a_reason(ann: Api, name: str) -> None:
    answer = ann.get("/admin/audit", query_string={name: "x" * 201}, headers=HTML)

    assert answer.status_code == 422
    assert "choose from the lists" in answer.text


@pytest.mark.parametrize("count", ["9" * 40, "9" * 5000, "-1", "\u0663", "1e9", "<b>"])
def test_a_page_says_no_number_of_things_done_that_only_somebody_else_wrote(ann: Api, count: str) -> None:
    for path, names in (("/settings", ("ended", "revoked", "links_ended")), ("/trash", ("restored", "confirmed"))):
        said = ann.get(path, query_string=dict.fromkeys(names, "3"), headers=HTML)
        answer = ann.get(path, query_string=dict.fromkeys(names, count), headers=HTML)

        assert 'class="notice" role="status"' in said.text
        assert answer.status_code == 200
        assert 'class="notice" role="status"' not in answer.text
