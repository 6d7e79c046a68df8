"""Pictures and files over JSON: draw, hand in, list, describe, trash, restore."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import request
from flask_openapi3 import APIBlueprint, Tag

from ChatBot.errors import ChatBotError, Conflict, ProviderUnavailable, QuotaExceeded
from ChatBot.generators.base import GenerationRequest
from ChatBot.models import Message, Provenance
from ChatBot.sentence import Sentence
from ChatBot.web.context import cloud_link, current_account, current_viewer, services
from ChatBot.web.reading.idempotency import checked
from ChatBot.web.reading.intake import handed_in
from ChatBot.web.reading.paging import decode_cursor, encode_cursor
from ChatBot.web.rendering.present import durability_json, history_json, image_json
from ChatBot.web.routes.messages import events_url
from ChatBot.web.schemas.answers import Begun, HistoryEntry, Items, Made, PictureOrFile, Restored, Trashed
from ChatBot.web.schemas.requests import ImageChanges, ImagePath, NewImage, PicturesQuery

images = APIBlueprint("images", __name__, url_prefix="/api", abp_tags=[Tag(name="Pictures")])

DRAWN: dict[Any, Any] = {
    HTTPStatus.CREATED: Made,
    HTTPStatus.ACCEPTED: Begun,
    HTTPStatus.NOT_FOUND: None,
    HTTPStatus.CONFLICT: None,
    HTTPStatus.BAD_GATEWAY: None,
}
HANDED_IN: dict[Any, Any] = {
    HTTPStatus.CREATED: PictureOrFile,
    HTTPStatus.NOT_FOUND: None,
    HTTPStatus.INSUFFICIENT_STORAGE: None,
}


@images.post("/generate-image", responses=DRAWN)
def generate(body: NewImage) -> tuple[dict[str, Any], int]:
    """Draw pictures into a conversation (a new one if none is named).

    Answers 201 when they are stored, or at once with 202 under ``Prefer: respond-async``. The same
    ``Idempotency-Key`` returns the first call's pictures and draws nothing again.
    """
    key = checked(request.headers.get("Idempotency-Key"))
    wanted = GenerationRequest(
        prompt=body.prompt.strip(),
        negative_prompt=body.negative_prompt or "",
        width=body.width,
        height=body.height,
        count=body.count,
        seed=body.seed,
    )
    generation = services().generation
    message = generation.start(
        current_account(), body.conversation_id, wanted, generator=body.generator, idempotency_key=key
    )
    if "respond-async" in request.headers.get("Prefer", ""):
        return _pending(message), HTTPStatus.ACCEPTED
    message = generation.finished(message)
    if message.status == "complete":
        return _made(message), HTTPStatus.CREATED
    if message.status in ("queued", "streaming"):
        return _pending(message), HTTPStatus.ACCEPTED
    raise _failure(message)


@images.post("/uploads", responses=HANDED_IN)
def upload() -> tuple[dict[str, Any], int]:
    """Hand in a picture or a PDF: multipart ``file``, or JSON ``{"data": base64}`` or ``{"url"}``.

    ``conversation_id`` (in the form or the JSON) names the conversation it is meant for; a private one keeps it off
    public hosts.
    """
    owner = current_account()
    with handed_in() as handed:
        provenance = Provenance(owner_id=owner.id, generated=False, original_name=handed.name)
        meant_for = handed.conversation_id and services().threads.get(current_viewer(), handed.conversation_id).id
        image = services().image_handler.save_upload(handed.data, provenance, meant_for)
    return image_json(image, cloud_link), HTTPStatus.CREATED


@images.get("/images", responses={HTTPStatus.OK: Items[PictureOrFile]})
def listing(query: PicturesQuery) -> dict[str, Any]:
    """List the account's pictures (or, with ``kind=file``, its files), newest first."""
    before = decode_cursor(query.cursor)
    found, last = services().gallery.page(current_account(), query.limit, before, query.kind)
    cursor = encode_cursor((last.created_at, last.id)) if last else None
    return {"items": [image_json(image, cloud_link) for image in found], "next_cursor": cursor}


@images.get("/images/<image_id>", responses={HTTPStatus.OK: PictureOrFile})
def read(path: ImagePath) -> dict[str, Any]:
    """Return a picture's record."""
    return image_json(services().gallery.view(current_viewer(), path.image_id), cloud_link)


@images.patch("/images/<image_id>", responses={HTTPStatus.OK: PictureOrFile})
def describe(path: ImagePath, body: ImageChanges) -> dict[str, Any]:
    """Change a picture's caption, tags or favourite mark."""
    changed = services().gallery.describe(
        current_account(), path.image_id, caption=body.caption, tags=body.tags, favourite=body.favourite
    )
    return image_json(changed, cloud_link)


@images.delete("/images/<image_id>", responses={HTTPStatus.OK: Trashed})
def trash(path: ImagePath) -> dict[str, Any]:
    """Put a picture into the trash: it answers nobody from now on; its copies are removed when the trash is emptied."""
    image = services().gallery.trash(current_account(), path.image_id)
    has_copies = any(copy.url for copy in image.copies)
    return {"id": image.id, "state": "trashed", "remote": "pending" if has_copies else "confirmed"}


@images.post("/images/<image_id>/untrash", responses={HTTPStatus.OK: PictureOrFile})
def untrash(path: ImagePath) -> dict[str, Any]:
    """Take a picture out of the trash."""
    return image_json(services().gallery.untrash(current_account(), path.image_id), cloud_link)


@images.get("/images/<image_id>/history", responses={HTTPStatus.OK: Items[HistoryEntry]})
def history(path: ImagePath) -> dict[str, Any]:
    """Return what happened to one of the account's pictures, newest first."""
    image = services().gallery.view(current_viewer(), path.image_id)
    found = services().stewardship.history.of(image.id)
    return {"items": [history_json(entry) for entry in found], "next_cursor": None}


@images.post("/images/<image_id>/restore", responses={HTTPStatus.OK: Restored})
def restore(path: ImagePath) -> dict[str, Any]:
    """Bring a picture's local file back from a cloud copy."""
    image = services().gallery.view(current_viewer(), path.image_id)
    source = services().resolver.restore(image)
    fresh = services().gallery.view(current_viewer(), path.image_id)
    return {"id": image.id, "source": source, "durability": durability_json(fresh, cloud_link)}


def _made(message: Message) -> dict[str, Any]:
    return {
        "conversation_id": message.conversation_id,
        "message_id": message.id,
        "images": [image_json(image, cloud_link) for image in message.images if image.trashed_at is None],
    }


def _pending(message: Message) -> dict[str, Any]:
    return {
        "conversation_id": message.conversation_id,
        "message_id": message.id,
        "images": [],
        "events_url": events_url(message.conversation_id),
    }


def _failure(message: Message) -> ChatBotError:
    """Return the error of a message that was not completed; the message itself keeps the reason for the page."""
    reason = message.error or Sentence("The picture was stopped before it was ready.")
    if message.over_quota:
        return QuotaExceeded(reason)
    if message.status != "failed":
        # A program that repeats its key would get this answer for ever, and a 5xx would tell it to go on repeating.
        return Conflict(f"{reason} Ask again, with another Idempotency-Key.")
    return ProviderUnavailable(reason, provider=str((message.request or {}).get("generator", "")))
