"""An installation whose one account has something of everything that a page can show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from pymongo import WriteConcern
from pymongo.database import Database

from ChatBot.config import DEFAULT_RATES
from ChatBot.models import now
from tests.fixtures.application import Answer, Api
from tests.media.samples import pdf
from tests.web.test_uploads import hand_in

HTML = {"Accept": "text/html"}


def small(api: Api, prompt: str = "a fox") -> dict[str, Any]:
    """Draw the smallest picture there is."""
    return api.generate(prompt, width=64, height=64)


@dataclass
class World:
    """What ``ann``, the administrator, has; ``say`` lets all of it say the same."""

    ann: Api
    visitor: Api
    database: Database[dict[str, Any]]
    conversation: str = ""
    question: str = ""
    pages: tuple[tuple[Api, str], ...] = field(default=())

    def say(self, text: str) -> None:
        """Write a text into every field that a page shows, past every check that the API has."""
        everywhere: dict[str, dict[str, Any]] = {
            "users": {"username": text},
            "conversations": {"title": text},
            "shares": {"title": text, "messages.$[].content": text},
            "tokens": {"name": text},
            "picture_links": {"name": text},
            "sessions": {"data.agent": text, "data.address": text},
            "history": {"detail": text, "host": text},
            "tasks": {"started_by": text, "lines": [text, text]},
            "audit": {"address": text, "action": text, "target_id": text},
            "orphans": {"host": text},
        }
        unhurried = self.database.with_options(write_concern=WriteConcern(w=1, j=False))
        for collection, fields in everywhere.items():
            unhurried[collection].update_many({}, {"$set": fields})
        words = ("caption", "prompt", "negative_prompt", "original_name", "model", "generator")
        of_images: dict[str, Any] = {f"images.$[].{word}": text for word in words}
        of_images |= {
            "images.$[].tags": [text],
            "images.$[].metadata": {"Comment": text},
            "content": text,
            "error": text,
        }
        unhurried["messages"].update_many({"images.0": {"$exists": True}}, {"$set": of_images})
        unhurried["messages"].update_many({"images.0": {"$exists": False}}, {"$set": {"content": text, "error": text}})
        copy = {"images.$[].copies.$[].error": text, "images.$[].copies.$[].page_url": text}
        unhurried["messages"].update_many({"images.copies.0": {"$exists": True}}, {"$set": copy})

    def answers(self) -> dict[str, Answer]:
        """Return every page, by who asks and where."""
        found = {}
        for api, path in self.pages:
            found[f"{'ann' if api is self.ann else 'a visitor'} at {path}"] = api.get(path, headers=HTML)
        return found


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """An application where nobody counts how often something is tried, for a walk tries it often."""
    return make_app(rate_limits=[f"{rate.partition('=')[0]}=off" for rate in DEFAULT_RATES])


@pytest.fixture
def world(app: Flask, ann: Api, visitor: Api, database: Database[dict[str, Any]]) -> World:
    """One of each thing, and every page that shows something of it."""
    drawn = small(ann)
    conversation, image = drawn["conversation_id"], drawn["images"][0]["id"]
    file = hand_in(ann, pdf(), "report.pdf").json["id"]
    broken = small(ann)["message_id"]
    ann.post("/api/tokens", json={"name": "a token"})
    ann.post(f"/api/images/{image}/links", json={"permanent": True, "name": "a link"})
    ann.post(f"/api/images/{file}/links", json={"permanent": True, "name": "a link"})
    app.extensions["chatbot"].worker.close()
    copy = {"host": "imgbb", "state": "retry", "attempts": 3, "next_at": now(), "error": "x"}
    messages = database["messages"]
    messages.update_one({"images.id": image}, {"$set": {"images.0.copies": [copy]}})
    messages.update_one({"_id": drawn["message_id"]}, {"$set": {"attachments": [image, file]}})
    question = messages.find_one({"conversation_id": conversation, "role": "user"})
    assert question is not None
    messages.update_one({"_id": question["_id"]}, {"$set": {"attachments": [image, file]}})
    messages.update_one({"_id": broken}, {"$set": {"status": "failed", "images": []}})
    messages.update_one({"_id": broken}, {"$set": {"conversation_id": conversation}})
    _throw_away(ann, database)
    shares = [
        ann.post(f"/api/conversation/{conversation}/share", json=body).json["token"]
        for body in ({}, {"live": True}, {"password": "open sesame"})
    ]
    ann.post("/api/admin/tasks", json={"kind": "cleanup"})
    app.extensions["chatbot"].maintenance.close()
    own = (
        *("/", f"/c/{conversation}", f"/c/{conversation}/messages/{question['_id']}", "/gallery", "/files", "/shares"),
        *(f"/images/{image}/history", f"/images/{file}/history", "/settings", "/admin", "/admin/task", "/admin/audit"),
        *(f"/admin/images/{image}", "/trash", "/api/docs"),
    )
    public = tuple(f"/share/{token}" for token in shares)
    pages = (*((ann, path) for path in own), *((visitor, path) for path in public))
    return World(ann, visitor, database, conversation, question["_id"], pages)


def _throw_away(ann: Api, database: Database[dict[str, Any]]) -> None:
    """Leave a picture and a file in the trash, and a picture that is being deleted and that a host still has."""
    kept, going = (small(ann)["images"][0]["id"] for _ in range(2))
    for each in (kept, going, hand_in(ann, pdf(), "old.pdf").json["id"]):
        assert ann.delete(f"/api/images/{each}").status_code == 200
    copy = {"host": "imgbb", "state": "delete_manual", "url": "https://i.ibb.co/a/a.png"}
    database["messages"].update_one(
        {"images.id": going}, {"$set": {"images.0.purging": True, "images.0.copies": [copy]}}
    )
