"""Messages of a conversation: say something, stop, answer again, follow the stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from time import monotonic
from typing import Any

from flask import Response, request, stream_with_context
from flask_openapi3 import APIBlueprint, Tag

from ChatBot.models import Event, Message
from ChatBot.web.context import current_account, current_viewer, services
from ChatBot.web.edge.identity import still_let_in
from ChatBot.web.schemas.answers import Accepted, Stopped
from ChatBot.web.schemas.media import EVENTS
from ChatBot.web.schemas.requests import After, ConversationPath, EditedMessage, MessagePath, NewMessage

messages = APIBlueprint(
    "messages", __name__, url_prefix="/api/conversation/<conversation_id>", abp_tags=[Tag(name="Messages")]
)

RECONNECT_MILLISECONDS = 2000
LAST_EVENT_DIGITS = 15
LOOK_SECONDS = 5.0
"""How long pieces of an answer may go on arriving where nobody may read it any more."""


@messages.post("/messages", responses={HTTPStatus.ACCEPTED: Accepted, HTTPStatus.CONFLICT: None})
def post(path: ConversationPath, body: NewMessage) -> tuple[dict[str, Any], int]:
    """Say something; the answer arrives on the event stream."""
    question, answer = services().chat.post(current_account(), path.conversation_id, body.content, body.images)
    return _accepted(answer, question), HTTPStatus.ACCEPTED


@messages.post("/messages/<message_id>/edit", responses={HTTPStatus.ACCEPTED: Accepted, HTTPStatus.CONFLICT: None})
def edit(path: MessagePath, body: EditedMessage) -> tuple[dict[str, Any], int]:
    """Replace a question and everything after it, and answer it anew."""
    question, answer = services().chat.edit(current_account(), path.conversation_id, path.message_id, body.content)
    return _accepted(answer, question), HTTPStatus.ACCEPTED


@messages.post("/messages/<message_id>/cancel", responses={HTTPStatus.OK: Stopped})
def cancel(path: MessagePath) -> dict[str, Any]:
    """Stop an answer; what was written so far stays."""
    message = services().chat.cancel(current_account(), path.conversation_id, path.message_id)
    return {"message_id": message.id, "status": message.status}


@messages.post(
    "/messages/<message_id>/regenerate", responses={HTTPStatus.ACCEPTED: Accepted, HTTPStatus.CONFLICT: None}
)
def regenerate(path: MessagePath) -> tuple[dict[str, Any], int]:
    """Answer a question anew; the old answer's pictures stay in the gallery."""
    answer = services().chat.regenerate(current_account(), path.conversation_id, path.message_id)
    return _accepted(answer), HTTPStatus.ACCEPTED


@messages.get("/events", responses=EVENTS)
def events(path: ConversationPath, query: After) -> Response:
    """Follow a conversation as server-sent events, from ``Last-Event-ID`` (or ``after``) on."""
    conversation = services().threads.get(current_viewer(), path.conversation_id)
    seen = request.headers.get("Last-Event-ID", "")
    after = int(seen) if seen.isdecimal() and len(seen) <= LAST_EVENT_DIGITS else query.after
    if after is None:
        after = services().events.last_seq(conversation.id)
    entries = services().events.follow(conversation.id, after)
    stream = _encode(_while_allowed(conversation.id, entries))
    response = Response(stream_with_context(stream), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def events_url(conversation_id: str | None) -> str:
    """Return where a conversation's stream is."""
    return f"/api/conversation/{conversation_id}/events"


def _accepted(answer: Message, question: Message | None = None) -> dict[str, Any]:
    return {
        "message_id": answer.id,
        "user_message_id": question.id if question else answer.reply_to,
        "events_url": events_url(answer.conversation_id),
    }


def _while_allowed(conversation_id: str, events: Iterator[Event | None]) -> Iterator[Event | None]:
    """End with the conversation, and with the session or token that asked; the page connects again and is told why.

    Both are looked at before each event and in each silence, but not for every word of an answer that streams.
    """
    looked_at = monotonic()
    for event in events:
        if event is None or event.type != "delta" or monotonic() - looked_at > LOOK_SECONDS:
            if not (services().threads.exists(conversation_id) and still_let_in()):
                return
            looked_at = monotonic()
        yield event


def _encode(events: Iterator[Event | None]) -> Iterator[str]:
    """Turn events into the wire format; silence becomes a comment, so that a dead line is noticed."""
    yield f"retry: {RECONNECT_MILLISECONDS}\n\n"
    for event in events:
        if event is None:
            yield ": still here\n\n"
        else:
            yield f"id: {event.seq}\nevent: {event.type}\ndata: {json.dumps(event.data, default=str)}\n\n"
