"""Pictures over HTTP: what is taken, what is refused without a trace, and how lists and changes behave."""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from pymongo.database import Database
from werkzeug.test import TestResponse

from tests.fixtures.application import Api
from tests.media.samples import noise, photograph, saved
from tests.standins.hosts import HostServer


def files(tmp_path: Path) -> list[str]:
    """Return every picture file under Storage, also hidden and unfinished ones."""
    folders = ("Image_Gen", "uploads", "thumbnails")
    return sorted(path.name for folder in folders for path in (tmp_path / "Storage" / folder).iterdir())


def hand_in(api: Api, data: bytes, name: str = "photo.png", **options: Any) -> TestResponse:
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


def chunked(api: Api, body: bytes, content_type: str) -> TestResponse:
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


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Werkzeug drops its open form file
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


def test_a_chunked_form_within_the_limit_is_taken(small: Api, photo: bytes) -> None:
    assert chunked(small, form_body(photo), "multipart/form-data; boundary=cut").status_code == 201


def test_an_upload_without_a_picture_says_how_to_send_one(ann: Api, tmp_path: Path) -> None:
    form = "multipart/form-data"
    wrong: list[dict[str, Any]] = [
        {"data": {"picture": (BytesIO(b"x"), "a.png")}, "content_type": form},
        {"data": {"file": "only text"}, "content_type": form},
        {"data": b"--cut\r\nbroken", "content_type": "multipart/form-data; boundary=cut"},
        {"data": b"--cut\r\nbroken", "content_type": form},
        {"data": b"\x89PNG", "content_type": "image/png"},
        {"json": {"picture": "x"}},
        {"json": {"data": "not base64!"}},
        {"json": {"data": "\u00e9\u00e9"}},
        {"json": {"data": 7}},
        {},
    ]

    for options in wrong:
        answer = ann.post("/api/uploads", **options)

        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert files(tmp_path) == []


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

        assert answer.status_code == 201, (name, answer.text)
        download = ann.get(f"{answer.json['src']}?download=1")
        assert download.status_code == 200
        assert "Set-Cookie" not in download.headers
    for path in files(tmp_path):
        assert path.removesuffix(".png").removesuffix("_256.webp").isalnum()
    assert "<img src=x" not in ann.get("/gallery", headers={"Accept": "text/html"}).text


@pytest.fixture
def canary() -> Any:
    """A listening socket on loopback that must see nobody."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


PRIVATE = (
    "http://127.0.0.1:{port}/a.png",
    "https://127.0.0.1:{port}/a.png",
    "http://localhost:{port}/a.png",
    "http://0.0.0.0:{port}/a.png",
    "http://[::ffff:127.0.0.1]:{port}/a.png",
    "http://2130706433:{port}/a.png",
    "http://0x7f.1:{port}/a.png",
    "http://user:pass@127.0.0.1:{port}/a.png",
    "http://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/",
    "//127.0.0.1:{port}/a.png",
    "",
)


def test_a_private_address_is_refused_and_never_contacted(ann: Api, canary: socket.socket, tmp_path: Path) -> None:
    for address in PRIVATE:
        answer = ann.post("/api/uploads", json={"url": address.format(port=canary.getsockname()[1])})

        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), address
        with pytest.raises(BlockingIOError):
            canary.accept()
    assert files(tmp_path) == []


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


def test_an_empty_prompt_is_refused(ann: Api) -> None:
    for prompt in ("", " ", "\n\t ", "\u2003"):
        answer = ann.post("/api/generate-image", json={"prompt": prompt})

        assert answer.status_code == 422
        assert "prompt is empty" in answer.json["detail"]


def test_a_drawn_picture_carries_everything_the_contract_names(ann: Api) -> None:
    image = ann.generate("a red fox", seed=7, negative_prompt="rain")["images"][0]

    named = {
        "id",
        "url",
        "thumbnail_url",
        "src",
        "cloud_url",
        "service",
        "caption",
        "prompt",
        "generator",
        "model",
        "seed",
        "size",
        "mime_type",
        "width",
        "height",
        "sha256",
        "generated",
        "tags",
        "favourite",
        "parent_id",
        "created_at",
        "uploaded_at",
        "durability",
    }
    assert named <= set(image)
    assert (image["prompt"], image["seed"], image["generator"], image["generated"]) == ("a red fox", 7, "demo", True)
    assert image["src"] == f"/i/{image['id']}"
    assert image["durability"] == {"local": "present", "copies": []}


def test_the_same_idempotency_key_draws_once(ann: Api, tmp_path: Path) -> None:
    wanted = {"prompt": "a fox", "width": 256, "height": 256}
    headers = {"Idempotency-Key": "once"}

    answers = [ann.post("/api/generate-image", json=wanted, headers=headers) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len([name for name in files(tmp_path) if name.endswith(".png")]) == 1


def test_the_same_idempotency_key_at_the_same_moment_draws_once(app: Flask, ann: Api, tmp_path: Path) -> None:
    token = ann.post("/api/tokens", json={}).json["token"]
    answers: list[TestResponse] = []

    def draw() -> None:
        program = Api(app)
        program.headers.update({"Authorization": f"Bearer {token}", "Idempotency-Key": "once"})
        wanted = {"prompt": "a fox", "width": 256, "height": 256}
        answers.append(program.post("/api/generate-image", json=wanted))

    threads = [threading.Thread(target=draw) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["images"][0]["id"] for answer in answers}) == 1
    assert len([name for name in files(tmp_path) if name.endswith(".png")]) == 1
    assert len(ann.get("/api/conversations").json["items"]) == 1


def test_another_request_under_a_used_key_is_a_conflict(ann: Api) -> None:
    wanted = {"width": 64, "height": 64}
    ann.post("/api/generate-image", json={"prompt": "a fox", **wanted}, headers={"Idempotency-Key": "once"})

    answer = ann.post("/api/generate-image", json={"prompt": "a hare", **wanted}, headers={"Idempotency-Key": "once"})

    assert answer.status_code == 409


def test_two_accounts_may_use_the_same_key(ann: Api, bob: Api) -> None:
    wanted = {"prompt": "a fox", "width": 64, "height": 64}
    first, second = (
        api.post("/api/generate-image", json=wanted, headers={"Idempotency-Key": "k"}).json for api in (ann, bob)
    )

    assert first["images"][0]["id"] != second["images"][0]["id"]


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_of_a_wrong_length_is_refused(ann: Api, key: str) -> None:
    answer = ann.post("/api/generate-image", json={"prompt": "a fox"}, headers={"Idempotency-Key": key})

    assert answer.status_code == 422


def settled(api: Api, conversation_id: str) -> dict[str, Any]:
    """Return a conversation's answer once it is not running any more."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        message = api.get(f"/api/conversation/{conversation_id}").json["messages"][-1]
        if message["status"] not in ("queued", "streaming"):
            break
        time.sleep(0.05)
    return dict(message)


def test_whoever_asks_for_it_is_answered_before_the_picture_is_ready(ann: Api) -> None:
    answer = ann.post(
        "/api/generate-image",
        json={"prompt": "a fox", "width": 256, "height": 256},
        headers={"Prefer": "respond-async"},
    )

    assert answer.status_code == 202
    assert answer.json["images"] == []
    assert answer.json["events_url"] == f"/api/conversation/{answer.json['conversation_id']}/events"
    message = settled(ann, answer.json["conversation_id"])
    assert (message["id"], message["status"], len(message["images"])) == (answer.json["message_id"], "complete", 1)


def test_a_failed_generator_is_502_and_its_message_stays_with_the_reason(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    app = make_app(image_generator="stable_diffusion", sd_webui_url=f"http://127.0.0.1:{port}")
    ann = Api(app).register()

    answer = ann.post("/api/generate-image", json={"prompt": "a fox"})

    assert (answer.status_code, answer.mimetype) == (502, "application/problem+json")
    conversation_id = ann.get("/api/conversations").json["items"][0]["id"]
    question, message = ann.get(f"/api/conversation/{conversation_id}").json["messages"]
    assert (question["content"], message["status"]) == ("/image a fox", "failed")
    assert message["error"] == answer.json["detail"] != ""
    page = ann.get(f"/c/{conversation_id}", headers={"Accept": "text/html"}).text
    assert 'data-action="retry"' in page
    assert files(tmp_path) == []


def test_a_picture_is_described_field_by_field(ann: Api) -> None:
    path = f"/api/images/{ann.generate()['images'][0]['id']}"

    ann.patch(path, json={"caption": " My fox ", "tags": ["red", " fox", "red", ""]})
    answer = ann.patch(path, json={"favourite": True})

    assert (answer.json["caption"], answer.json["tags"], answer.json["favourite"]) == ("My fox", ["red", "fox"], True)
    assert ann.patch(path, json={"caption": None}).json["caption"] is None
    assert ann.patch(path, json={}).json["tags"] == ["red", "fox"]


@pytest.mark.parametrize(
    "changes",
    [
        {"caption": "x" * 2001},
        {"tags": ["x" * 51]},
        {"tags": [str(n) for n in range(51)]},
        {"tags": "red"},
        {"id": "x"},
    ],
    ids=["long caption", "long tag", "many tags", "one text", "id"],
)
def test_a_description_that_is_too_much_changes_nothing(ann: Api, changes: dict[str, Any]) -> None:
    path = f"/api/images/{ann.generate(width=64, height=64)['images'][0]['id']}"
    before = ann.get(path).json

    answer = ann.patch(path, json=changes)

    assert answer.status_code == 422
    assert ann.get(path).json == before


def test_the_trash_hides_a_picture_everywhere_and_gives_it_back(ann: Api) -> None:
    made = ann.generate()
    image = made["images"][0]
    addresses = (image["src"], f"{image['src']}?w=256", f"/api/images/{image['id']}")

    answer = ann.delete(f"/api/images/{image['id']}")

    assert answer.json == {"id": image["id"], "state": "trashed", "remote": "confirmed"}
    assert [ann.get(path).status_code for path in addresses] == [404, 404, 404]
    assert ann.get("/api/images").json["items"] == []
    assert ann.get(f"/api/conversation/{made['conversation_id']}").json["messages"][-1]["images"] == []
    assert ann.patch(f"/api/images/{image['id']}", json={"favourite": True}).status_code == 404
    assert ann.delete(f"/api/images/{image['id']}").status_code == 404
    assert ann.post(f"/api/images/{image['id']}/restore").status_code == 404
    assert ann.post(f"/api/images/{image['id']}/untrash").json["id"] == image["id"]
    assert [ann.get(path).status_code for path in addresses] == [200, 200, 200]
    assert ann.post(f"/api/images/{image['id']}/untrash").status_code == 404


def test_a_lost_file_is_brought_back_from_its_cloud_copy(
    make_app: Callable[..., Flask], host_settings: dict[str, Any], tmp_path: Path
) -> None:
    ann = Api(make_app(**host_settings)).register()
    image = ann.generate()["images"][0]
    original = ann.get(image["src"]).data
    path = next((tmp_path / "Storage" / "Image_Gen").glob("*.png"))
    path.unlink()

    answer = ann.post(f"/api/images/{image['id']}/restore")

    assert answer.json["source"] == "postimages"
    assert answer.json["durability"]["local"] == "present"
    assert path.read_bytes() == original


def test_a_lost_file_without_a_copy_is_404_and_says_what_was_tried(ann: Api, tmp_path: Path) -> None:
    image = ann.generate()["images"][0]
    next((tmp_path / "Storage" / "Image_Gen").glob("*.png")).unlink()

    answer = ann.post(f"/api/images/{image['id']}/restore")

    assert answer.status_code == 404
    assert "this disk" in answer.json["detail"]
    assert str(tmp_path) not in answer.text


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_paging_walks_every_picture_once_newest_first(ann: Api, photo: bytes, limit: int) -> None:
    made = [hand_in(ann, photo).json["id"] for _ in range(5)]
    made += [image["id"] for image in ann.generate(count=2, width=64, height=64)["images"]]

    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = ann.get(f"/api/images?limit={limit}" + (f"&cursor={cursor}" if cursor else "")).json
        seen += [image["id"] for image in page["items"]]
        cursor = page["next_cursor"]

    assert sorted(seen) == sorted(made)
    assert seen[2:] == made[:5][::-1]


def test_a_cursor_of_somebody_elses_making_is_refused(ann: Api) -> None:
    for cursor in ("x", "%C3%A9", "AAAA", "OTk5OTk5OTk5OTk5OTk5LmFh", "...", "a" * 5000):
        for path in ("/api/images", "/api/conversations", "/api/shares", "/gallery", "/shares"):
            assert ann.get(f"{path}?cursor={cursor}").status_code == 422, (path, cursor)
