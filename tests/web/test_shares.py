"""Share links: what whoever has one sees, what they never see, and how one ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from ChatBot.models import now
from tests.fixtures.application import Api
from tests.web.test_pages import Page, form_token

HTML = {"Accept": "text/html"}


@pytest.fixture
def made(ann: Api) -> dict[str, Any]:
    """A conversation of ``ann`` with one picture."""
    return ann.generate("a lighthouse at dusk")


def share(api: Api, made: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Make a link."""
    answer = api.post(f"/api/conversation/{made['conversation_id']}/share", json=options)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def test_a_link_is_whole_and_shown_once(ann: Api, made: dict[str, Any]) -> None:
    link = share(ann, made)

    assert link["url"] == f"http://localhost/share/{link['token']}"
    assert link["token"] not in ann.get("/api/shares").text
    assert [each["id"] for each in ann.get("/api/shares").json["items"]] == [link["id"]]


def test_a_link_is_made_for_the_address_that_people_use(make_app: Callable[..., Flask]) -> None:
    ann = Api(make_app(public_base_url="https://chat.example/")).register()

    link = share(ann, ann.generate(width=64, height=64))

    assert link["url"] == f"https://chat.example/share/{link['token']}"


def test_the_page_shows_the_conversation_and_its_pictures(ann: Api, visitor: Api, made: dict[str, Any]) -> None:
    token = share(ann, made)["token"]

    answer = visitor.get(f"/share/{token}", headers=HTML)

    page = Page(answer.text)
    pictures = [picture["src"] for picture in page.all("img") if "/i/" in (picture["src"] or "")]
    assert answer.status_code == 200
    assert pictures
    assert all(str(src).startswith(f"/share/{token}/i/") for src in pictures)
    assert visitor.get(str(pictures[0])).status_code == 200
    assert all(form.get("method") == "dialog" for form in page.all("form"))
    assert "data-action" not in answer.text


def test_a_preview_names_the_page_and_its_picture(ann: Api, visitor: Api, made: dict[str, Any]) -> None:
    token = share(ann, made)["token"]

    page = Page(visitor.get(f"/share/{token}", headers=HTML).text)

    named = {str(meta["property"]): str(meta["content"]) for meta in page.all("meta") if "property" in meta}
    assert named["og:title"] == "a lighthouse at dusk"
    assert named["og:image"].startswith(f"http://localhost/share/{token}/i/")
    assert visitor.get(named["og:image"].removeprefix("http://localhost")).status_code == 200


def test_the_page_is_kept_out_of_search_engines_and_caches(ann: Api, visitor: Api, made: dict[str, Any]) -> None:
    locked, opened = share(ann, made, password="open sesame")["token"], share(ann, made)["token"]

    for token in (locked, opened, "unknown"):
        answer = visitor.get(f"/share/{token}", headers=HTML)

        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "private, no-store"
        metas = Page(answer.text).all("meta")
        assert {"name": "robots", "content": "noindex"} in metas
        assert {"name": "referrer", "content": "no-referrer"} in metas


def keys(value: Any) -> set[str]:
    """Return every field name in a JSON value."""
    if isinstance(value, dict):
        return set(value).union(*(keys(each) for each in value.values()))
    return set().union(*(keys(each) for each in value)) if isinstance(value, list) else set()


def test_nothing_private_is_told(make_app: Callable[..., Flask], host_settings: dict[str, Any], tmp_path: Any) -> None:
    app = make_app(**host_settings)
    ann, visitor = Api(app).register("ann-of-green-gables"), Api(app)
    made = ann.generate("a fox", seed=1234567)
    image = made["images"][0]
    assert image["cloud_url"]
    me = ann.get("/api/auth/me").json
    token = share(ann, made)["token"]

    told = visitor.get(f"/api/share/{token}")
    page = visitor.get(f"/share/{token}", headers=HTML)

    assert keys(told.json) == {
        *("title", "created_at", "live", "messages", "id", "role", "content", "images"),
        *("src", "url", "thumbnail_url", "caption", "prompt", "mime_type", "width", "height", "generated"),
    }
    for text in (told.text, page.text):
        for secret in (me["id"], "green-gables", image["cloud_url"], made["conversation_id"], str(tmp_path), "1234567"):
            assert secret not in text, secret
        assert not re.search("delete_url|durability|sha256|postimages", text)


def test_a_withdrawn_link_is_gone_at_once_also_for_caches(ann: Api, visitor: Api, made: dict[str, Any]) -> None:
    link = share(ann, made)
    picture = f"/share/{link['token']}/i/{made['images'][0]['id']}"
    etag = visitor.get(picture).headers["ETag"]
    assert visitor.get(picture, headers={"If-None-Match": etag}).status_code == 304

    assert ann.delete(f"/api/shares/{link['id']}").status_code == 204

    assert visitor.get(picture, headers={"If-None-Match": etag}).status_code == 404
    assert visitor.get(f"{picture}?w=256").status_code == 404
    assert visitor.get(f"/api/share/{link['token']}").status_code == 404
    assert visitor.get(f"/share/{link['token']}", headers=HTML).status_code == 404
    assert ann.get("/api/shares").json["items"] == []


def test_a_withdrawn_an_expired_and_an_unknown_link_answer_alike(
    app: Flask, ann: Api, visitor: Api, made: dict[str, Any]
) -> None:
    withdrawn, expired = share(ann, made), share(ann, made, expires_in=60)
    ann.delete(f"/api/shares/{withdrawn['id']}")
    database = app.extensions["chatbot"].database
    database["shares"].update_one({"_id": expired["id"]}, {"$set": {"expires_at": now() - timedelta(seconds=1)}})

    answers = {
        (answer.status_code, answer.text.replace(answer.headers["X-Request-ID"], ""))
        for token in (withdrawn["token"], expired["token"], "unknown")
        for answer in [visitor.get(f"/api/share/{token}")]
    }

    assert len(answers) == 1
    assert next(iter(answers))[0] == 404


def test_a_password_opens_the_page_its_json_and_its_pictures(
    app: Flask, ann: Api, visitor: Api, made: dict[str, Any]
) -> None:
    token = share(ann, made, password="open sesame")["token"]
    picture = f"/share/{token}/i/{made['images'][0]['id']}"
    closed = visitor.get(f"/share/{token}", headers=HTML)
    assert "lighthouse" not in closed.text
    assert (visitor.get(f"/api/share/{token}").status_code, visitor.get(picture).status_code) == (401, 404)
    field = form_token(closed.text)

    wrong = visitor.post(f"/share/{token}", data={"csrf_token": field, "password": "guess"})
    right = visitor.post(f"/share/{token}", data={"csrf_token": field, "password": "open sesame"})

    assert (wrong.status_code, right.status_code, right.headers["Location"]) == (403, 303, f"/share/{token}")
    assert "lighthouse" in visitor.get(f"/share/{token}", headers=HTML).text
    assert visitor.get(f"/api/share/{token}").status_code == 200
    assert visitor.get(picture).status_code == 200
    assert Api(app).get(picture).status_code == 404


def test_a_password_of_one_link_opens_no_other(ann: Api, visitor: Api, made: dict[str, Any]) -> None:
    first, second = (share(ann, made, password=password)["token"] for password in ("one password", "another"))
    field = form_token(visitor.get(f"/share/{first}", headers=HTML).text)

    visitor.post(f"/share/{first}", data={"csrf_token": field, "password": "one password"})

    assert visitor.get(f"/api/share/{second}").status_code == 401


@pytest.mark.parametrize("live", [False, True])
def test_only_a_live_link_shows_what_came_later(ann: Api, visitor: Api, made: dict[str, Any], live: bool) -> None:
    token = share(ann, made, live=live)["token"]

    later = ann.generate("a secret hare", conversation_id=made["conversation_id"])

    told = visitor.get(f"/api/share/{token}")
    picture = visitor.get(f"/share/{token}/i/{later['images'][0]['id']}")
    assert ("a secret hare" in told.text) is live
    assert picture.status_code == (200 if live else 404)


def test_a_picture_in_the_trash_is_gone_from_links_too(ann: Api, visitor: Api, made: dict[str, Any]) -> None:
    token, image_id = share(ann, made)["token"], made["images"][0]["id"]

    ann.delete(f"/api/images/{image_id}")

    assert visitor.get(f"/share/{token}/i/{image_id}").status_code == 404
    assert image_id not in visitor.get(f"/api/share/{token}").text
    assert visitor.get(f"/share/{token}", headers=HTML).status_code == 200


@pytest.mark.parametrize("live", [False, True])
def test_deleting_the_conversation_keeps_what_its_links_show_until_they_are_revoked(
    ann: Api, visitor: Api, made: dict[str, Any], live: bool
) -> None:
    link = share(ann, made, live=live)
    before = visitor.get(f"/api/share/{link['token']}").json
    picture = f"/share/{link['token']}/i/{made['images'][0]['id']}"

    assert ann.delete(f"/api/conversation/{made['conversation_id']}").status_code == 204

    assert ann.get(f"/api/conversation/{made['conversation_id']}").status_code == 404
    assert visitor.get(f"/api/share/{link['token']}").json == {**before, "live": False}
    assert visitor.get(picture).status_code == 200
    assert visitor.get(f"/share/{link['token']}", headers=HTML).status_code == 200
    ann.delete(f"/api/shares/{link['id']}")
    assert visitor.get(picture).status_code == 404


def test_deleting_the_conversation_closes_its_links_when_that_is_asked_for(
    ann: Api, visitor: Api, made: dict[str, Any]
) -> None:
    token = share(ann, made)["token"]

    ann.delete(f"/api/conversation/{made['conversation_id']}?revoke_shares=true")

    assert visitor.get(f"/api/share/{token}").status_code == 404
    assert ann.get(f"/i/{made['images'][0]['id']}").status_code == 404


def test_deleting_a_picture_takes_it_out_of_the_link_of_a_deleted_conversation(
    ann: Api, visitor: Api, made: dict[str, Any]
) -> None:
    token, image_id = share(ann, made)["token"], made["images"][0]["id"]
    ann.delete(f"/api/conversation/{made['conversation_id']}")

    assert ann.delete(f"/api/images/{image_id}").status_code in (200, 204)

    assert visitor.get(f"/share/{token}/i/{image_id}").status_code == 404
    assert visitor.get(f"/share/{token}/i/{image_id}?w=256").status_code == 404
    assert image_id not in visitor.get(f"/api/share/{token}").text


def test_a_link_that_cannot_be_is_refused(ann: Api, made: dict[str, Any]) -> None:
    path = f"/api/conversation/{made['conversation_id']}/share"
    empty = ann.post("/api/conversations", json={}).json["id"]
    wrong: tuple[dict[str, Any], ...] = (
        {"expires_in": 59},
        {"expires_in": -1},
        {"expires_in": 10**12},
        {"expires_in": "60"},
        {"password": ""},
        {"live": "perhaps"},
    )

    assert [ann.post(path, json=body).status_code for body in wrong] == [422] * len(wrong)
    assert ann.post(f"/api/conversation/{empty}/share", json={}).status_code == 422
