"""What the templates show: messages and pictures with their rendered text, addresses and alternative texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from flask_babel import gettext

from ChatBot.models import Image, Message, SharedMessage
from ChatBot.web.context import public_link
from ChatBot.web.markdown import render_markdown
from ChatBot.web.present import image_json, shared_image_json

ALT_CHARACTERS = 300


def message_view(message: Message, attached: Mapping[str, Image]) -> dict[str, Any]:
    """Return a message for its owner's page."""
    return {
        **_common(message),
        "status": message.status,
        "error": message.error,
        "request": message.request,
        "images": [image_view(image) for image in message.images if image.trashed_at is None],
        "attachments": [image_view(attached[each]) for each in message.attachments if each in attached],
    }


def shared_message_view(message: SharedMessage, pictures: Mapping[str, Image], base: str) -> dict[str, Any]:
    """Return a message for the page behind a share link."""
    return {
        **_common(message),
        "status": "complete",
        "error": None,
        "request": None,
        "images": [_shared_image(pictures[each], base) for each in message.images if each in pictures],
        "attachments": [_shared_image(pictures[each], base) for each in message.attachments if each in pictures],
    }


def image_view(image: Image) -> dict[str, Any]:
    """Return a picture for its owner's page.

    ``display_url`` is the cloud address the page may show instead of ours: only a public one whose bytes were read
    back and found to be exactly the stored ones.
    """
    best = image.best_copy
    exact = best is not None and best.state == "verified" and best.fidelity == "exact"
    return {
        **image_json(image, public_link),
        "alt": _alt(image),
        "placeholder": image.thumbhash,
        "download_url": url_for("files.permanent", image_id=image.id, download=1),
        "display_url": public_link(best) if best is not None and exact else None,
    }


def _shared_image(image: Image, base: str) -> dict[str, Any]:
    shown = shared_image_json(image, base)
    return {
        **shown,
        "alt": _alt(image),
        "placeholder": image.thumbhash,
        "download_url": f"{shown['src']}?download=1",
        "display_url": None,
    }


def _common(message: Message | SharedMessage) -> dict[str, Any]:
    return {
        "id": message.id,
        "role": message.role,
        "content": message.content,
        "html": render_markdown(message.content) if message.role == "assistant" else "",
        "created_at": message.created_at,
    }


def _alt(image: Image) -> str:
    text = image.caption or image.prompt or image.original_name or gettext("A picture without a description")
    return text if len(text) <= ALT_CHARACTERS else text[: ALT_CHARACTERS - 1] + "…"
