"""Drawing pictures over HTTP, describing them, and how lists, the trash and restoring behave."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.fixtures.application import Answer, Api
from tests.web.test_uploads import files, hand_in


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
    answers: list[Answer] = []

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
