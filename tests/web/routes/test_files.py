"""The bytes of pictures: hashes, ranges, caches, download names, and the original design's addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from PIL import Image

from tests.fixtures.application import Api


@pytest.fixture
def image(ann: Api) -> dict[str, Any]:
    """A picture of ``ann``, wide enough for every rendition."""
    return dict(ann.generate(width=1100, height=300)["images"][0])


@pytest.fixture
def file(image: dict[str, Any], tmp_path: Path) -> Path:
    """The file of that picture."""
    return next((tmp_path / "Storage" / "Image_Gen").glob(f"{image['id']}.*"))


@pytest.mark.parametrize("query", ["", "?w=256", "?w=512", "?w=1024", "?download=1"])
def test_the_etag_is_the_hash_of_what_is_sent(ann: Api, image: dict[str, Any], query: str) -> None:
    answer = ann.get(image["src"] + query)

    assert answer.status_code == 200
    assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.data).hexdigest()}"'
    assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_the_file_is_the_recorded_picture_and_a_rendition_is_as_wide_as_asked(ann: Api, image: dict[str, Any]) -> None:
    whole = ann.get(image["src"])
    small = ann.get(f"{image['src']}?w=256")

    assert hashlib.sha256(whole.data).hexdigest() == image["sha256"]
    assert Image.open(BytesIO(small.data)).size[0] == 256
    assert small.mimetype == "image/webp"


def test_a_picture_is_private_and_never_guessed_at(ann: Api, image: dict[str, Any]) -> None:
    answer = ann.get(image["src"])

    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Image-Source"] == "local"
    assert "Set-Cookie" not in answer.headers


def test_a_width_that_is_not_offered_is_absent(ann: Api, image: dict[str, Any]) -> None:
    for width in ("13", "0", "-256", "257", "4096", "99999999999999999999"):
        assert ann.get(f"{image['src']}?w={width}").status_code == 404, width


def test_a_question_that_is_none_is_refused(ann: Api, image: dict[str, Any]) -> None:
    for query in ("w=abc", "w=256.5", "download=perhaps"):
        assert ann.get(f"{image['src']}?{query}").status_code == 422, query


RANGES = {
    "bytes=0-99": slice(0, 100),
    "bytes=100-199": slice(100, 200),
    "bytes=-100": slice(-100, None),
    "bytes=100-": slice(100, None),
    "bytes=0-99999999": slice(0, None),
}


@pytest.mark.parametrize("query", ["", "?w=256"])
def test_one_range_is_sent_alone(ann: Api, image: dict[str, Any], query: str) -> None:
    whole = ann.get(image["src"] + query)

    for wanted, piece in RANGES.items():
        answer = ann.get(image["src"] + query, headers={"Range": wanted})

        start, stop, _ = piece.indices(len(whole.data))
        assert answer.status_code == 206, wanted
        assert answer.data == whole.data[piece], wanted
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(whole.data)}"
        assert int(answer.headers["Content-Length"]) == len(answer.data)
        assert answer.headers["ETag"] == whole.headers["ETag"]


def test_a_range_beyond_the_end_is_416_with_the_length(ann: Api, image: dict[str, Any]) -> None:
    answer = ann.get(image["src"], headers={"Range": f"bytes={image['size']}-"})

    assert (answer.status_code, answer.mimetype) == (416, "application/problem+json")
    assert answer.headers["Content-Range"] == f"bytes */{image['size']}"


def test_a_range_that_is_not_one_piece_gets_the_whole(ann: Api, image: dict[str, Any]) -> None:
    odd = ("bytes=0-1,4-5", "bytes=a-b", "bytes=9-1", "pieces=0-1", "bytes", "", "bytes=-", "bytes=-99999999")
    for wanted in odd:
        answer = ann.get(image["src"], headers={"Range": wanted})

        assert (answer.status_code, len(answer.data)) == (200, image["size"]), wanted


@pytest.mark.parametrize(("validator", "status"), [("right", 206), ('"another"', 200)])
def test_a_download_goes_on_only_with_the_same_bytes(
    ann: Api, image: dict[str, Any], validator: str, status: int
) -> None:
    etag = f'"{image["sha256"]}"' if validator == "right" else validator

    answer = ann.get(image["src"], headers={"Range": "bytes=5-9", "If-Range": etag})

    assert answer.status_code == status
    assert len(answer.data) == (5 if status == 206 else image["size"])


@pytest.mark.parametrize("query", ["", "?w=512"])
def test_a_cached_picture_is_confirmed_without_bytes(ann: Api, image: dict[str, Any], query: str) -> None:
    etag = ann.get(image["src"] + query).headers["ETag"]

    answer = ann.get(image["src"] + query, headers={"If-None-Match": etag})

    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == etag
    assert ann.get(image["src"] + query, headers={"If-None-Match": '"another"'}).status_code == 200


def test_a_cached_picture_is_not_confirmed_once_it_is_deleted(ann: Api, image: dict[str, Any]) -> None:
    ann.delete(f"/api/images/{image['id']}")

    answer = ann.get(image["src"], headers={"If-None-Match": f'"{image["sha256"]}"'})

    assert answer.status_code == 404


@pytest.mark.parametrize("match", ["the hash", "*"])
def test_a_cached_picture_is_confirmed_to_nobody_else(
    ann: Api, bob: Api, visitor: Api, image: dict[str, Any], match: str
) -> None:
    headers = {"If-None-Match": match if match == "*" else f'"{image["sha256"]}"'}
    assert ann.get(image["src"], headers=headers).status_code == 304

    ann.post("/api/auth/logout")

    assert ann.get(image["src"], headers=headers).status_code == 401
    assert visitor.get(image["src"], headers=headers).status_code == 401
    assert bob.get(image["src"], headers=headers).status_code == 404


def test_head_answers_as_get_without_the_bytes(ann: Api, image: dict[str, Any]) -> None:
    get = ann.get(image["src"])

    head = ann._send("HEAD", image["src"], {})

    own = ("Date", "X-Request-ID")
    assert {k: v for k, v in head.headers if k not in own} == {k: v for k, v in get.headers if k not in own}
    assert (head.status_code, head.data) == (200, b"")


CAPTIONS = (
    'say "cheese"',
    "one\ntwo\r\nX-Evil: 1",
    "cáo đỏ trong tuyết 🦊",
    "../../etc/passwd",
    "a;b=c, d",
    "%0d%0a%22",
    "\u2028",
)


def test_a_download_is_named_after_the_picture_for_every_browser(ann: Api, image: dict[str, Any]) -> None:
    for caption in CAPTIONS:
        ann.patch(f"/api/images/{image['id']}", json={"caption": caption})

        answer = ann.get(f"{image['src']}?download=1")

        disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith("attachment; filename=")
        assert disposition.isascii()
        assert "X-Evil" not in answer.headers
        plain, encoded = disposition.split("; filename*=UTF-8''")
        shown = (" ".join(caption.split()) or image["prompt"]).replace("/", "_").lstrip(".")
        assert unquote(encoded) == f"{shown}.{'png' if image['mime_type'] == 'image/png' else 'jpg'}"
        assert not set(plain.removeprefix("attachment; filename=").strip('"')) & set('"\\/\r\n;%')


def test_without_asking_for_a_download_there_is_none(ann: Api, image: dict[str, Any]) -> None:
    assert "Content-Disposition" not in ann.get(image["src"]).headers


def test_the_source_is_named_when_a_cloud_copy_had_to_help(
    make_app: Callable[..., Flask], host_settings: dict[str, Any], tmp_path: Path
) -> None:
    ann = Api(make_app(**host_settings)).register()
    image = ann.generate()["images"][0]
    before = ann.get(image["src"])
    path = next((tmp_path / "Storage" / "Image_Gen").glob("*"))
    path.write_bytes(before.data[:-1] + b"\0")

    healed = ann.get(image["src"])
    after = ann.get(image["src"])

    sources = [answer.headers["X-Image-Source"] for answer in (before, healed, after)]
    assert sources == ["local", "postimages", "local"]
    assert before.data == healed.data == after.data


@pytest.mark.parametrize("damage", ["truncated", "flipped", "symlink", "missing", "folder"])
def test_a_damaged_file_is_never_served(
    ann: Api, image: dict[str, Any], file: Path, tmp_path: Path, damage: str
) -> None:
    data = file.read_bytes()
    file.unlink()
    if damage == "truncated":
        file.write_bytes(data[:-1])
    elif damage == "flipped":
        file.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    elif damage == "symlink":
        other = tmp_path / "other.png"
        other.write_bytes(data)
        file.symlink_to(other)
    elif damage == "folder":
        file.mkdir()

    answer = ann.get(image["src"])

    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert str(tmp_path) not in answer.text


def test_the_original_designs_address_gives_the_same_picture(ann: Api, image: dict[str, Any], file: Path) -> None:
    answer = ann.get(f"/static/Storage/Image_Gen/{file.name}")

    assert answer.status_code == 200
    assert hashlib.sha256(answer.data).hexdigest() == image["sha256"]
    assert answer.headers["Cache-Control"] == "private, no-cache"


OTHER_ADDRESSES = (
    "/static/Storage/uploads/{name}",
    "/static/Storage/thumbnails/{id}_256.webp",
    "/static/Storage/Image_Gen/{id}.gif",
    "/static/Storage/Image_Gen/{id}",
    "/static/Storage/Image_Gen/",
    "/static/Storage/Image_Gen",
    "/static/Storage/",
    "/static/Storage/Image_Gen/../Image_Gen/{name}x",
    "/static/Storage/Image_Gen/..%2f..%2fStorage%2fImage_Gen%2f{name}",
    "/static/Storage/Image_Gen/..%5c{name}",
    "/static/Storage/..%2fStorage/{name}",
    "/static/Storage/Image_Gen/{name}%00",
    "/static/Storage/image_gen/{name}",
    "/static/..%2fChatBot%2fconfig.py",
    "/static/..%2f..%2fetc%2fpasswd",
    "/static/%2e%2e/ChatBot/config.py",
)


def test_no_other_address_gives_it(ann: Api, image: dict[str, Any], file: Path) -> None:
    for path in OTHER_ADDRESSES:
        answer = ann.get(path.format(name=file.name, id=image["id"]))

        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json"), path


def test_a_link_planted_in_storage_gives_nothing(ann: Api, tmp_path: Path) -> None:
    folder = tmp_path / "Storage" / "Image_Gen"
    (folder / f"{'a' * 32}.png").symlink_to("/etc/passwd")
    (folder / "plain.png").write_bytes(b"planted")

    for name in (f"{'a' * 32}.png", "plain.png"):
        assert ann.get(f"/static/Storage/Image_Gen/{name}").status_code == 404
    assert ann.get(f"/i/{'a' * 32}").status_code == 404


def test_somebody_elses_address_answers_exactly_like_none(bob: Api, visitor: Api, file: Path) -> None:
    def told(api: Api, path: str) -> tuple[int, str]:
        answer = api.get(path)
        return answer.status_code, answer.text.replace(answer.headers["X-Request-ID"], "")

    absent = f"/static/Storage/Image_Gen/{'b' * 32}.png"
    for api, status in ((bob, 404), (visitor, 401)):
        assert told(api, f"/static/Storage/Image_Gen/{file.name}") == told(api, absent)
        assert told(api, absent)[0] == status


def test_a_condition_that_fails_sends_nothing_of_the_picture(ann: Api) -> None:
    picture = ann.generate()["images"][0]["src"]

    for path in (picture, f"{picture}?w=256", f"{picture}?download=1"):
        answer = ann.get(path, headers={"If-Match": '"another"'})

        assert (answer.status_code, answer.mimetype) == (412, "application/problem+json"), path
        assert answer.json["detail"]
