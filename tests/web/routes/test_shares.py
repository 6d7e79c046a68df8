"""Share links: what whoever has one sees, what they never see, and how one ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import segno
from flask import Flask
from PIL import Image as Picture

from ChatBot.models import now
from tests.fixtures.application import PASSWORD, Answer, Api
from tests.media.samples import photograph, saved
from tests.standins.hosts import HostServer
from tests.web.routes.test_pages import Page, form_token

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


def test_a_visitor_is_sent_to_log_in_and_back_before_the_copy_is_made(
    ann: Api, visitor: Api, bob: Api, made: dict[str, Any]
) -> None:
    token = share(ann, made)["token"]

    links = [link["href"] for link in Page(visitor.get(f"/share/{token}", headers=HTML).text).all("a")]
    page = bob.get(f"/share/{token}", headers=HTML).text
    form = {"csrf_token": form_token(page), "key": re.findall(r'name="key" value="(\w+)"', page)[0]}
    first, second = (bob.post(f"/share/{token}/continue", data=form, headers=HTML) for _ in range(2))

    assert f"/login?next=/share/{token}" in links
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert [each["title"] for each in bob.get("/api/conversations").json["items"]] == ["a lighthouse at dusk"]
    copy = bob.get(first.headers["Location"].replace("/c/", "/api/conversation/")).json
    own = copy["messages"][1]["images"][0]
    assert own["id"] != made["images"][0]["id"]
    assert own["sha256"] == made["images"][0]["sha256"]
    assert bob.get(own["src"]).status_code == 200
    assert ann.get(own["src"]).status_code == 404


def test_a_form_from_a_session_that_ended_leads_to_the_login_and_back(
    ann: Api, visitor: Api, made: dict[str, Any]
) -> None:
    token, locked = share(ann, made)["token"], share(ann, made, password="open sesame")["token"]
    field = form_token(visitor.get(f"/share/{locked}", headers=HTML).text)

    answer = visitor.post(f"/share/{token}/continue", data={"csrf_token": field, "key": "once"}, headers=HTML)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/login?next=/share/{token}")
    for path in (answer.headers["Location"], f"/register?next=/share/{token}"):
        assert "With an account you can go on with the shared conversation" in visitor.get(path, headers=HTML).text
    assert "shared conversation" not in visitor.get("/login", headers=HTML).text


def test_a_protected_conversation_is_copied_only_after_its_password(
    ann: Api, bob: Api, visitor: Api, made: dict[str, Any]
) -> None:
    token = share(ann, made, password="open sesame")["token"]
    path = f"/api/share/{token}/continue"

    assert visitor.post(path).status_code in (401, 403)
    assert bob.post(path).status_code == 401
    field = form_token(bob.get(f"/share/{token}", headers=HTML).text)
    refused = bob.post(f"/share/{token}/continue", data={"csrf_token": field, "key": "once"}, headers=HTML)
    assert refused.headers["Location"] == f"/share/{token}"
    assert bob.get("/api/conversations").json["items"] == []
    bob.post(f"/share/{token}", data={"csrf_token": field, "password": "open sesame"})

    answers = [bob.post(path, headers={"Idempotency-Key": "once"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    assert bob.post(path, headers={"Idempotency-Key": "x" * 201}).status_code == 422


def test_logging_in_keeps_what_a_visitor_unlocked_and_nothing_else(app: Flask, ann: Api, made: dict[str, Any]) -> None:
    opened, other = (share(ann, made, password="open sesame")["token"] for _ in range(2))
    visitor = Api(app)
    field = form_token(visitor.get(f"/share/{opened}", headers=HTML).text)
    visitor.post(f"/share/{opened}", data={"csrf_token": field, "password": "open sesame"})
    before = visitor.http.get_cookie("chatbot_session")

    visitor.headers["X-CSRF-Token"] = field
    form = {"username": "bob", "password": PASSWORD, "csrf_token": field, "next": f"/share/{opened}"}
    assert visitor.post("/register", data=form, headers=HTML).headers["Location"] == f"/share/{opened}"

    assert visitor.http.get_cookie("chatbot_session") != before
    assert visitor.get(f"/api/share/{opened}").status_code == 200
    assert visitor.get(f"/api/share/{other}").status_code == 401
    page = visitor.get(f"/share/{opened}", headers=HTML).text
    visitor.post("/logout", data={"csrf_token": form_token(page)}, headers=HTML)
    assert visitor.get(f"/api/share/{opened}").status_code == 401


def test_nothing_can_be_copied_from_a_revoked_link(ann: Api, bob: Api, made: dict[str, Any]) -> None:
    link = share(ann, made)
    field = form_token(bob.get(f"/share/{link['token']}", headers=HTML).text)
    ann.delete(f"/api/shares/{link['id']}")

    form = {"csrf_token": field, "key": "once"}
    assert bob.post(f"/share/{link['token']}/continue", data=form, headers=HTML).status_code == 404
    assert bob.post(f"/api/share/{link['token']}/continue").status_code == 404


def test_a_preview_names_the_page_and_its_picture(ann: Api, visitor: Api, made: dict[str, Any]) -> None:
    token = share(ann, made)["token"]

    page = Page(visitor.get(f"/share/{token}", headers=HTML).text)

    named = {str(meta["property"]): str(meta["content"]) for meta in page.all("meta") if "property" in meta}
    card = visitor.get(named["og:image"].removeprefix("http://localhost"))
    assert named["og:title"] == "a lighthouse at dusk"
    assert named["og:description"]
    assert (named["og:image:width"], named["og:image:height"]) == ("1200", "630")
    assert named["og:image"].startswith("http://localhost/share/")
    assert (card.status_code, card.mimetype) == (200, "image/jpeg")
    assert Picture.open(BytesIO(card.data)).size == (1200, 630)


def test_the_preview_of_a_protected_link_tells_nothing_before_the_password(
    ann: Api, visitor: Api, made: dict[str, Any]
) -> None:
    other = ann.generate("something else entirely")
    first, second = (share(ann, each, password="open sesame")["token"] for each in (made, other))

    closed = visitor.get(f"/share/{first}/preview.jpg")
    page = visitor.get(f"/share/{first}", headers=HTML).text
    assert closed.data == visitor.get(f"/share/{second}/preview.jpg").data
    assert "lighthouse" not in page
    visitor.post(f"/share/{first}", data={"csrf_token": form_token(page), "password": "open sesame"})

    assert visitor.get(f"/share/{first}/preview.jpg").data != closed.data
    assert visitor.get(f"/share/{second}/preview.jpg").data == closed.data


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_preview_ends_with_its_link_also_for_caches(
    app: Flask, ann: Api, visitor: Api, made: dict[str, Any], how: str
) -> None:
    link = share(ann, made, expires_in=60)
    path = f"/share/{link['token']}/preview.jpg"
    etag = visitor.get(path).headers["ETag"]
    assert visitor.get(path, headers={"If-None-Match": etag}).status_code == 304

    if how == "revoked":
        ann.delete(f"/api/shares/{link['id']}")
    else:
        database = app.extensions["chatbot"].database
        database["shares"].update_one({"_id": link["id"]}, {"$set": {"expires_at": now() - timedelta(seconds=1)}})

    assert visitor.get(path, headers={"If-None-Match": etag}).status_code == 404


def test_a_preview_loses_a_picture_that_is_deleted(ann: Api, visitor: Api, made: dict[str, Any]) -> None:
    path = f"/share/{share(ann, made)['token']}/preview.jpg"
    before = visitor.get(path).data

    ann.delete(f"/api/images/{made['images'][0]['id']}")

    assert visitor.get(path).data != before


def test_a_link_comes_with_its_qr_code(ann: Api, made: dict[str, Any]) -> None:
    link = share(ann, made)

    assert link["qr"].startswith("data:image/svg+xml")
    assert segno.make_qr(link["url"]).svg_data_uri(border=2, light="#fff", scale=4) == link["qr"]
    assert "qr" not in ann.get("/api/shares").json["items"][0]


def test_guessing_the_password_of_a_link_is_slowed_down_and_locks_nobody_else_out(
    app: Flask, ann: Api, visitor: Api, made: dict[str, Any]
) -> None:
    token = share(ann, made, password="open sesame")["token"]
    field = form_token(visitor.get(f"/share/{token}", headers=HTML).text)
    reader = Api(app)
    theirs = form_token(reader.get(f"/share/{token}", headers=HTML).text)

    def guess(api: Api, field: str, password: str, address: str) -> Answer:
        form = {"csrf_token": field, "password": password}
        return api.post(f"/share/{token}", data=form, environ_overrides={"REMOTE_ADDR": address})

    guesses = [guess(visitor, field, f"guess {number}", "192.0.2.1") for number in range(8)]
    late = guess(visitor, field, "open sesame", "192.0.2.1")
    elsewhere = guess(reader, theirs, "open sesame", "192.0.2.2")

    assert [each.status_code for each in guesses[:5]] == [403] * 5
    assert guesses[-1].status_code == late.status_code == 429
    assert int(late.headers["Retry-After"]) >= 1
    assert "Try again in" in late.text
    assert elsewhere.status_code == 303


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_link_grants_sight_and_nothing_else(
    app: Flask, ann: Api, bob: Api, visitor: Api, made: dict[str, Any], method: str
) -> None:
    token, image_id = share(ann, made, live=True)["token"], made["images"][0]["id"]
    conversation_id, message_id = made["conversation_id"], made["message_id"]
    database = app.extensions["chatbot"].database
    # What is recorded on the disk meanwhile is noted in the same documents.
    kept = {name: database[name] for name in ("messages", "conversations")}
    before = {name: list(collection.find({}, {"unrecorded": 0})) for name, collection in kept.items()}
    paths = (
        f"/share/{token}/i/{image_id}",
        f"/share/{token}/preview.jpg",
        f"/api/share/{token}",
        f"/api/images/{image_id}",
        f"/api/images/{image_id}/untrash",
        f"/i/{image_id}",
        f"/api/conversation/{conversation_id}",
        f"/api/conversation/{conversation_id}/messages/{message_id}/regenerate",
        f"/api/conversation/{conversation_id}/share",
    )
    for reader in (visitor, bob):
        assert reader.get(f"/api/share/{token}").status_code == 200
        for path in paths:
            answer = reader._send(method, path, {"json": {"caption": "mine", "title": "mine", "share": token}})
            assert answer.status_code in (400, 401, 403, 404, 405, 422), (path, answer.status_code)

    assert {name: list(collection.find({}, {"unrecorded": 0})) for name, collection in kept.items()} == before


def test_every_answer_under_a_link_keeps_it_out_of_logs_and_search_engines(
    ann: Api, visitor: Api, made: dict[str, Any]
) -> None:
    token, image_id = share(ann, made)["token"], made["images"][0]["id"]
    etag = visitor.get(f"/share/{token}/i/{image_id}").headers["ETag"]
    ways = ("preview.jpg", "pictures.zip", f"i/{image_id}")
    paths = [f"/share/{token}", f"/api/share/{token}", *(f"/share/{token}/{way}" for way in ways)]

    answers = [visitor.get(path) for path in (*paths, *(path.replace(token, "unknown") for path in paths))]
    answers.append(visitor.get(paths[-1], headers={"If-None-Match": etag}))
    answers.append(visitor.get(f"{paths[-1]}?w=256"))
    answers.append(visitor.post(f"/share/{token}", data={"password": "guess"}))

    for answer in answers:
        assert answer.headers["X-Robots-Tag"] == "noindex", answer.status_code
        assert answer.headers["Referrer-Policy"] == "no-referrer", answer.status_code
        assert answer.headers["Cache-Control"].startswith("private"), answer.status_code
        assert "X-Image-Source" not in answer.headers


def test_nobody_is_told_the_name_of_an_uploaded_file(ann: Api, visitor: Api) -> None:
    file = (BytesIO(saved(photograph((300, 200)), "PNG")), "ann-green-passport.png")
    image = ann.post("/api/uploads", data={"file": file}).json
    conversation = ann.post("/api/conversations", json={}).json["id"]
    ann.post(f"/api/conversation/{conversation}/messages", json={"content": "look", "images": [image["id"]]})
    token = share(ann, {"conversation_id": conversation}, live=True)["token"]

    page = visitor.get(f"/share/{token}", headers=HTML)
    download = visitor.get(f"/share/{token}/i/{image['id']}?download=1")

    assert image["id"] in page.text
    assert "passport" not in page.text
    assert "passport" not in str(download.headers)


def test_links_of_one_conversation_are_listed_with_their_state(
    app: Flask, ann: Api, visitor: Api, made: dict[str, Any]
) -> None:
    link, expired = share(ann, made), share(ann, made, expires_in=60)
    share(ann, ann.generate("another"))
    database = app.extensions["chatbot"].database
    database["shares"].update_one({"_id": expired["id"]}, {"$set": {"expires_at": now() - timedelta(seconds=1)}})
    visitor.get(f"/share/{link['token']}", headers=HTML)

    listed = ann.get(f"/api/shares?conversation_id={made['conversation_id']}").json["items"]

    assert [(each["id"], each["state"], each["views"]) for each in listed] == [
        (expired["id"], "expired", 0),
        (link["id"], "open", 1),
    ]


def test_sharing_again_makes_another_link(ann: Api, visitor: Api, made: dict[str, Any]) -> None:
    first, second = share(ann, made), share(ann, made)

    ann.delete(f"/api/shares/{first['id']}")

    assert first["token"] != second["token"]
    assert visitor.get(f"/api/share/{first['token']}").status_code == 404
    assert visitor.get(f"/api/share/{second['token']}").status_code == 200


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
        *("title", "created_at", "live", "messages", "id", "role", "content", "images", "files", "kind"),
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
    assert visitor.get(f"/share/{link['token']}/pictures.zip").status_code == 404
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
        for answer in [visitor.get(f"/api/share/{token}"), visitor.get(f"/share/{token}/pictures.zip")]
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


@pytest.mark.parametrize("who", ["visitor", "bob"])
def test_a_password_opens_nothing_to_the_key_that_the_session_had_before(
    app: Flask, ann: Api, made: dict[str, Any], who: str
) -> None:
    token = share(ann, made, password="open sesame")["token"]
    reader = Api(app) if who == "visitor" else Api(app).register(who)
    field = form_token(reader.get(f"/share/{token}", headers=HTML).text)
    planted = reader.http.get_cookie("chatbot_session")
    assert planted
    whoever_planted_it = Api(app)
    whoever_planted_it.http.set_cookie("chatbot_session", planted.value)

    reader.post(f"/share/{token}", data={"csrf_token": field, "password": "open sesame"})

    assert reader.get(f"/api/share/{token}").status_code == 200
    assert whoever_planted_it.get(f"/api/share/{token}").status_code == 401
    assert reader.get("/api/auth/me").status_code == (401 if who == "visitor" else 200)


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


def test_whoever_has_a_link_is_told_nothing_of_where_a_picture_is_kept(
    make_app: Callable[..., Flask], host_settings: dict[str, Any], hosts: HostServer, tmp_path: Path
) -> None:
    app = make_app(**host_settings)
    ann, bob, visitor = Api(app).register("ann"), Api(app).register("bob"), Api(app)
    made = ann.generate(width=600, height=64)
    app.extensions["chatbot"].worker.close()
    image_id, token = made["images"][0]["id"], share(ann, made)["token"]
    link = ann.post(f"/api/images/{image_id}/links", json={}).json["url"].removeprefix("http://localhost")
    paths = [f"/share/{token}/i/{image_id}", f"/share/{token}/i/{image_id}?w=256", link, f"{link}?w=256"]
    kept = [visitor.get(path) for path in paths]
    for folder in ("Image_Gen", "thumbnails"):
        for file in (tmp_path / "Storage" / folder).iterdir():
            file.unlink()
    hosts.imgbb.fault = hosts.postimages.fault = "status"
    hosts.imgbb.stored.clear()
    hosts.postimages.stored.clear()

    lost = [visitor.get(path) for path in paths]
    copy = bob.post(f"/api/share/{token}/continue")

    assert {answer.status_code for answer in kept} == {200}
    assert {answer.status_code for answer in (*lost, copy)} == {404}
    assert "postimages" in ann.get(f"/i/{image_id}").text
    for answer in (*kept, *lost, copy):
        told = f"{answer.headers}{answer.get_data().decode(errors='replace')}"
        assert not re.search(r"X-Image-Source|postimages|imgbb|this disk|tried", told, re.IGNORECASE)


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
