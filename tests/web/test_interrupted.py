"""A request whose answer was interrupted, asked for again with its key."""

from __future__ import annotations

from flask import Flask

from ChatBot.web.context import EXTENSION
from tests.fixtures.application import Api


def test_an_interrupted_request_is_a_conflict_and_not_an_invitation_to_repeat_it(app: Flask, ann: Api) -> None:
    body = {"prompt": "a red fox", "width": 128, "height": 128}
    key = {"Idempotency-Key": "k1"}
    made = ann.post("/api/generate-image", json=body, headers=key).json
    messages = app.extensions[EXTENSION].database["messages"]
    messages.update_one({"_id": made["message_id"]}, {"$set": {"status": "interrupted", "images": []}})

    again = ann.post("/api/generate-image", json=body, headers=key)

    assert again.status_code == 409
    assert "another Idempotency-Key" in again.json["detail"]
