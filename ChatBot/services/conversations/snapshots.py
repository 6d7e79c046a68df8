"""Snapshots: what a share shows, written into the share itself, so that nothing that happens later changes it.

Words are copied, pictures are named: a snapshot keeps its pictures out of every clean-up and out of the trash of a
deleted conversation, but a picture that its owner deletes is gone from it at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from ChatBot.errors import TooLongToKeep
from ChatBot.models import Message, Share, SharedMessage
from ChatBot.sentence import Sentence

LARGEST_BYTES = 8_000_000
"""Of text; a MongoDB document has at most 16 MB."""


def shown_of(messages: Sequence[Message]) -> tuple[SharedMessage, ...]:
    """Return messages as a viewer gets them, without those that have nothing to show (yet)."""
    shown = (
        SharedMessage(
            id=message.id,
            role=message.role,
            content=message.content,
            images=tuple(image.id for image in message.images if image.trashed_at is None),
            attachments=message.attachments,
            created_at=message.created_at,
        )
        for message in messages
    )
    return tuple(each for each in shown if each.content or each.images or each.attachments)


def frozen(share: Share, title: str, messages: Sequence[Message]) -> Share:
    """Return a share that shows these messages as they are now, for good.

    Raises ``TooLongToKeep``.
    """
    shown = shown_of(messages)
    if sum(len(each.content.encode()) for each in shown) > LARGEST_BYTES:
        raise TooLongToKeep(
            Sentence(
                "This conversation is too long for a link to keep it as it is now (8 MB of text); nothing was changed. "
                "Share it as it grows instead; to delete it, revoke its links as well (revoke_shares)."
            )
        )
    pictures = [image_id for each in shown for image_id in (*each.attachments, *each.images)]
    changes = {"live": False, "title": title, "messages": shown, "image_ids": tuple(dict.fromkeys(pictures))}
    return share.model_copy(update=changes)
