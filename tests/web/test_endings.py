"""A right that ends takes everything with it that caches hold: pictures, parts, renditions, archives, confirmations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from pymongo.database import Database

from ChatBot.models import now
from tests.fixtures.application import PASSWORD, Answer, Api
from tests.web.routes.test_shares import share

LATER = "Wed, 01 Jan 2200 00:00:00 GMT"


@dataclass
class Rights:
    """A picture, everybody who may see it, and what gave them the right."""

    ann: Api
    """Its owner, in a session that is only used to end things."""
    browser: Api
    made: dict[str, Any]
    database: Database[dict[str, Any]]
    ids: dict[str, str]
    ways: dict[str, tuple[Api, list[str]]]
    """Who comes which way, and the addresses there."""

    @property
    def image_id(self) -> str:
        """The picture."""
        return str(self.made["images"][0]["id"])


@pytest.fixture
def rights(app: Flask, ann: Api, visitor: Api, database: Database[dict[str, Any]]) -> Rights:
    """Every way to one picture, each of which works."""
    made = ann.generate(width=600, height=64)
    image_id = made["images"][0]["id"]
    browser, program = Api(app), Api(app)
    answer = browser.post("/api/auth/login", json={"username": "ann", "password": PASSWORD})
    browser.headers["X-CSRF-Token"] = answer.json["csrf_token"]
    token = ann.post("/api/tokens", json={}).json
    program.headers["Authorization"] = f"Bearer {token['token']}"
    links = {
        "signed": ann.post(f"/api/images/{image_id}/links", json={}).json,
        "permanent": ann.post(f"/api/images/{image_id}/links", json={"permanent": True}).json,
    }
    shares = {"share": share(ann, made), "live share": share(ann, made, live=True)}
    own = f"/i/{image_id}"
    ways = {
        "session": (browser, [own, f"{own}?w=256", f"{own}?download=1", f"/static/Storage/Image_Gen/{image_id}.png"]),
        "token": (program, [own, f"{own}?w=256"]),
        **{name: (visitor, _renditions(urlsplit(link["url"]).path)) for name, link in links.items()},
        **{name: (visitor, _shown(f"/share/{each['token']}", image_id)) for name, each in shares.items()},
    }
    ids = {name: str(each["id"]) for name, each in {**links, **shares, "token": token}.items()}
    return Rights(ann, browser, made, database, ids, ways)


def _renditions(path: str) -> list[str]:
    return [path, f"{path}?w=256", f"{path}?download=1"]


def _shown(path: str, image_id: str) -> list[str]:
    return [*_renditions(f"{path}/i/{image_id}"), f"{path}/pictures.zip"]


def _password(rights: Rights, **choices: bool) -> None:
    answer = rights.ann.post("/api/auth/password", json={"current": PASSWORD, "new": "another long enough", **choices})
    assert answer.status_code == 200, answer.text


def _expire_share(rights: Rights) -> None:
    past = {"$set": {"expires_at": now() - timedelta(seconds=1)}}
    rights.database["shares"].update_one({"_id": rights.ids["share"]}, past)


def _expire_session(rights: Rights) -> None:
    past = {"$set": {"expires_at": now() - timedelta(seconds=1)}}
    rights.database["sessions"].update_many({}, past)


def _delete_conversation(rights: Rights) -> None:
    rights.ann.delete(f"/api/conversation/{rights.made['conversation_id']}?revoke_shares=true")


EVERYTHING = frozenset({"session", "token", "signed", "permanent", "share", "live share"})
ENDINGS: dict[str, tuple[Callable[[Rights], Any], frozenset[str]]] = {
    "the picture is deleted": (lambda r: r.ann.delete(f"/api/images/{r.image_id}"), EVERYTHING),
    "the conversation is deleted with its links": (_delete_conversation, EVERYTHING),
    "logout": (lambda r: r.browser.post("/api/auth/logout"), frozenset({"session"})),
    "the other sessions are ended": (lambda r: r.ann.post("/api/auth/sessions/end-others"), frozenset({"session"})),
    "the session expires": (_expire_session, frozenset({"session"})),
    "a new password": (_password, frozenset({"session", "token", "signed"})),
    "a new password, keeping tokens": (lambda r: _password(r, keep_tokens=True), frozenset({"session", "signed"})),
    "a new password, ending links": (
        lambda r: _password(r, end_links=True),
        frozenset({"session", "token", "signed", "permanent"}),
    ),
    "the token is revoked": (lambda r: r.ann.delete(f"/api/tokens/{r.ids['token']}"), frozenset({"token"})),
    "the link is revoked": (lambda r: r.ann.delete(f"/api/links/{r.ids['permanent']}"), frozenset({"permanent"})),
    "all links are revoked": (lambda r: r.ann.delete("/api/links"), frozenset({"signed", "permanent"})),
    "the share is revoked": (lambda r: r.ann.delete(f"/api/shares/{r.ids['share']}"), frozenset({"share"})),
    "the live share is revoked": (
        lambda r: r.ann.delete(f"/api/shares/{r.ids['live share']}"),
        frozenset({"live share"}),
    ),
    "the share expires": (_expire_share, frozenset({"share"})),
    "its answer is made again": (
        lambda r: r.ann.post(
            f"/api/conversation/{r.made['conversation_id']}/messages/{r.made['message_id']}/regenerate"
        ),
        frozenset({"live share"}),
    ),
}
"""What ends rights, and to whose; everybody else goes on seeing the picture."""


def questions(etag: str, *, archive: bool) -> list[tuple[str, dict[str, str]]]:
    """Return what caches and interrupted downloads ask that once had the picture; of an archive only its content."""
    asked = (
        {"If-None-Match": etag},
        {"If-None-Match": f"W/{etag}"},
        {"If-None-Match": "*"},
        {"If-Modified-Since": LATER},
        {"Range": "bytes=0-9"},
        {"Range": "bytes=0-9", "If-Range": etag},
        {"If-Match": etag},
    )
    gets = [("GET", {}), *(("GET", each) for each in asked)]
    return gets if archive else [*gets, ("HEAD", {}), ("HEAD", {"If-None-Match": etag})]


def _is_without(told: Answer, data: bytes) -> bool:
    """Say whether an answer neither has a picture nor confirms it; a live link may have got another one meanwhile."""
    if told.mimetype == "application/zip":
        return told.status_code == 200 and data not in told.data
    return told.status_code in (401, 404) and not told.content_type.startswith("image/")


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_that_is_cached_outlives_the_right_to_it(rights: Rights, ending: str) -> None:
    end, ended = ENDINGS[ending]
    cookie = rights.browser.http.get_cookie("chatbot_session")
    assert cookie
    whole = f'"{rights.made["images"][0]["sha256"]}"'
    answers = {(way, path): api.get(path) for way, (api, paths) in rights.ways.items() for path in paths}
    assert {each.status_code for each in answers.values()} == {200}
    data = rights.browser.get(f"/i/{rights.image_id}").data
    etags = {name: each.headers.get("ETag", whole) for name, each in answers.items()}  # an archive has none of its own
    assert whole in {each.headers.get("ETag") for each in answers.values()}

    answer = end(rights)
    assert answer is None or answer.status_code < 300, answer.text
    rights.browser.http.set_cookie("chatbot_session", cookie.value)  # a browser that did not hear of it

    for (way, path), etag in etags.items():
        for method, sent in questions(etag, archive=path.endswith(".zip")):
            told = rights.ways[way][0]._send(method, path, {"headers": dict(sent)})
            assert _is_without(told, data) is (way in ended), (way, path, method, sent, told.status_code)


def test_a_private_account_names_no_public_address_any_more(
    make_app: Callable[..., Flask], host_settings: dict[str, Any]
) -> None:
    app = make_app(**host_settings)
    ann, visitor = Api(app).register("ann"), Api(app)
    made = ann.generate()
    image = made["images"][0]
    token = share(ann, made)["token"]
    published = image["cloud_url"]
    assert published in ann.get(image["src"].replace("/i/", "/api/images/")).text

    ann.patch("/api/auth/me", json={"private": True})
    app.extensions["chatbot"].privacy.withdraw_due()

    assert ann.get(f"/api/images/{image['id']}").json["cloud_url"] is None
    pages = [
        ann.get(path, headers={"Accept": "text/html"}).text for path in ("/gallery", f"/c/{made['conversation_id']}")
    ]
    shown = [
        visitor.get(path, headers={"Accept": "text/html"}).text for path in (f"/share/{token}", f"/api/share/{token}")
    ]
    assert not any(f'src="{published}"' in page for page in pages)
    assert not any(published in page for page in shown)
    assert ann.get(image["src"]).status_code == 200
