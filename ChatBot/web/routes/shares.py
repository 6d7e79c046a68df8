"""Share links over JSON, for the one who shares."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import segno
from flask import request, url_for
from flask_openapi3 import APIBlueprint, Tag

from ChatBot.web.context import current_account, services
from ChatBot.web.reading.paging import decode_cursor, page_json
from ChatBot.web.rendering.present import share_json
from ChatBot.web.schemas.answers import Items
from ChatBot.web.schemas.links import MadeShare, ShareRecord
from ChatBot.web.schemas.requests import ConversationPath, NewShare, SharePath, SharesQuery

shares = APIBlueprint("shares", __name__, url_prefix="/api", abp_tags=[Tag(name="Sharing")])


@shares.post("/conversation/<conversation_id>/share", responses={HTTPStatus.CREATED: MadeShare})
def create(path: ConversationPath, body: NewShare) -> tuple[dict[str, Any], int]:
    """Make a link to a conversation; its address, also as a QR code (an SVG as a data URI), is in this answer only."""
    share, token = services().sharing.create(
        current_account(), path.conversation_id, expires_in=body.expires_in, password=body.password, live=body.live
    )
    base = services().settings.public_base_url or request.host_url
    url = base.rstrip("/") + url_for("shared.page", token=token)
    return {**share_json(share, url=url, token=token), "qr": _qr(url)}, HTTPStatus.CREATED


@shares.get("/shares", responses={HTTPStatus.OK: Items[ShareRecord]})
def listing(query: SharesQuery) -> dict[str, Any]:
    """List the account's links that were not revoked, newest first; those of one conversation if it is named."""
    found = services().sharing.of(
        current_account(), query.limit + 1, decode_cursor(query.cursor), conversation_id=query.conversation_id
    )
    return page_json(found, query.limit, share_json, lambda share: (share.created_at, share.id))


@shares.delete("/shares/<share_id>", responses={HTTPStatus.NO_CONTENT: None})
def revoke(path: SharePath) -> tuple[str, int]:
    """Close a link at once."""
    services().sharing.revoke(current_account(), path.share_id)
    return "", HTTPStatus.NO_CONTENT


def _qr(url: str) -> str:
    """Return a QR code as an SVG picture in a data URI, dark on light whatever theme the page has."""
    return str(segno.make_qr(url).svg_data_uri(border=2, light="#fff", scale=4))
