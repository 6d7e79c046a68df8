"""``/api/conversations`` and ``/api/conversation/<id>``: conversations over JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from ChatBot.web.context import cloud_link, current_account, current_viewer, services
from ChatBot.web.edge.audited import acted
from ChatBot.web.reading.paging import decode_cursor, page_json
from ChatBot.web.rendering.present import conversation_json, message_json
from ChatBot.web.schemas.answers import ConversationRecord, ConversationWithMessages, Items
from ChatBot.web.schemas.requests import ConversationChanges, ConversationPath, NewConversation, Page, Removal

conversations = APIBlueprint("conversations", __name__, url_prefix="/api", abp_tags=[Tag(name="Conversations")])


@conversations.post("/conversations", responses={HTTPStatus.CREATED: ConversationRecord})
def create(body: NewConversation) -> tuple[dict[str, Any], int]:
    """Open an empty conversation."""
    conversation = services().threads.create(current_account(), body.title, private=body.private)
    return conversation_json(conversation), HTTPStatus.CREATED


@conversations.get("/conversations", responses={HTTPStatus.OK: Items[ConversationRecord]})
def listing(query: Page) -> dict[str, Any]:
    """List the account's conversations, last used first."""
    found = services().threads.of(current_account(), query.limit + 1, decode_cursor(query.cursor))
    return page_json(found, query.limit, conversation_json, lambda each: (each.updated_at, each.id))


@conversations.get("/conversation/<conversation_id>", responses={HTTPStatus.OK: ConversationWithMessages})
def read(path: ConversationPath) -> dict[str, Any]:
    """Return a conversation with its messages and their pictures."""
    viewer = current_viewer()
    conversation = services().threads.get(viewer, path.conversation_id)
    last_seq = services().events.last_seq(conversation.id)
    messages = services().threads.messages(viewer, conversation)
    attached = services().gallery.attached(messages)
    return {
        **conversation_json(conversation),
        "messages": [message_json(message, attached, cloud_link) for message in messages],
        "last_event_id": last_seq,
    }


@conversations.patch("/conversation/<conversation_id>", responses={HTTPStatus.OK: ConversationRecord})
def change(path: ConversationPath, body: ConversationChanges) -> dict[str, Any]:
    """Rename a conversation, or make it private: its pictures then leave the public hosts, and stay off them."""
    user = current_account()
    if body.title is not None:
        services().threads.rename(user, path.conversation_id, body.title)
    if body.private is not None:
        acted("conversation.private" if body.private else "conversation.public")
        services().privacy.set_conversation(user, path.conversation_id, body.private)
    return conversation_json(services().threads.get(current_viewer(), path.conversation_id))


@conversations.delete("/conversation/<conversation_id>", responses={HTTPStatus.NO_CONTENT: None})
def remove(path: ConversationPath, query: Removal) -> tuple[str, int]:
    """Delete a conversation; its pictures go to the trash.

    Its links go on showing it as it was, with their pictures, unless ``revoke_shares`` is set.
    """
    services().threads.remove(current_account(), path.conversation_id, revoke_shares=query.revoke_shares)
    return "", HTTPStatus.NO_CONTENT
