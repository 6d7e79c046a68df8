"""What the templates show: messages and pictures with their rendered text, addresses and alternative texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from flask_babel import gettext

from ChatBot.models import Image, Message, SharedMessage
from ChatBot.web.context import public_link
from ChatBot.web.rendering.markdown import render_markdown
from ChatBot.web.rendering.present import image_json, own_url, shared_image_json
from ChatBot.web.rendering.sentences import reason_text

ALT_CHARACTERS = 300


def message_view(message: Message, attached: Mapping[str, Image]) -> dict[str, Any]:
    """Return a message for its owner's page."""
    return {
        **_common(message),
        "status": message.status,
        "error": reason_text(message.error) if message.error else None,
        "request": message.request,
        **_sorted(
            [image_view(image) for image in message.images if image.trashed_at is None],
            [image_view(attached[each]) for each in message.attachments if each in attached],
        ),
    }


def shared_message_view(message: SharedMessage, pictures: Mapping[str, Image], base: str) -> dict[str, Any]:
    """Return a message for the page behind a share link."""
    return {
        **_common(message),
        "status": "complete",
        "error": None,
        "request": None,
        **_sorted(
            [_shared_image(pictures[each], base) for each in message.images if each in pictures],
            [_shared_image(pictures[each], base) for each in message.attachments if each in pictures],
        ),
    }


def bundle_view(pictures: Mapping[str, Image]) -> dict[str, int] | None:
    """Return how much there is to download at once, ``size`` in bytes; None when that saves nobody a click."""
    if len(pictures) < 2:
        return None
    return {"count": len(pictures), "size": sum(image.size for image in pictures.values())}


def image_view(image: Image) -> dict[str, Any]:
    """Return a picture or a file for its owner's page.

    ``display_url`` is the cloud address the page may show instead of ours: only a public one whose bytes were read
    back and found to be exactly the stored ones.
    """
    if image.is_file:
        return {**image_json(image, public_link), "download_url": own_url(image)}
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
    if image.is_file:
        return {**shown, "download_url": shown["src"]}
    return {
        **shown,
        "alt": _alt(image),
        "placeholder": image.thumbhash,
        "download_url": f"{shown['src']}?download=1",
        "display_url": None,
    }


def _sorted(own: list[dict[str, Any]], attached: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a message's own pictures, those it attaches, and the files among both."""
    return {
        "images": [each for each in own if each["kind"] == "picture"],
        "attachments": [each for each in attached if each["kind"] == "picture"],
        "files": [each for each in (*attached, *own) if each["kind"] == "file"],
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
