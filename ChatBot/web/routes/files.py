"""The bytes of pictures: ``/i/<id>`` and the original design's ``/static/Storage/...``, under the same rule."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Response, abort, request
from flask_openapi3 import APIBlueprint, Tag
from werkzeug.http import http_date, parse_range_header, quote_etag
from werkzeug.wsgi import wrap_file

from ChatBot.container import Services
from ChatBot.errors import NotFound
from ChatBot.models import Image
from ChatBot.services.pictures.resolver import Opened
from ChatBot.web.context import current_viewer, services
from ChatBot.web.rendering.attachments import as_a_name, attachment
from ChatBot.web.schemas.media import PICTURE
from ChatBot.web.schemas.requests import ImagePath, Rendition, StoragePath

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PIECE_BYTES = 131_072
"""What is read and handed to the server at a time; with werkzeug's 8 kB a picture took 60 turns."""

_EXTENSION = re.compile(r"\.(?:png|jpe?g|gif|webp|pdf)$", re.ASCII | re.IGNORECASE)

files = APIBlueprint("files", __name__, abp_tags=[Tag(name="Picture files")])


@files.get("/i/<image_id>", responses=PICTURE)
def permanent(path: ImagePath, query: Rendition) -> Response:
    """Send a picture: this server's file, else a cloud copy whose bytes are right. ``w`` asks for 256, 512 or 1024."""
    image = services().gallery.view(current_viewer(), path.image_id)
    return send(image, width=query.w, download=query.download)


@files.get("/static/Storage/<folder>/<file>", responses=PICTURE)
def original_design(path: StoragePath) -> Response:
    """Send a picture by the address that the original design gave it; the database decides, not the path."""
    image_id, _, _ = path.file.partition(".")
    if not re.fullmatch(r"[0-9a-f]{32}", image_id, re.ASCII):
        return send(services().gallery.view_original(current_viewer(), path.folder, path.file))
    image = services().gallery.view(current_viewer(), image_id)
    if (image.folder, image.filename) != (path.folder, path.file):
        raise NotFound("There is no such picture.")
    return send(image)


def send(image: Image, *, width: int | None = None, download: bool = False) -> Response:
    """Return a picture's bytes with everything a cache and a resumed download need."""
    resolver = services().resolver
    opened = resolver.open(image) if width is None else resolver.open_thumbnail(image, width)
    return answer(services(), request.environ, opened, image, download=download)


def send_by_link(image: Image, *, width: int | None = None, download: bool = False) -> Response:
    """Do the same for whoever has a link: where the picture is kept, or was looked for, is its owner's business."""
    try:
        response = send(image, width=width, download=download)
    except NotFound as error:
        raise NotFound("This picture cannot be shown now.") from error
    response.headers.pop("X-Image-Source", None)
    return response


def answer(
    offered: Services, environ: WSGIEnvironment, opened: Opened, image: Image, *, download: bool = False
) -> Response:
    """Return the answer to a request for a picture that may be seen; ``opened`` is closed with it, or when it fails."""
    try:
        offered.stewardship.viewing.note(image.id)
        return _answer(environ, opened, image, offered.settings.accel_redirect_prefix, download)
    except BaseException:
        opened.file.close()
        raise


def _answer(environ: WSGIEnvironment, opened: Opened, image: Image, prefix: str | None, download: bool) -> Response:
    body = wrap_file(environ, opened.file, PIECE_BYTES)
    response = Response(body, headers=_described(opened, image), direct_passthrough=True)
    if download or image.is_file:
        name = f"{_title(image)}.{image.filename.rpartition('.')[2]}"
        response.headers["Content-Disposition"] = attachment(name)
    response.make_conditional(_conditions(environ, opened.size), accept_ranges=True, complete_length=opened.size)
    refuse_if_changed(response)
    if response.status_code == HTTPStatus.OK and "HTTP_RANGE" not in environ:
        _hand_over(response, opened, image, prefix)
    return response


def refuse_if_changed(response: Response) -> None:
    """Raise what is answered under a condition that fails; Werkzeug would send the whole picture with it."""
    if response.status_code == HTTPStatus.PRECONDITION_FAILED:
        abort(HTTPStatus.PRECONDITION_FAILED, "It is not, or no longer, what the condition of the request names.")


def _hand_over(response: Response, opened: Opened, image: Image, prefix: str | None) -> None:
    """Let the nginx in front send the whole file itself, if it is set up to; everything was decided before.

    Thumbnails and what a cloud host just gave back are sent from memory. So are the answers to ``Range``, for nginx
    would understand ``If-Range`` by its own marks of the file.
    """
    if prefix is None or opened.source != "local" or opened.etag != image.sha256:
        return
    opened.file.close()
    response.direct_passthrough = False
    response.set_data(b"")
    response.headers["X-Accel-Redirect"] = f"{prefix}{image.folder}/{image.filename}"


def _conditions(environ: WSGIEnvironment, size: int) -> WSGIEnvironment:
    """Return the request without a ``Range`` that is malformed, asks for several pieces, or for more than there is.

    RFC 9110 lets a server ignore the first two and send the whole, which is also what a suffix longer than the
    picture means (Werkzeug would answer 416); only one range beyond the end is 416.
    """
    if "HTTP_RANGE" not in environ:
        return environ
    wanted = parse_range_header(environ["HTTP_RANGE"])
    if wanted is not None and wanted.units == "bytes" and len(wanted.ranges) == 1 and -wanted.ranges[0][0] <= size:
        return environ
    return {name: value for name, value in environ.items() if name != "HTTP_RANGE"}


def _described(opened: Opened, image: Image) -> list[tuple[str, str]]:
    return [
        ("Content-Type", opened.mime_type),
        ("Content-Length", str(opened.size)),
        ("ETag", quote_etag(opened.etag)),
        ("Last-Modified", http_date(image.created_at)),
        ("Cache-Control", "private, no-cache"),
        ("X-Image-Source", opened.source),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "default-src 'none'; sandbox"),
    ]


def _title(image: Image) -> str:
    """Return what a kept file is to be called, without its extension."""
    own_name = _EXTENSION.sub("", image.name)
    return as_a_name(image.caption or image.prompt or own_name) or image.kind
