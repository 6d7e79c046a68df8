"""All pictures of a shared conversation in one download: whole or visibly broken off, and only what the link shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from flask import Flask
from hypothesis import example, given
from werkzeug.http import parse_date

from ChatBot.errors import NotFound
from tests.fixtures.application import Answer, Api
from tests.media.samples import pdf
from tests.web.hostile.test_names import saved_as
from tests.web.hostile.texts import texts, walk
from tests.web.routes.test_pages import Page, form_token
from tests.web.routes.test_shares import keys, share
from tests.web.test_uploads import hand_in

HTML = {"Accept": "text/html"}


@pytest.fixture
def made(ann: Api) -> dict[str, Any]:
    """A conversation of ``ann`` with two pictures and a PDF."""
    made = ann.generate("a lighthouse at dusk", count=2)
    kept = hand_in(ann, pdf("plan"), "../../plan.pdf").json
    say = {"content": "and this", "images": [kept["id"]]}
    assert ann.post(f"/api/conversation/{made['conversation_id']}/messages", json=say).status_code == 202
    return made


def download(api: Api, token: str) -> Answer:
    """Fetch the archive behind a link."""
    return api.get(f"/share/{token}/pictures.zip")


def contents(answer: Answer) -> dict[str, bytes]:
    """Return what the archive holds, by name."""
    assert answer.status_code == 200, answer.text
    with ZipFile(BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("live", [False, True])
def test_the_archive_has_what_the_page_shows_byte_for_byte(
    ann: Api, visitor: Api, made: dict[str, Any], live: bool
) -> None:
    token = share(ann, made, live=live)["token"]
    messages = visitor.get(f"/api/share/{token}").json["messages"]
    shown = [each for message in messages for each in (*message["images"], *message["files"])]

    found = contents(download(visitor, token))

    manifest = json.loads(found.pop("manifest.json"))
    assert [each["id"] for each in manifest["pictures"]] == [each["id"] for each in shown]
    assert [each["file"] for each in manifest["pictures"]] == list(found)
    assert list(found.values()) == [visitor.get(each["src"]).data for each in shown]
    assert [Path(name).suffix for name in found] == [".png", ".png", ".pdf"]


def test_its_length_and_its_name_are_told_and_no_cache_keeps_it(ann: Api, visitor: Api, made: dict[str, Any]) -> None:
    token = share(ann, made)["token"]

    answer, head = download(visitor, token), visitor._send("HEAD", f"/share/{token}/pictures.zip", {})

    assert int(answer.headers["Content-Length"]) == len(answer.data) == int(head.headers["Content-Length"])
    assert saved_as(answer) == "a lighthouse at dusk.zip"
    assert answer.mimetype == "application/zip"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert {"ETag", "X-Image-Source", "Set-Cookie"}.isdisjoint(answer.headers.keys())


def test_each_picture_has_the_date_it_was_made_at(ann: Api, visitor: Api, made: dict[str, Any]) -> None:
    token = share(ann, made)["token"]
    pictures = [visitor.get(f"/share/{token}/i/{each['id']}") for each in made["images"]]

    with ZipFile(BytesIO(download(visitor, token).data)) as archive:
        dates = [info.date_time for info in archive.infolist()[1:3]]

    told = [parse_date(each.headers["Last-Modified"]) for each in pictures]
    assert all(moment for moment in told)
    assert dates == [(*moment.timetuple()[:5], moment.second // 2 * 2) for moment in told if moment]


def test_nothing_is_told_that_the_link_does_not_show(
    make_app: Callable[..., Flask], host_settings: dict[str, Any], tmp_path: Path
) -> None:
    app = make_app(**host_settings)
    ann, visitor = Api(app).register("ann-of-green-gables"), Api(app)
    made = ann.generate("a fox", seed=1234567)
    image = made["images"][0]
    assert image["cloud_url"]
    me = ann.get("/api/auth/me").json
    token = share(ann, made)["token"]

    manifest = contents(download(visitor, token))["manifest.json"].decode()

    assert keys(json.loads(manifest)) == {
        *("title", "created_at", "live", "pictures", "file"),
        *("id", "kind", "caption", "prompt", "mime_type", "width", "height", "generated"),
    }
    private = (me["id"], "green-gables", image["cloud_url"], made["conversation_id"], str(tmp_path), "1234567", token)
    for secret in private:
        assert secret not in manifest, secret
    assert not re.search("delete_url|durability|sha256|postimages|/share/|/i/", manifest)


def test_a_picture_that_is_nowhere_is_left_out_and_named(
    ann: Api, visitor: Api, made: dict[str, Any], tmp_path: Path
) -> None:
    lost = made["images"][0]["id"]
    token = share(ann, made)["token"]
    next((tmp_path / "Storage" / "Image_Gen").glob(f"{lost}.*")).unlink()

    found = contents(download(visitor, token))

    told = {each["id"]: each["file"] for each in json.loads(found["manifest.json"])["pictures"]}
    assert told[lost] is None
    assert {*told.values()} - {None} == {*found} - {"manifest.json"}
    assert len(found) == 3


def test_a_password_is_asked_for_first(ann: Api, visitor: Api, made: dict[str, Any]) -> None:
    token = share(ann, made, password="open sesame")["token"]

    closed = download(visitor, token)
    field = form_token(visitor.get(f"/share/{token}", headers=HTML).text)
    visitor.post(f"/share/{token}", data={"csrf_token": field, "password": "open sesame"})

    assert (closed.status_code, closed.headers["Location"]) == (303, f"/share/{token}")
    assert b"PK" not in closed.data
    assert len(contents(download(visitor, token))) == 4


def test_a_link_without_any_picture_has_no_archive(ann: Api, visitor: Api, made: dict[str, Any]) -> None:
    token = share(ann, made)["token"]
    for each in visitor.get(f"/api/share/{token}").json["messages"]:
        for shown in (*each["images"], *each["files"]):
            ann.delete(f"/api/images/{shown['id']}")

    answer = download(visitor, token)

    assert answer.status_code == 404
    assert "no pictures" in answer.json["detail"]


def revoke(ann: Api, link: dict[str, Any], _: dict[str, Any]) -> None:
    ann.delete(f"/api/shares/{link['id']}")


def delete_a_picture(ann: Api, _: dict[str, Any], made: dict[str, Any]) -> None:
    ann.delete(f"/api/images/{made['images'][1]['id']}")


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("ending", [revoke, delete_a_picture])
def test_a_right_that_ends_meanwhile_breaks_the_transfer_off(
    ann: Api, visitor: Api, made: dict[str, Any], ending: Callable[..., None], live: bool
) -> None:
    link = share(ann, made, live=live)
    answer = visitor.get(f"/share/{link['token']}/pictures.zip", buffered=False)
    sending = answer.iter_encoded()
    sent = [next(sending), next(sending)]
    withheld = ann.get(made["images"][1]["src"]).data

    ending(ann, link, made)
    with pytest.raises(NotFound):
        sent.extend(sending)

    received = b"".join(sent)
    assert len(received) < int(answer.headers["Content-Length"])
    assert withheld not in received
    assert b"PK\x05\x06" not in received


def test_no_title_and_no_caption_reaches_a_name(ann: Api, visitor: Api, made: dict[str, Any]) -> None:
    token = share(ann, made, live=True)["token"]

    @walk(20)
    @given(texts())
    @example("../../../etc/passwd")
    @example("\u202egnp.exe")
    def explore(text: str) -> None:
        ann.patch(f"/api/conversation/{made['conversation_id']}", json={"title": text})
        ann.patch(f"/api/images/{made['images'][0]['id']}", json={"caption": text})

        answer = download(visitor, token)

        assert saved_as(answer).endswith(".zip")
        names = list(contents(answer))
        assert names[0] == "manifest.json"
        assert all(re.fullmatch(r"00[1-3]-[0-9a-f]{8}\.(png|pdf)", name) for name in names[1:])

    explore()


def test_the_page_offers_it_with_number_and_size_when_there_are_at_least_two(
    ann: Api, visitor: Api, made: dict[str, Any]
) -> None:
    several, one = share(ann, made)["token"], share(ann, ann.generate("a fox"))["token"]

    pages = {token: visitor.get(f"/share/{token}", headers=HTML).text for token in (several, one)}

    links = [link["href"] for link in Page(pages[several]).all("a")]
    assert f"/share/{several}/pictures.zip" in links
    assert re.search(r"3 files, [\d.]+ kB", pages[several])
    assert "pictures.zip" not in pages[one]
