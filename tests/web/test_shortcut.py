"""The short way to a picture answers exactly as Flask does, and stops at once when Flask would."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request, request_started
from pymongo.database import Database

from ChatBot.app import create_app
from ChatBot.container import Services
from ChatBot.errors import DatabaseUnavailable
from ChatBot.models import now
from ChatBot.web.edge.sessions import FAILURE
from tests.fixtures.application import Answer, Api
from tests.media.samples import pdf

ABSENT = "0" * 32


@pytest.fixture
def image(ann: Api) -> dict[str, Any]:
    """A picture of ``ann``, wider than the smallest rendition."""
    return dict(ann.generate(width=320, height=256)["images"][0])


@pytest.fixture
def file(image: dict[str, Any], tmp_path: Path) -> Path:
    """The file of that picture."""
    return next((tmp_path / "Storage" / "Image_Gen").glob(f"{image['id']}.*"))


@pytest.fixture
def people(app: Flask, ann: Api, bob: Api, program: Api, visitor: Api) -> dict[str, Api]:
    """Everybody who may ask: the owner is also the administrator."""
    torn = Api(app)
    torn.http.set_cookie("chatbot_session", "x" * 43)
    return {"owner": ann, "other": bob, "program": program, "visitor": visitor, "stale cookie": torn}


@contextmanager
def flask_requests(app: Flask) -> Iterator[list[str | None]]:
    """The endpoints of the requests that come through to Flask inside the block."""
    seen: list[str | None] = []

    def note(*_: object, **__: object) -> None:
        seen.append(request.endpoint)

    with request_started.connected_to(note, app):
        yield seen


def told(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """Return an answer without the id and the time that every request has of its own."""
    headers = {name: value for name, value in answer.headers if name not in ("X-Request-ID", "Date")}
    assert len(headers) + 2 >= len(answer.headers)  # no name occurs twice
    return answer.status_code, headers, answer.data.replace(answer.headers["X-Request-ID"].encode(), b"")


def on_the_long_way(path: str) -> str:
    """Return an address that means the same and that only Flask understands."""
    return f"{path}{'&' if '?' in path else '?'}download=0"


def conditions(image: dict[str, Any]) -> list[dict[str, str]]:
    """Return headers that change an answer. Error pages are left out: their CSRF token carries the second."""
    tag = f'"{image["sha256"]}"'
    later, earlier = "Wed, 01 Jan 2200 00:00:00 GMT", "Wed, 01 Jan 2020 00:00:00 GMT"
    return [
        {},
        {"If-None-Match": tag},
        {"If-None-Match": f'W/{tag}, "another"'},
        {"If-None-Match": '"another"'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": later},
        {"If-Modified-Since": earlier},
        {"If-Modified-Since": later, "If-None-Match": '"another"'},
        {"If-Match": '"another"'},
        {"If-Unmodified-Since": earlier},
        {"Range": "bytes=5-9"},
        {"Range": "bytes=5-9,20-"},
        {"Range": "bytes=99999999-"},
        {"Range": "bytes=5-9", "If-Range": tag},
        {"Range": "bytes=5-9", "If-Range": '"another"'},
        {"If-Range": tag},
    ]


def addresses(image: dict[str, Any], file: Path) -> list[str]:
    """Return every kind of address of a picture, and such as are none."""
    return [
        image["src"],
        f"{image['src']}?w=256",
        f"{image['src']}?w=512",
        f"{image['src']}?w=300",
        f"/static/Storage/Image_Gen/{file.name}",
        f"/static/Storage/uploads/{file.name}",
        f"/static/Storage/Image_Gen/{image['id']}.gif",
        f"/i/{ABSENT}",
    ]


def compare(people: dict[str, Api], paths: list[str], headers: list[dict[str, str]]) -> set[int]:
    """Ask for everything on both ways, see that the answers are the same, and return their statuses."""
    seen = set()
    for (who, api), path, sent, method in product(people.items(), paths, headers, ("GET", "HEAD")):
        short = told(api._send(method, path, {"headers": sent}))
        long = told(api._send(method, on_the_long_way(path), {"headers": sent}))

        assert short == long, (who, method, path, sent)
        seen.add(short[0])
    return seen


def test_both_ways_answer_alike_to_everybody_and_under_every_condition(
    people: dict[str, Api], image: dict[str, Any], file: Path
) -> None:
    seen = compare(people, addresses(image, file), conditions(image))

    assert seen == {200, 206, 304, 401, 404, 412, 416}


def test_a_file_is_an_attachment_on_both_ways(app: Flask, people: dict[str, Api]) -> None:
    kept = people["owner"].post("/api/uploads", json={"data": b64encode(pdf()).decode()}).json
    paths = [kept["src"], f"/static/Storage/uploads/{kept['id']}.pdf", f"{kept['src']}?w=256"]
    conditions = [{}, {"If-None-Match": f'"{kept["sha256"]}"'}, {"Range": "bytes=0-3"}]

    assert compare(people, paths, conditions) == {200, 206, 304, 401, 404}
    with flask_requests(app) as seen:
        answer = people["owner"].get(kept["src"])
    assert seen == []
    assert answer.headers["Content-Disposition"].startswith("attachment")


def _remove(file: Path) -> None:
    file.unlink()


def _flip(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _link(file: Path) -> None:
    other = file.rename(file.with_name("other"))
    file.symlink_to(other)


@pytest.mark.parametrize("damage", [_remove, _flip, _cut, _link])
@pytest.mark.parametrize("thumbnails", ["kept", "lost"])
def test_both_ways_answer_alike_about_a_picture_whose_file_is_gone_or_wrong(
    people: dict[str, Api],
    image: dict[str, Any],
    file: Path,
    tmp_path: Path,
    damage: Callable[[Path], None],
    thumbnails: str,
) -> None:
    people["owner"].get(image["src"])
    damage(file)
    if thumbnails == "lost":
        for each in (tmp_path / "Storage" / "thumbnails").glob("*.webp"):
            each.unlink()

    seen = compare(people, addresses(image, file), [{}, {"If-None-Match": "*"}])

    assert seen == ({200, 304, 401, 404} if thumbnails == "kept" else {401, 404})


def test_a_lost_thumbnail_is_made_on_the_long_way_and_sent_on_the_short_one(
    app: Flask, ann: Api, image: dict[str, Any], tmp_path: Path
) -> None:
    before = ann.get(f"{image['src']}?w=256").data
    next((tmp_path / "Storage" / "thumbnails").glob(f"{image['id']}*256*")).unlink()

    with flask_requests(app) as seen:
        answers = [ann.get(f"{image['src']}?w=256") for _ in range(2)]

    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].data == answers[1].data
    assert seen == ["files.permanent"]
    assert before


def test_the_owners_looks_do_not_reach_flask_and_everything_else_does(
    app: Flask, people: dict[str, Api], image: dict[str, Any], file: Path
) -> None:
    tag = {"If-None-Match": f'"{image["sha256"]}"'}
    ann = people["owner"]

    with flask_requests(app) as seen:
        for path in (image["src"], f"{image['src']}?w=256", f"/static/Storage/Image_Gen/{file.name}"):
            for method, sent in product(("GET", "HEAD"), ({}, tag)):
                assert ann._send(method, path, {"headers": dict(sent)}).status_code in (200, 304)
        assert seen == []

        others = [api for who, api in people.items() if who != "owner"]
        answers = [api.get(image["src"]).status_code for api in others]
        ann.get(f"{image['src']}?download=1")
        ann.post(image["src"])

    assert answers == [404, 200, 401, 401]
    assert len(seen) == len(others) + 2


def test_a_request_on_the_short_way_is_counted_and_named_like_any_other(ann: Api, image: dict[str, Any]) -> None:
    def counted() -> float:
        line = 'flask_http_request_duration_seconds_count{endpoint="files.permanent",method="GET",status="200"} '
        text = ann.get("/metrics").text
        return float(next((each for each in text.splitlines() if each.startswith(line)), " 0").rpartition(" ")[2])

    before = counted()

    ids = {ann.get(path).headers["X-Request-ID"] for path in (image["src"], on_the_long_way(image["src"]))}

    assert counted() == before + 2
    assert len(ids) == 2
    assert all(len(each) == 32 for each in ids)


def _log_out(ann: Api, _image: dict[str, Any], _database: Database[dict[str, Any]]) -> None:
    ann.post("/api/auth/logout")


def _trash(ann: Api, image: dict[str, Any], _database: Database[dict[str, Any]]) -> None:
    ann.delete(f"/api/images/{image['id']}")


def _end_the_session_elsewhere(_ann: Api, _image: dict[str, Any], database: Database[dict[str, Any]]) -> None:
    database["sessions"].delete_many({})


def _let_the_session_expire(_ann: Api, _image: dict[str, Any], database: Database[dict[str, Any]]) -> None:
    database["sessions"].update_many({}, {"$set": {"expires_at": now() - timedelta(seconds=1)}})


def _delete_the_account_elsewhere(_ann: Api, _image: dict[str, Any], database: Database[dict[str, Any]]) -> None:
    database["users"].delete_many({})


def _trash_elsewhere(_ann: Api, image: dict[str, Any], database: Database[dict[str, Any]]) -> None:
    changes = {"$set": {"images.$.trashed_at": now()}}
    database["messages"].update_one({"images.id": image["id"]}, changes)


def _purge_elsewhere(_ann: Api, image: dict[str, Any], database: Database[dict[str, Any]]) -> None:
    database["messages"].update_one({"images.id": image["id"]}, {"$pull": {"images": {"id": image["id"]}}})


def _give_to_another(_ann: Api, image: dict[str, Any], database: Database[dict[str, Any]]) -> None:
    database["messages"].update_one({"images.id": image["id"]}, {"$set": {"images.$.owner_id": ABSENT}})


ENDINGS = {
    _log_out: 401,
    _trash: 404,
    _end_the_session_elsewhere: 401,
    _let_the_session_expire: 401,
    _delete_the_account_elsewhere: 401,
    _trash_elsewhere: 404,
    _purge_elsewhere: 404,
    _give_to_another: 404,
}


@pytest.mark.parametrize("end", ENDINGS)
def test_the_next_question_after_the_end_of_a_right_is_refused(
    ann: Api,
    image: dict[str, Any],
    file: Path,
    database: Database[dict[str, Any]],
    end: Callable[[Api, dict[str, Any], Database[dict[str, Any]]], None],
) -> None:
    paths = [image["src"], f"{image['src']}?w=256", f"/static/Storage/Image_Gen/{file.name}"]
    cookie = ann.http.get_cookie("chatbot_session")
    assert cookie
    assert {ann.get(path).status_code for path in paths} == {200}

    end(ann, image, database)
    ann.http.set_cookie("chatbot_session", cookie.value)  # a browser that did not hear of it

    for path, sent in product(paths, ({}, {"If-None-Match": "*"}, {"If-None-Match": f'"{image["sha256"]}"'})):
        assert ann.get(path, headers=sent).status_code == ENDINGS[end], (path, sent)


def test_a_session_that_is_due_is_renewed_by_a_look_at_a_picture(
    ann: Api, image: dict[str, Any], database: Database[dict[str, Any]]
) -> None:
    database["sessions"].update_one({}, {"$set": {"data._renewed_at": now() - timedelta(days=2)}})

    first, second = ann.get(image["src"]), ann.get(image["src"])

    assert "chatbot_session" in first.headers["Set-Cookie"]
    assert "Set-Cookie" not in second.headers


ODD_COOKIES = {
    "chatbot_session={0}; chatbot_session=x": 200,
    "chatbot_session=x; chatbot_session={0}": 401,
    'chatbot_session="{0}"': 200,
    'a="; chatbot_session={0}; b="': 401,
    "a=b;c; {0}": 401,
}
"""The first of two counts, and what stands within quotes is no cookie."""


@pytest.mark.parametrize("cookies", ODD_COOKIES)
def test_cookies_that_are_odd_mean_the_same_on_both_ways(
    app: Flask, ann: Api, image: dict[str, Any], cookies: str
) -> None:
    cookie = ann.http.get_cookie("chatbot_session")
    assert cookie
    browser = Api(app)
    browser.http = app.test_client(use_cookies=False)  # a client with a jar of its own drops this header
    sent = {"Cookie": cookies.format(cookie.value)}

    short, long = (browser.get(path, headers=sent) for path in (image["src"], on_the_long_way(image["src"])))

    assert told(short) == told(long)
    assert short.status_code == ODD_COOKIES[cookies]


def test_a_record_that_cannot_be_read_is_an_error_of_its_own_on_both_ways(
    ann: Api, image: dict[str, Any], database: Database[dict[str, Any]]
) -> None:
    other = ann.generate()["images"][0]
    database["messages"].update_one({"images.id": image["id"]}, {"$set": {"images.$.sha256": "no hash"}})

    answers = [ann.get(path) for path in (image["src"], on_the_long_way(image["src"]), other["src"])]

    assert [each.status_code for each in answers] == [500, 500, 200]
    assert answers[0].mimetype == "application/problem+json"


def test_a_database_that_is_gone_is_said_as_everywhere(services: Services) -> None:
    ann = Api(create_app(services=services)).register()
    image = ann.generate()["images"][0]
    services.database.client.close()

    answer = ann.get(image["src"])

    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")


def test_flask_does_not_wait_once_more_for_a_database_that_did_not_answer(ann: Api) -> None:
    failure = DatabaseUnavailable("MongoDB does not answer.")

    answer = ann.get("/api/images", environ_overrides={FAILURE: failure})

    assert answer.status_code == 503
    assert ann.get("/api/images").status_code == 200


def test_a_budget_is_shared_by_both_ways_and_its_end_is_told_alike(make_app: Callable[..., Flask]) -> None:
    ann = Api(make_app(rate_limits=("download=4/hour",))).register()
    image = ann.generate()["images"][0]

    looks = [ann.get(path).status_code for path in (image["src"], on_the_long_way(image["src"])) * 2]
    short, long = ann.get(image["src"]), ann.get(on_the_long_way(image["src"]))

    assert looks == [200] * 4
    assert (short.status_code, short.mimetype) == (429, "application/problem+json")
    assert {**short.json, "request_id": ""} == {**long.json, "request_id": ""}
    assert short.headers["Retry-After"]
    assert 'chatbot_refused_total{budget="download"} 2.0' in ann.get("/metrics").text
