"""Handing in pictures over HTTP: what is taken, and what is refused without a trace."""

from __future__ import annotations

import base64
import gc
import json
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from pymongo.database import Database

from tests.fixtures.application import Answer, Api
from tests.media.malformed import malformed
from tests.media.samples import noise, opened, photograph, saved
from tests.standins.hosts import HostServer


def files(tmp_path: Path) -> list[str]:
    """Return every picture file under Storage, also hidden and unfinished ones."""
    folders = ("Image_Gen", "uploads", "thumbnails")
    return sorted(path.name for folder in folders for path in (tmp_path / "Storage" / folder).iterdir())


def hand_in(api: Api, data: bytes, name: str = "photo.png", **options: Any) -> Answer:
    """Send a picture as a form does."""
    form = {"file": (BytesIO(data), name)}
    return api.post("/api/uploads", data=form, content_type="multipart/form-data", **options)


def bomb() -> bytes:
    """Return a PNG of a few kB that claims, and unpacks to, 20,000 x 20,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(2501 * 2000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.fixture
def small_app(make_app: Callable[..., Flask]) -> Flask:
    """An application that takes 1 MB."""
    return make_app(max_upload_mb=1)


@pytest.fixture
def small(small_app: Flask) -> Api:
    return Api(small_app).register("ann")


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_form_hands_in_a_picture(ann: Api, image_format: str) -> None:
    data = saved(photograph((120, 80)), image_format)

    answer = hand_in(ann, data, f"holiday.{image_format.lower()}")

    assert answer.status_code == 201, answer.text
    image = answer.json
    assert (image["width"], image["height"], image["generated"]) == (120, 80, False)
    assert image["mime_type"] == f"image/{image_format.lower()}"
    assert (image["cloud_url"], image["service"]) == (None, "local")
    served = ann.get(image["src"]).data
    assert Image.open(BytesIO(served)).size == (120, 80)
    assert len(served) == image["size"]


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,", "data:;base64,"])
def test_json_hands_in_a_picture(ann: Api, photo: bytes, prefix: str) -> None:
    answer = ann.post("/api/uploads", json={"data": prefix + base64.b64encode(photo).decode()})

    assert answer.status_code == 201
    assert (answer.json["width"], answer.json["height"]) == (320, 240)


def test_the_extension_says_nothing_the_bytes_decide(ann: Api, photo: bytes) -> None:
    answer = hand_in(ann, photo, "evil.html")

    assert answer.json["mime_type"] == "image/png"
    assert ann.get(answer.json["src"]).mimetype == "image/png"


REFUSED: dict[str, tuple[bytes, str]] = {
    "a text called .png": (b"this is no picture at all, whatever it is called", "format"),
    "a page": (b"<!doctype html><script>alert(1)</script>", "format"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "format"),
    "nothing": (b"", "empty"),
    "half a JPEG": (saved(photograph((200, 200)), "JPEG")[:4000], "truncated"),
    "half a PNG": (saved(noise((200, 200)), "PNG")[:4000], "truncated"),
    "a bomb": (bomb(), "pixels"),
    "a TIFF": (saved(photograph((20, 20)), "TIFF"), "format"),
}


@pytest.mark.parametrize("way", ["form", "json"])
def test_what_is_no_picture_is_refused_and_nothing_is_written(
    ann: Api, database: Database[dict[str, Any]], tmp_path: Path, way: str
) -> None:
    for name, (data, reason) in REFUSED.items():
        if way == "form":
            answer = hand_in(ann, data, "photo.png")
        else:
            answer = ann.post("/api/uploads", json={"data": base64.b64encode(data).decode()})

        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), name
        assert answer.json["reason"] == reason, name
        assert answer.json["detail"]
    assert files(tmp_path) == []
    assert database["messages"].count_documents({}) == 0


def test_malformed_pictures_are_refused_with_a_reason_or_stored_decodable(ann: Api, tmp_path: Path) -> None:
    answers = [hand_in(ann, data) for data in malformed(150, seed=2)]

    stored = [answer.json for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code != 201]
    assert stored
    assert {(answer.status_code, answer.mimetype) for answer in refused} == {(422, "application/problem+json")}
    assert all(answer.json["reason"] and answer.json["detail"] for answer in refused)
    for image in stored:
        assert opened(ann.get(image["src"]).data).size == (image["width"], image["height"])
    assert len([name for name in files(tmp_path) if "_" not in name]) == len(stored)


def chunked(api: Api, body: bytes, content_type: str) -> Answer:
    """Send a body without saying how long it is."""
    overrides = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return api.post(
        "/api/uploads",
        input_stream=BytesIO(body),
        content_type=content_type,
        environ_overrides={**overrides, "CONTENT_LENGTH": ""},
    )


def form_body(data: bytes) -> bytes:
    """Return a multipart form with a picture in it."""
    head = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    return head + data + b"\r\n--cut--\r\n"


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Werkzeug leaves a form's file open when it is too large
@pytest.mark.parametrize("size", [1_000_001, 1_500_000, 4_000_000])
def test_more_than_the_limit_is_413_and_nothing_is_written(
    small: Api, database: Database[dict[str, Any]], tmp_path: Path, photo: bytes, size: int
) -> None:
    data = photo + bytes(size - len(photo))
    encoded = json.dumps({"data": base64.b64encode(data).decode()}).encode()

    answers = [
        hand_in(small, data),
        small.post("/api/uploads", data=encoded, content_type="application/json"),
        chunked(small, form_body(data), "multipart/form-data; boundary=cut"),
        chunked(small, encoded, "application/json"),
    ]

    for answer in answers:
        assert (answer.status_code, answer.mimetype) == (413, "application/problem+json"), answer.text
        assert "MAX_UPLOAD_MB" in answer.json["detail"]
    assert files(tmp_path) == []
    assert database["messages"].count_documents({}) == 0
    del answers, answer
    gc.collect()  # while the warning is expected


def test_a_chunked_form_within_the_limit_is_taken(small: Api, photo: bytes) -> None:
    assert chunked(small, form_body(photo), "multipart/form-data; boundary=cut").status_code == 201


def test_an_upload_without_a_picture_says_how_to_send_one(ann: Api, tmp_path: Path) -> None:
    form = "multipart/form-data"
    wrong: list[dict[str, Any]] = [
        {"data": {"picture": (BytesIO(b"x"), "a.png")}, "content_type": form},
        {"data": {"file": "only text"}, "content_type": form},
        {"data": b"--cut\r\nbroken", "content_type": "multipart/form-data; boundary=cut"},
        {"data": b"--cut\r\nbroken", "content_type": form},
        {"json": {"picture": "x"}},
        {"json": {"picture": "x", "url": "https://example.org/a.png"}},
        {"json": {"data": "not base64!"}},
        {"json": {"data": "\u00e9\u00e9"}},
        {"json": {"data": 7}},
        {},
    ]

    for options in wrong:
        answer = ann.post("/api/uploads", **options)

        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert files(tmp_path) == []


@pytest.mark.parametrize("content_type", ["image/png", "application/x-www-form-urlencoded", "text/plain"])
def test_an_upload_of_another_media_type_is_told_which_ones_are_taken(ann: Api, content_type: str) -> None:
    answer = ann.post("/api/uploads", data=b"\x89PNG", content_type=content_type)

    assert (answer.status_code, answer.mimetype) == (415, "application/problem+json")
    assert "multipart/form-data" in answer.json["detail"]


NAMES = (
    "../../../etc/passwd",
    "..\\..\\boot.ini",
    "/etc/passwd",
    "a\x00.png",
    "<img src=x onerror=alert(1)>.png",
    "C:\\con.png",
    "\u202egnp.exe",
    "x" * 5000,
    'quote".png',
    "line\r\nSet-Cookie: a=b.png",
    ".htaccess",
    "🦊.png",
)


def test_a_hostile_file_name_is_only_text_to_show(ann: Api, tmp_path: Path, photo: bytes) -> None:
    for name in NAMES:
        answer = hand_in(ann, photo, name)

        if "\r\n" in name:  # ends the part's header, so that there is no file in the form
            assert answer.status_code == 422
            continue
        assert answer.status_code == 201, (name, answer.text)
        download = ann.get(f"{answer.json['src']}?download=1")
        assert download.status_code == 200
        assert "Set-Cookie" not in download.headers
    for path in files(tmp_path):
        assert path.removesuffix(".png").removesuffix("_256.webp").isalnum()
    assert "<img src=x" not in ann.get("/gallery", headers={"Accept": "text/html"}).text


def test_an_allowed_address_is_fetched(
    make_app: Callable[..., Flask], host_settings: dict[str, Any], photo: bytes
) -> None:
    ann = Api(make_app(**host_settings)).register()
    first = hand_in(ann, photo).json

    answer = ann.post("/api/uploads", json={"url": first["cloud_url"]})

    assert answer.status_code == 201
    assert answer.json["sha256"] == first["sha256"]
    assert answer.json["id"] != first["id"]


def test_an_allowed_address_without_a_picture_is_refused(
    make_app: Callable[..., Flask], host_settings: dict[str, Any], hosts: HostServer, tmp_path: Path
) -> None:
    ann = Api(make_app(**host_settings)).register()

    answer = ann.post("/api/uploads", json={"url": f"{hosts.base_url}/nothing-here.png"})

    assert answer.status_code == 422
    assert "404" in answer.json["detail"]
    assert files(tmp_path) == []
