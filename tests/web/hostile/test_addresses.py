"""However an address is spelled, nobody gets bytes that are not theirs to see, and the server does not break."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st

from ChatBot.models import new_id
from tests.fixtures.application import Answer, Api
from tests.media.samples import photograph, saved
from tests.web.edge.test_guard import Things, address, routes
from tests.web.hostile.conftest import HTML, small
from tests.web.hostile.texts import texts, walk

SECRET = b"nobody may read this"
PICTURE_TYPES = ("image/png", "image/webp", "image/jpeg")
WIDE = str.maketrans("0123456789", "".join(map(chr, range(0xFF10, 0xFF1A))))
ARABIC = str.maketrans("0123456789", "".join(map(chr, range(0x0660, 0x066A))))


@dataclass(frozen=True)
class House:
    """Three people, their pictures, and files that belong to nobody."""

    people: dict[str, Api]
    theirs: dict[str, set[bytes]]
    """What each person may be sent."""
    words: tuple[str, ...]
    """Names of folders, files, pictures and links, which an address is made of."""

    def check(self, who: str, answer: Answer) -> bool:
        """Fail for an answer that is not meant for that person; say whether it was a picture of theirs."""
        assert answer.status_code < 500, answer.request.path
        assert SECRET not in answer.data
        assert urlsplit(answer.headers.get("Location", "")).netloc in ("", "localhost")
        if answer.mimetype in PICTURE_TYPES or answer.data[:4] in (b"\x89PNG", b"RIFF"):
            assert answer.data in self.theirs[who]
            return True
        return False


def raw(api: Api, target: str, **options: Any) -> Answer:
    """Ask for a target exactly as it is written, as a server hands it on: no client resolves its dots."""
    path, _, query = target.partition("?")
    named = {
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.encode().decode("latin-1"),
        "REQUEST_URI": target,
    }
    return api.get("/", environ_overrides=named, **options)


@pytest.fixture
def house(ann: Api, bob: Api, visitor: Api, tmp_path: Path) -> House:
    """``ann`` shares one conversation; ``bob`` has a picture; a trashed one, a planted one and a secret lie about."""
    made, his, gone = small(ann), small(bob), small(ann)
    image, trashed = made["images"][0]["id"], gone["images"][0]["id"]
    hers = {ann.get(f"/i/{image}{query}").data for query in ("", "?w=256")}
    bobs = {bob.get(f"/i/{his['images'][0]['id']}{query}").data for query in ("", "?w=256")}
    ann.delete(f"/api/images/{trashed}")
    share = ann.post(f"/api/conversation/{made['conversation_id']}/share", json={}).json["token"]
    storage, planted, linked = tmp_path / "Storage", new_id(), new_id()
    (storage / "Image_Gen" / f"{planted}.png").write_bytes(saved(photograph((20, 20)), "PNG") + SECRET)
    (tmp_path / "secret.png").write_bytes(SECRET)
    (storage / "Image_Gen" / f"{linked}.png").symlink_to(tmp_path / "secret.png")
    names = (image, his["images"][0]["id"], trashed, planted, linked)
    words = (
        *("i", "static", "Storage", "Image_Gen", "uploads", "thumbnails", "records", "secret.png", "etc", "passwd"),
        *("share", "api", "images", "linked", share, made["conversation_id"]),
        *(f"{name}{ending}" for name in names for ending in ("", ".png", "_256.webp", ".png/", ".PNG", ".png%00.txt")),
        *(name.upper() for name in names),
        *(name.translate(digits) for name in names for digits in (WIDE, ARABIC)),
    )
    shared = {visitor.get(f"/share/{share}/i/{image}{query}").data for query in ("", "?w=256")}
    theirs = {"ann": hers | shared, "bob": bobs | shared, "a visitor": shared}
    assert bobs & (hers | shared) == set()
    return House({"ann": ann, "bob": bob, "a visitor": visitor}, theirs, words)


DOTS = ("..", ".", "...", "%2e%2e", "%2e.", "%252e%252e", "..%00", "%c0%ae%c0%ae", "\uff0e\uff0e", "..;", "~", "")
SEPARATORS = ("/", "/", "/", "//", "/./", "/../", "%2f", "%2F", "%252f", "\\", "%5c", "\u2215", "%c0%af", ";/", "/%20")


def spelled(words: Iterable[str]) -> st.SearchStrategy[str]:
    """Return targets: words and dots between separators of every kind, some letters percent-encoded."""
    segment = st.one_of(st.sampled_from(sorted(words)), st.sampled_from(DOTS), st.text(max_size=3))
    start = st.sampled_from(("/i", "/static/Storage", "/static", "/share", "", "/api/images", "//i", "/linked"))
    pieces = st.lists(st.tuples(st.sampled_from(SEPARATORS), segment), min_size=1, max_size=5)
    queries = st.sampled_from(("", "", "?w=256", "?w=0", "?download=1", "?w=256&w=1", "?crop=1", "?x=%2e%2e/"))
    return st.builds(_spelled, start, pieces, st.sets(st.integers(0, 40), max_size=3), queries)


def _spelled(start: str, pieces: list[tuple[str, str]], hidden: set[int], query: str) -> str:
    path = start + "".join(separator + segment for separator, segment in pieces)
    hidden_too = "".join(
        f"%{ord(c):02x}" if i in hidden and c.isascii() and c != "%" else c for i, c in enumerate(path)
    )
    return quote(hidden_too.replace("?", "%3f"), safe="/%;\\:.~") + query


def test_no_spelling_of_an_address_shows_what_belongs_to_somebody_else(house: House) -> None:
    @walk(300)
    @given(st.sampled_from(sorted(house.people)), spelled(house.words))
    def explore(who: str, target: str) -> None:
        house.check(who, raw(house.people[who], target))

    explore()


def test_the_plain_spellings_show_ones_own_pictures_and_nothing_else(house: House) -> None:
    shown = 0

    for who, api in house.people.items():
        for word in house.words:
            for start in ("/i/", "/static/Storage/Image_Gen/"):
                shown += house.check(who, raw(api, start + quote(word, safe="%/")))

    assert shown == 4  # ann's and bob's, by both of its addresses


NAMES = (
    *("w", "download", "crop", "cursor", "limit", "kind", "older", "days", "after", "next", "conversation_id"),
    *("action", "outcome", "account", "ended", "revoked", "links_ended", "revoke_shares", "q", "w[]", "limit[$ne]"),
)
NUMBERS = (
    *("0", "-1", "1", "256", "512", "1024", "257", "1e3", "256.0", "0x100", "+256", " 256", "256 ", "2_5_6", "true"),
    *("9" * 20, "9" * 400, "-" + "9" * 30, "1" * 5000, "NaN", "Infinity", "\u0662\u0665\u0666", "\uff12\uff15\uff16"),
    *("MC4w", "LTEuMA", "OTk5OTk5OTk5OTk5OTk5OTk5OTkuYQ", "LTYyMTM1NTk2ODAwMDAwLiA", "MC4AAA", "====", "_-_-"),
)


def test_no_parameter_of_any_address_breaks_it_or_shows_what_belongs_to_somebody_else(
    app: Flask, ann: Api, bob: Api, visitor: Api
) -> None:
    things = vars(Things.of(ann)) | {"filename": "css/app.css", "task_id": "1"}
    picture = {ann.get(f"/i/{things['image_id']}{query}").data for query in ("", "?w=256", "?w=512", "?w=1024")}
    house = House(
        {"ann": ann, "bob": bob, "a visitor": visitor}, {"ann": picture, "bob": set(), "a visitor": set()}, ()
    )
    open_to_all = ("shared.", "picture_links.", "static", "health.ready")
    paths = [
        (route.endpoint, address(app, route, {name: things[name] for name in route.arguments}))
        for route, method in routes(app)
        if method == "GET" and not route.endpoint.startswith(open_to_all)
    ]
    values = st.one_of(st.sampled_from(NUMBERS), texts())

    @walk(150)
    @given(
        st.sampled_from(sorted(house.people)),
        st.sampled_from(sorted(paths)),
        st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=3),
        st.sampled_from(({}, HTML)),
    )
    @example("ann", ("", "/settings"), [("ended", "9" * 40)], HTML)
    @example("ann", ("", "/admin/audit"), [("action", "x" * 101)], HTML)
    @example("ann", ("", "/api/images"), [("cursor", "OTk5OTk5OTk5OTk5OTk5OTk5OTkuYQ")], {})
    def explore(who: str, named: tuple[str, str], query: list[tuple[str, str]], headers: dict[str, str]) -> None:
        text = "&".join(f"{quote(name)}={quote(value)}" for name, value in query)
        if named[0] == "messages.events":
            answer = raw(house.people[who], f"{named[1]}?{text}", headers=headers, buffered=False)
            assert answer.status_code < 500
            answer.close()
            return
        answer = raw(house.people[who], f"{named[1]}?{text}", headers=headers)

        house.check(who, answer)
        if answer.status_code == 422 and not headers:
            assert answer.json["detail"]

    explore()
