"""The trash, over JSON and as a page: look at what was deleted, take it back, delete it for good."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request
from flask_openapi3 import APIBlueprint, Tag
from werkzeug.wrappers import Response as AnyResponse

from ChatBot.models import Image, now
from ChatBot.web.context import cloud_link, current_account, current_viewer, public_link, services
from ChatBot.web.edge.audited import acted, acted_on
from ChatBot.web.reading.paging import Position, decode_cursor, encode_cursor, page_json
from ChatBot.web.rendering.present import image_json, trashed_json
from ChatBot.web.rendering.told import told
from ChatBot.web.schemas.answers import DeletedForGood, Items, TrashEntry, Untrashed
from ChatBot.web.schemas.media import RENDITION
from ChatBot.web.schemas.requests import CHOSEN_AT_ONCE, Chosen, ImagePath, Page

TRASH_PAGE = 60

trash = APIBlueprint("trash", __name__, url_prefix="/api/trash", abp_tags=[Tag(name="Trash")])
trash_pages = Blueprint("trash_pages", __name__, url_prefix="/trash")


@trash.get("", responses={HTTPStatus.OK: Items[TrashEntry]})
def listing(query: Page) -> dict[str, Any]:
    """List what is in the account's trash, what was put there last first.

    ``ends_at`` is when it goes for good. Null: that has begun, and ``durability`` names the copies that are left.
    """
    own = services().trash
    found = own.page(current_account(), query.limit + 1, decode_cursor(query.cursor))
    return page_json(found, query.limit, lambda image: trashed_json(image, own.ends_at(image), cloud_link), _position)


@trash.get("/<image_id>/thumbnail", responses=RENDITION)
def thumbnail(path: ImagePath) -> Response:
    """Send a small version of a picture in the account's trash.

    Every other address of the picture answers as for an unknown id.
    """
    opened = services().trash.thumbnail(current_viewer(), path.image_id)
    with opened.file as file:
        response = Response(file.read(), mimetype=opened.mime_type)
    response.headers["Cache-Control"] = "private, no-store"  # deleted for good, it is in no cache either
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@trash.post("/restore", responses={HTTPStatus.OK: Untrashed, HTTPStatus.NOT_FOUND: None})
def restore(body: Chosen) -> dict[str, Any]:
    """Take pictures and files out of the trash: all of them, or none when one is not in this account's trash."""
    _note_target(body.ids)
    restored = services().trash.restore(current_account(), body.ids)
    return {"items": [image_json(image, cloud_link) for image in restored]}


@trash.post("/delete", responses={HTTPStatus.OK: DeletedForGood, HTTPStatus.NOT_FOUND: None})
def delete(body: Chosen) -> dict[str, Any]:
    """Delete what is in the trash for good, now: all of it, or nothing when one is not in this account's trash.

    ``remote`` says what is proved of the cloud copies: ``confirmed`` (none is left), ``pending`` (they are still being
    removed), or ``manual`` (a host lets only a person remove its copy).
    """
    _note_target(body.ids)
    proofs = services().trash.delete(current_account(), body.ids)
    return {"items": [{"id": image_id, "remote": proof} for image_id, proof in proofs.items()]}


@trash_pages.get("")
def page() -> str:
    """Show what the account deleted."""
    found = services().trash.page(current_account(), TRASH_PAGE + 1, decode_cursor(request.args.get("cursor")))
    shown = found[:TRASH_PAGE]
    return render_template(
        "trash.html",
        images=[_view(image) for image in shown],
        next_cursor=encode_cursor(_position(shown[-1])) if len(found) > TRASH_PAGE else None,
        days=services().settings.trash_days,
        told={name: told(name) for name in ("restored", "confirmed", "pending", "manual")},
    )


@trash_pages.post("")
def act() -> AnyResponse:
    """Restore or delete for good what was ticked, by the form; a ``restore`` with an id is the button of one tile."""
    form, user = request.form, current_account()
    one = form.get("restore")
    chosen = [one] if one else form.getlist("id")[:CHOSEN_AT_ONCE]
    _note_target(chosen)
    if form.get("do") == "delete" and not one:
        acted("picture.delete")
        done: Mapping[str, int] = Counter(services().trash.delete(user, chosen).values())
    else:
        acted("picture.untrash")
        done = {"restored": len(services().trash.restore(user, chosen))}
    return redirect("/trash?" + urlencode(done), HTTPStatus.SEE_OTHER)


def _note_target(image_ids: list[str]) -> None:
    acted_on(image_ids[0][:64] if len(image_ids) == 1 else None)


def _position(image: Image) -> Position:
    return image.trashed_at or image.created_at, image.id


def _view(image: Image) -> dict[str, Any]:
    ends_at = services().trash.ends_at(image)
    left = math.ceil((ends_at - now()) / timedelta(days=1)) if ends_at else 0
    return {
        **trashed_json(image, ends_at, public_link),
        "ends_at": ends_at,
        "days_left": max(0, left),
        "placeholder": image.thumbhash,
    }
