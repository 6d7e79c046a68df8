"""Links to single pictures: made, listed and revoked by their owner, opened by whoever has them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, request, url_for
from flask_openapi3 import APIBlueprint, Tag

from ChatBot.services.sharing.linking import SIGNED_SECONDS
from ChatBot.web.context import current_account, services
from ChatBot.web.reading.paging import decode_cursor, page_json
from ChatBot.web.rendering.present import moment, picture_link_json
from ChatBot.web.routes.files import send_by_link
from ChatBot.web.schemas.answers import Items
from ChatBot.web.schemas.links import LinksRevoked, MadePictureLink, PictureLinkRecord
from ChatBot.web.schemas.media import PICTURE
from ChatBot.web.schemas.requests import ImagePath, LinkPath, NewPictureLink, Page, PictureLinkPath, Rendition

picture_links = APIBlueprint("picture_links", __name__, abp_tags=[Tag(name="Picture links")])


@picture_links.post("/api/images/<image_id>/links", responses={HTTPStatus.CREATED: MadePictureLink})
def create(path: ImagePath, body: NewPictureLink) -> tuple[dict[str, Any], int]:
    """Make a link that shows one picture: signed for a while, or permanent. Its address is in this answer only."""
    user, linking = current_account(), services().linking
    if body.permanent:
        link, token = linking.keep(user, path.image_id, body.name)
        return {**picture_link_json(link), "expires_at": None, "url": address(token)}, HTTPStatus.CREATED
    token, until = linking.sign(user, path.image_id, seconds=body.expires_in or SIGNED_SECONDS)
    made = {"id": None, "image_id": path.image_id, "expires_at": moment(until), "url": address(token)}
    return made, HTTPStatus.CREATED


@picture_links.get("/api/links", responses={HTTPStatus.OK: Items[PictureLinkRecord]})
def listing(query: Page) -> dict[str, Any]:
    """List the account's permanent links, newest first."""
    found = services().linking.of(current_account(), query.limit + 1, decode_cursor(query.cursor))
    return page_json(found, query.limit, picture_link_json, lambda link: (link.created_at, link.id))


@picture_links.delete("/api/links/<link_id>", responses={HTTPStatus.NO_CONTENT: None})
def revoke(path: PictureLinkPath) -> tuple[str, int]:
    """Close a permanent link at once."""
    services().linking.revoke(current_account(), path.link_id)
    return "", HTTPStatus.NO_CONTENT


@picture_links.delete("/api/links", responses={HTTPStatus.OK: LinksRevoked})
def revoke_all() -> dict[str, Any]:
    """Close every link to the account's pictures at once, the signed ones too."""
    return {"revoked": services().linking.revoke_all(current_account())}


@picture_links.get("/linked/<token>", responses=PICTURE)
def picture(path: LinkPath, query: Rendition) -> Response:
    """Send the picture that a link shows. Other sites may embed it, for that is what such links are made for."""
    response = send_by_link(services().linking.open(path.token), width=query.w, download=query.download)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def address(token: str) -> str:
    """Return the absolute address of a link."""
    base = services().settings.public_base_url or request.host_url
    return base.rstrip("/") + url_for("picture_links.picture", token=token)
