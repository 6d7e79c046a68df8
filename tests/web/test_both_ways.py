"""Generated questions about pictures, asked of the short way and of Flask alone: their answers are the same."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from bson import Binary
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from ChatBot.models import now
from ChatBot.web.edge.proxies import TrustedProxies
from tests.fixtures.application import PASSWORD, Api
from tests.media.samples import pdf
from tests.standins.hosts import HostServer

NAME = "chatbot_session"
PEER, PROXY = "192.0.2.7", "10.0.0.1"
LATER, EARLIER, NO_DATE = "Wed, 01 Jan 2200 00:00:00 GMT", "Wed, 01 Jan 2020 00:00:00 GMT", "yesterday"
TOKEN = re.compile(rb'((?:name="csrf-token" content|name="csrf_token" value)=)"[^"]*"')
"""A page's CSRF token carries the second it was signed in."""
QUESTIONS = 50
"""In each state; every one is asked twice, which takes about 20 ms."""

Answer = tuple[str, list[tuple[str, str]], bytes]


@dataclass
class Scene:
    """Two accounts, a picture or a file of the first one, and both ways to it."""

    app: Flask
    owner: Api
    other: Api
    token: str
    shown: dict[str, Any]
    file: Path
    renew: Callable[[], None] = lambda: None
    """Called before each question, where an answer changes what the next one finds."""
    keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = {who: _key(api) for who, api in (("own", self.owner), ("other", self.other))}

    @property
    def database(self) -> Any:
        """The database behind it."""
        return self.app.extensions["chatbot"].database

    def answers(self, asked: EnvironBuilder) -> tuple[Answer, Answer]:
        """Return what the short way says, and what Flask says without it."""
        alone = TrustedProxies(partial(type(self.app).wsgi_app, self.app), [PROXY])
        return self._told(self.app.wsgi_app, asked), self._told(alone, asked)

    def _told(self, way: Any, asked: EnvironBuilder) -> Answer:
        self.renew()
        pieces, status, headers = run_wsgi_app(way, asked.get_environ(), buffered=True)
        request_id = headers["X-Request-ID"].encode()
        body = TOKEN.sub(rb"\1", b"".join(pieces).replace(request_id, b""))
        kept = [(name, value) for name, value in headers if name not in ("X-Request-ID", "Date")]
        return status, sorted((name, _without_chance(name, value)) for name, value in kept), body


def _without_chance(name: str, value: str) -> str:
    return re.sub(r"=[\w-]{20,}|Expires=[^;]*", "", value) if name == "Set-Cookie" else value


def _key(api: Api) -> str:
    cookie = api.http.get_cookie(NAME)
    assert cookie
    return cookie.value


# fmt: off
PATHS = (
    "/i/{id}", "/static/Storage/{folder}/{name}",
    "/i/{id}/", "//i/{id}", "/i//{id}", "/I/{id}", "/i/{upper}", "/i/{id}0", "/i/{short}", "/i/{absent}", "/i/{id}\n",
    "/i/{id}.png", "/i/./{id}", "/i/../i/{id}", "/i/{id}\0", "/i/ {id}", "/i/{id}\u0661", "/i/{id}%0a", "/i/",
    "/static/Storage/thumbnails/{name}", "/static/Storage/{folder}/{id}.gif", "/static/Storage/{folder}/{name}/",
    "/static/Storage/{folder}/{absent}.png", "/static/Storage/./{name}", "/static/Storage/{folder}/../{folder}/{name}",
    "/static/storage/{folder}/{name}", "/static/Storage/{folder}\\{name}", "/static/Storage/{folder}/{name}\n",
    "/static/Storage//{name}", "/static/Storage/{folder}/{upper}.png",
)
QUERIES = (
    "", "w=256", "w=512", "w=1024",
    "w=300", "w=", "w", "w=0256", "w=+256", "w=256.0", "w=%32%35%36", "w=256&w=512", "w=512&w=256", "W=256", "w=256&",
    "&w=256", "w=256;", "w=256%20", "%77=256", "w=256&download=1", "download=1", "download=yes", "crop=1", "a=1", "?",
)
COOKIES = (
    "{name}={own}", "a=b; {name}={own}", "{name}={own}; a=b", "a=b;{name}={own};c=d",
    "", "{name}=", "{name}", "{name}={tampered}", "{name}={own}x", "{name}={other}", "{name}={unknown}",
    "{name}={own}; {name}={own}", "{name}={own}; {name}={other}", "{name}={other}; {name}={own}",
    "{name}={own};{name}={unknown}", "{name}={unknown};{name}={own}", "{name}={own};a=b;{name}={other}",
    "{name}={other};a=b;{name}={own}", "{name}=; {name}={own}", "{name}={own}; {name}=", "{name}; {name}={own}",
    '{name}="{own}"', "{name} ={own}", "{name}= {own}", "\t{name}={own}", "{name}={own}\t", " ; {name}={own} ;",
    'a="b; {name}={own}"', 'a="; {name}={own}; c="', "a={name}={own}", "x{name}={own}", "{upper_name}={own}",
    "{name}={own},a=b", "{name}={own}\xa0", "{name}={own}=", "{name}={own}; remember_token=x|y", "a=\xff; {name}={own}",
    "{name}={own}; chatbot_language=vi",
)
TAGS = ('"{etag}"', 'W/"{etag}"', '"x", W/"{etag}"', '"x"', "*", "{etag}", "", '"', 'W/"x", *', '"{etag}", "{etag}"')
HEADERS: dict[str, tuple[str, ...]] = {
    "Range": (
        "bytes=0-0", "bytes=5-9", "bytes=5-", "bytes=-5", "bytes=0-", "bytes=-0", "bytes=-99999999",
        "bytes=99999999-", "bytes=9-5", "bytes=a-b", "bytes=0-1,4-5", "bytes=0-1, 99999999-", "items=0-1", "bytes", "",
        "BYTES=0-1", "bytes = 0-1", "bytes=0-99999999", "bytes=00-01", "bytes=" + "0-1," * 200 + "0-1",
    ),
    "If-None-Match": TAGS,
    "If-Match": TAGS,
    "If-Range": ('"{etag}"', 'W/"{etag}"', '"x"', LATER, EARLIER, NO_DATE, ""),
    "If-Modified-Since": (LATER, EARLIER, NO_DATE, ""),
    "If-Unmodified-Since": (LATER, EARLIER, NO_DATE),
    "Authorization": ("Bearer {token}", "Bearer x", "Basic YTpi", "bearer  {token}", ""),
    "Accept": ("text/html", "application/json", "image/webp", "text/html;q=0"),
    "Accept-Encoding": ("gzip, br", "identity;q=0", "*;q=0"),
    "Accept-Language": ("vi", "en"),
    "User-Agent": ("another browser", ""),
    "X-Forwarded-For": ("203.0.113.9", "10.0.0.1, 127.0.0.1", "nonsense"),
    "X-Forwarded-Proto": ("https", "http", "javascript"),
    "X-Forwarded-Host": ("chat.example", "a b"),
    "X-Forwarded-Prefix": ("/elsewhere",),
    "Origin": ("https://evil.example",),
    "X-HTTP-Method-Override": ("DELETE",),
    "Content-Type": ("application/json", "multipart/form-data"),
}
# fmt: on


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a question; each part is more often the plain one, so that most of them come far."""
    often = st.integers(0, 2)
    names = draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=3))
    return {
        "method": draw(st.sampled_from(("GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "get", "TRACE"))),
        "path": draw(st.sampled_from(PATHS[:2] if draw(often) else PATHS)),
        "query": draw(st.sampled_from(QUERIES[:4] if draw(often) else QUERIES)),
        "cookie": draw(st.sampled_from(COOKIES[:4] if draw(often) else COOKIES)),
        # A header that is sent twice reaches an application as one, with a comma.
        "headers": [(name, draw(st.sampled_from(HEADERS[name]))) for name in names],
        "protocol": draw(st.sampled_from(("HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2"))),
        "secure": draw(st.sampled_from((False, False, True))),
        "from_proxy": draw(st.booleans()),
        "script": draw(st.sampled_from(("", "", "", "/mounted"))),
    }


def built(scene: Scene, asked: dict[str, Any]) -> EnvironBuilder:
    """Return a drawn question as the server hands it on."""
    own, image_id = scene.keys["own"], scene.shown["id"]
    tampered = own[:-1] + ("a" if own[-1] != "a" else "b")
    names = {"name": NAME, "upper_name": NAME.upper(), "own": own, "other": scene.keys["other"], "unknown": "x" * 43}
    places = {"id": image_id, "upper": image_id.upper(), "short": image_id[:-1], "absent": "0" * 32}
    environ: dict[str, Any] = {
        "PATH_INFO": _raw(asked["path"].format(**places, folder=scene.file.parent.name, name=scene.file.name)),
        "QUERY_STRING": asked["query"],
        "SERVER_PROTOCOL": asked["protocol"],
        "REMOTE_ADDR": PROXY if asked["from_proxy"] else PEER,
        "SCRIPT_NAME": asked["script"],
        "wsgi.url_scheme": "https" if asked["secure"] else "http",
    }
    if asked["cookie"]:
        environ["HTTP_COOKIE"] = asked["cookie"].format(**names, tampered=tampered)
    for name, value in asked["headers"]:
        key = name.upper().replace("-", "_") if name == "Content-Type" else f"HTTP_{name.upper().replace('-', '_')}"
        said = value.format(etag=scene.shown["sha256"], token=scene.token)
        environ[key] = f"{environ[key]}, {said}" if key in environ else said
    return EnvironBuilder(method=asked["method"], environ_overrides=environ)


def _differing(short: Answer, long: Answer) -> list[Any]:
    """Return what only one of two answers has."""
    bodies = [] if short[2] == long[2] else [short[2][:200], long[2][:200]]
    return [*({short[0]} ^ {long[0]}), *(set(short[1]) ^ set(long[1])), *bodies]


def _raw(path: str) -> str:
    """Return a path as WSGI has it: each byte as one letter."""
    return path.encode().decode("latin-1")


@pytest.fixture
def scene(make_app: Callable[..., Flask], host_settings: dict[str, Any], tmp_path: Path) -> Scene:
    """A picture that is here and on a host, in thumbnails too, and whose worker does not interfere."""
    app = make_app(**host_settings, rate_limits=("download=off",), trusted_proxies=(PROXY,))
    ann, bob = Api(app).register("ann"), Api(app).register("bob")
    token = ann.post("/api/tokens", json={}).json["token"]
    shown = ann.generate(width=600, height=64)["images"][0]
    app.extensions["chatbot"].worker.close()
    (file,) = (tmp_path / "Storage" / "Image_Gen").glob(f"{shown['id']}.*")
    return Scene(app, ann, bob, token, shown, file)


def _nothing(_: Scene) -> None:
    """Leave it as it is."""


def _log_out(scene: Scene) -> None:
    scene.owner.post("/api/auth/logout")


def _expire(scene: Scene) -> None:
    scene.database["sessions"].update_many({}, {"$set": {"expires_at": now() - timedelta(seconds=1)}})


def _change_the_password(scene: Scene) -> None:
    body = {"current": PASSWORD, "new": "another long enough"}
    answer = scene.owner.post("/api/auth/password", json=body)
    assert answer.status_code == 200, answer.text


def _change_the_password_elsewhere(scene: Scene) -> None:
    kept = list(scene.database["sessions"].find())
    scene.database["users"].update_many({}, {"$inc": {"password_changes": 1}})

    def open_again() -> None:
        for session in kept:
            scene.database["sessions"].replace_one({"_id": session["_id"]}, session, upsert=True)

    scene.renew = open_again


def _make_private(scene: Scene) -> None:
    scene.owner.patch("/api/auth/me", json={"private": True})


def _trash(scene: Scene) -> None:
    scene.owner.delete(f"/api/images/{scene.shown['id']}")


def _delete_the_account(scene: Scene) -> None:
    scene.database["users"].delete_one({"username": "ann"})


def _lose_the_file(scene: Scene) -> None:
    scene.renew = partial(scene.file.unlink, missing_ok=True)


def _evict(scene: Scene) -> None:
    changes = {"$set": {"images.$.local": "evicted"}}
    scene.database["messages"].update_one({"images.id": scene.shown["id"]}, changes)
    _lose_the_file(scene)


def _damage(scene: Scene) -> None:
    damaged = scene.file.read_bytes()[:-1] + b"?"

    def damage() -> None:
        scene.file.write_bytes(damaged)

    scene.renew = damage


def _lose_the_file_and_its_copies(scene: Scene) -> None:
    scene.file.unlink()
    scene.database["messages"].update_one({"images.id": scene.shown["id"]}, {"$set": {"images.$.copies": []}})


def _lose_the_thumbnails(scene: Scene) -> None:
    folder = scene.file.parents[1] / "thumbnails"

    def lose() -> None:
        for each in folder.glob("*.webp"):
            each.unlink()

    scene.renew = lose


def _hand_in_a_file(scene: Scene) -> None:
    data = b64encode(pdf()).decode()
    scene.shown = scene.owner.post("/api/uploads", json={"data": data}).json
    (scene.file,) = (scene.file.parents[1] / "uploads").glob(f"{scene.shown['id']}.*")


def _neighbour_of_the_original_design(scene: Scene) -> None:
    """Put a picture that is not turned yet beside it, as a backup that was read back has them."""
    old = {"url": "/static/Storage/Image_Gen/old.png", "cloud_url": None, "service": "local"}
    scene.database["messages"].update_one({"images.id": scene.shown["id"]}, {"$push": {"images": old}})


def _odd_session(scene: Scene) -> None:
    odd = {"data._user_id": Binary(b"x")}
    scene.database["sessions"].update_many({"user_id": {"$ne": None}}, {"$set": odd})


STATES = (
    _nothing,
    _log_out,
    _expire,
    _change_the_password,
    _change_the_password_elsewhere,
    _make_private,
    _trash,
    _delete_the_account,
    _lose_the_file,
    _evict,
    _damage,
    _lose_the_file_and_its_copies,
    _lose_the_thumbnails,
    _hand_in_a_file,
    _neighbour_of_the_original_design,
    _odd_session,
)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.usefixtures("hosts")
def test_both_ways_answer_alike_whatever_is_asked(scene: Scene, state: Callable[[Scene], None]) -> None:
    state(scene)

    @settings(
        max_examples=QUESTIONS,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(asked=questions())
    def ask(asked: dict[str, Any]) -> None:
        short, long = scene.answers(built(scene, asked))

        assert _differing(short, long) == [], asked

    ask()


def test_the_hosts_are_asked(scene: Scene, hosts: HostServer) -> None:
    assert hosts.imgbb.stored or hosts.postimages.stored
    assert scene.shown["cloud_url"]
