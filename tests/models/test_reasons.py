"""Reasons come back from the database and from records as they were, and can be said in any language."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from ChatBot.models import Message
from ChatBot.sentence import Sentence
from tests.services.workshop import make_message


def message_with(error: object) -> Message:
    """Return a failed message as it is read from a document that holds this reason."""
    document = make_message(status="failed").to_document()
    return Message.from_document({**document, "error": error})


def test_a_reason_with_values_is_back_with_them_from_its_document_and_from_its_record() -> None:
    reason = Sentence("%(said)s, at most %(most)s", said="50% grey", most=32_000)
    message = message_with(reason)

    again = Message.from_document(message.to_document())
    recorded = Message.model_validate(json.loads(json.dumps(message.model_dump(mode="json"))))

    for found in (again.error, recorded.error):
        assert found == "50% grey, at most 32,000"
        assert (found.original, found.values) == (reason.original, reason.values)


@pytest.mark.parametrize("text", ["The server stopped while this was being made.", "100 % of %(nothing)s", ""])
def test_a_reason_that_is_a_text_is_kept_and_read_as_one(text: str) -> None:
    message = message_with(text)

    assert message.error == text
    assert message.to_document()["error"] == text


def test_a_message_without_a_reason_has_none() -> None:
    assert message_with(None).to_document()["error"] is None


@pytest.mark.parametrize(
    "kept",
    [
        7,
        ["a text"],
        {},
        {"text": "no values"},
        {"text": "%(name)s", "values": {"other": "x"}},
        {"text": "%(name)d", "values": {"name": "no number"}},
        {"text": "%(name)", "values": {"name": "x"}},
        {"text": "%(name)s", "values": {"name": ["x"]}},
    ],
)
def test_what_nobody_kept_as_a_reason_is_refused(kept: Any) -> None:
    with pytest.raises(ValidationError):
        message_with(kept)
