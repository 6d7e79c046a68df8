"""Whatever a text says, JSON gives back what it took, or says why it took nothing."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fixtures.application import Answer, Api
from tests.web.hostile.conftest import small
from tests.web.hostile.texts import json_texts, walk
from tests.web.routes.test_pages import form_token

Sent = tuple[Answer, Callable[[], str]]
"""The answer to a text, and how to read what became of it."""


def refused_with_a_reason(answer: Answer) -> bool:
    """Say whether a text was refused as it should be; fail for every answer that is neither that nor a success."""
    if answer.status_code < 300:
        return False
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.json["detail"]
    return True


def title(ann: Api, made: dict[str, Any], text: str) -> Sent:
    path = f"/api/conversation/{made['conversation_id']}"
    return ann.patch(path, json={"title": text}), lambda: ann.get(path).json["title"]


def shared_title(ann: Api, made: dict[str, Any], text: str) -> Sent:
    path = f"/api/conversation/{made['conversation_id']}"
    answer = ann.patch(path, json={"title": text})
    link = ann.post(f"{path}/share", json={}).json["token"]
    return answer, lambda: ann.get(f"/api/share/{link}").json["title"]


def caption(ann: Api, made: dict[str, Any], text: str) -> Sent:
    path = f"/api/images/{made['images'][0]['id']}"
    return ann.patch(path, json={"caption": text}), lambda: ann.get(path).json["caption"] or ""


def tag(ann: Api, made: dict[str, Any], text: str) -> Sent:
    path = f"/api/images/{made['images'][0]['id']}"
    return ann.patch(path, json={"tags": [text]}), lambda: "".join(ann.get(path).json["tags"])


def token_name(ann: Api, _made: dict[str, Any], text: str) -> Sent:
    answer = ann.post("/api/tokens", json={"name": text})
    return answer, lambda: str(_named(ann, "/api/tokens", answer)).removeprefix("" if text.strip() else "token")


def link_name(ann: Api, made: dict[str, Any], text: str) -> Sent:
    body = {"permanent": True, "name": text}
    answer = ann.post(f"/api/images/{made['images'][0]['id']}/links", json=body)
    return answer, lambda: _named(ann, "/api/links", answer)


def _named(ann: Api, path: str, answer: Answer) -> str:
    return next(str(each["name"]) for each in ann.get(path).json["items"] if each["id"] == answer.json["id"])


def on_one_line(text: str) -> str:
    """Return a title as it is kept: on one line, and not longer than 80 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:79].rstrip() + "…"


FIELDS: dict[str, tuple[Callable[[Api, dict[str, Any], str], Sent], Callable[[str], str]]] = {
    "title": (title, on_one_line),
    "shared title": (shared_title, on_one_line),
    "caption": (caption, str.strip),
    "tag": (tag, str.strip),
    "token": (token_name, str.strip),
    "link": (link_name, str.strip),
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_keeps_a_text_or_refuses_it_with_a_reason(ann: Api, field: str) -> None:
    send, kept = FIELDS[field]
    made = small(ann)

    @walk(15)
    @given(json_texts())
    @example("\ud800")
    @example("\x00")
    def explore(text: str) -> None:
        answer, read = send(ann, made, text)

        if not refused_with_a_reason(answer):
            assert read() == kept(text)

    explore()


def test_a_prompt_is_kept_as_it_was_written_or_refused_with_a_reason(ann: Api) -> None:
    @walk(12)
    @given(json_texts(), json_texts())
    def explore(prompt: str, unwanted: str) -> None:
        wanted = {"prompt": prompt, "negative_prompt": unwanted, "width": 64, "height": 64}
        answer = ann.post("/api/generate-image", json=wanted)

        if not refused_with_a_reason(answer):
            conversation = ann.get(f"/api/conversation/{answer.json['conversation_id']}").json
            question, drawn = conversation["messages"]
            assert question["content"] == f"/image {prompt.strip()}"
            assert drawn["images"][0]["prompt"] == prompt.strip()
            assert (drawn["images"][0]["negative_prompt"] or "") == unwanted

    explore()


def test_a_message_is_kept_as_it_was_written_or_refused_with_a_reason(ann: Api) -> None:
    conversation = ann.post("/api/conversations", json={}).json["id"]
    path = f"/api/conversation/{conversation}"

    @walk(12)
    @given(json_texts())
    def explore(text: str) -> None:
        answer = ann.post(f"{path}/messages", json={"content": text})

        if not refused_with_a_reason(answer):
            ann.post(f"{path}/messages/{answer.json['message_id']}/cancel")
            messages = {each["id"]: each["content"] for each in ann.get(path).json["messages"]}
            assert messages[answer.json["user_message_id"]] == text

    explore()


def test_a_title_stays_inside_its_event(ann: Api) -> None:
    conversation = ann.post("/api/conversations", json={}).json["id"]
    path = f"/api/conversation/{conversation}"

    @walk(15)
    @given(json_texts())
    def explore(text: str) -> None:
        before = ann.get(path).json["last_event_id"]
        if refused_with_a_reason(ann.patch(path, json={"title": text})):
            return
        stream = ann.get(f"{path}/events", headers={"Last-Event-ID": str(before)}, buffered=False)
        pieces = stream.iter_encoded()
        assert next(pieces).startswith(b"retry:")
        event = next(pieces).decode()
        stream.close()

        number, kind, data, *rest = event.split("\n")
        assert (number[:4], kind, data[:6], rest) == ("id: ", "event: conversation", "data: ", ["", ""])
        assert json.loads(data[6:])["title"] == on_one_line(text)

    explore()


def test_a_name_and_a_password_are_kept_or_refused_with_a_reason(app: Flask) -> None:
    Api(app).register("first")

    @walk(15)
    @given(st.one_of(json_texts(), json_texts().map(lambda text: text[:20])), json_texts())
    def explore(name: str, password: str) -> None:
        person = Api(app)
        answer = person.post("/api/auth/register", json={"username": name, "password": f"12345678{password}"})

        if not refused_with_a_reason(answer):
            assert answer.json["username"] == unicodedata.normalize("NFC", name).strip()
            credentials = {"username": name, "password": f"12345678{password}"}
            assert Api(app).post("/api/auth/login", json=credentials).status_code == 200

    explore()


def test_a_password_opens_its_link_whatever_it_says(ann: Api, visitor: Api) -> None:
    path = f"/api/conversation/{small(ann)['conversation_id']}/share"

    @walk(12)
    @given(json_texts().map(lambda text: text[:1024]))
    def explore(password: str) -> None:
        answer = ann.post(path, json={"password": password})

        if not refused_with_a_reason(answer):
            page = f"/share/{answer.json['token']}"
            token = form_token(visitor.get(page, headers={"Accept": "text/html"}).text)
            unlocked = visitor.post(page, data={"csrf_token": token, "password": password})
            assert (unlocked.status_code, unlocked.headers["Location"]) == (303, page)

    explore()
