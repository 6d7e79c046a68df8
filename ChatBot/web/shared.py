"""What the holder of a share link sees: a page, its JSON, its pictures; no account needed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext
from flask_openapi3 import APIBlueprint, Tag
from werkzeug.wrappers import Response as BaseResponse

from ChatBot.errors import NotFound
from ChatBot.models import Image, Message, Share
from ChatBot.web.context import services
from ChatBot.web.files import send
from ChatBot.web.present import conversation_json, moment, shared_image_json, shared_message_json
from ChatBot.web.problems import problem
from ChatBot.web.schemas import LinkImagePath, LinkPath, Rendition
from ChatBot.web.views import shared_message_view

shared = APIBlueprint("shared", __name__, abp_tags=[Tag(name="Shared conversations")])

UNLOCKED = "unlocked_shares"
DESCRIPTION_CHARACTERS = 160


@shared.get("/api/share/<token>")
def data(path: LinkPath) -> dict[str, Any] | BaseResponse:
    """Return a shared conversation as JSON."""
    share = services().sharing.open(path.token)
    if not _unlocked(share):
        return problem(HTTPStatus.UNAUTHORIZED, "This link asks for a password.", "share-password")
    conversation, messages = services().sharing.content(share)
    attached = services().gallery.attached(messages)
    shown = conversation_json(conversation)
    return {
        "title": shown["title"],
        "created_at": moment(share.created_at),
        "live": share.live,
        "messages": [shared_message_json(message, attached, _base(path.token)) for message in messages],
    }


@shared.get("/share/<token>")
def page(path: LinkPath) -> BaseResponse:
    """Show a shared conversation as a complete page, the same for everybody."""
    try:
        share = services().sharing.open(path.token)
    except NotFound:
        return _private(make_response(_render("share_gone.html"), HTTPStatus.NOT_FOUND))
    if not _unlocked(share):
        return _private(make_response(_render("share_password.html", error=None), HTTPStatus.OK))
    conversation, messages = services().sharing.content(share)
    services().sharing.count_view(share)
    attached = services().gallery.attached(messages)
    views = [shared_message_view(message, attached, _base(path.token)) for message in messages]
    summary = {
        "title": conversation.title,
        "created_at": share.created_at,
        "live": share.live,
        "description": _description(messages),
    }
    html = _render("share.html", share=summary, messages=views, og_image=_cover(path.token, messages))
    return _private(make_response(html))


@shared.post("/share/<token>")
def unlock(path: LinkPath) -> BaseResponse:
    """Take the password of a protected link."""
    share = services().sharing.open(path.token)
    if not services().sharing.unlock(share, request.form.get("password", "")):
        html = _render("share_password.html", error=gettext("This is not the password."))
        return _private(make_response(html, HTTPStatus.FORBIDDEN))
    session[UNLOCKED] = [*session.get(UNLOCKED, []), share.id][-50:]
    return redirect(url_for("shared.page", token=path.token), HTTPStatus.SEE_OTHER)


@shared.get("/share/<token>/i/<image_id>")
def image(path: LinkImagePath, query: Rendition) -> Response:
    """Send a picture that a shared conversation shows."""
    share = services().sharing.open(path.token)
    if not _unlocked(share):
        raise NotFound("There is no such picture.")
    found = services().sharing.image(share, path.image_id)
    return send(found, width=query.w, download=query.download)


def _unlocked(share: Share) -> bool:
    return share.password_hash is None or share.id in session.get(UNLOCKED, [])


def _base(token: str) -> str:
    return url_for("shared.page", token=token)


def _description(messages: list[Message]) -> str:
    words = next((" ".join(message.content.split()) for message in messages if message.role == "assistant"), "")
    return words if len(words) <= DESCRIPTION_CHARACTERS else words[: DESCRIPTION_CHARACTERS - 1] + "…"


def _cover(token: str, messages: list[Message]) -> str | None:
    """Return the absolute address of the first picture, for link previews."""
    shown: list[Image] = [image for message in messages for image in message.images if image.trashed_at is None]
    if not shown:
        return None
    base = services().settings.public_base_url or request.host_url
    return f"{base.rstrip('/')}{shared_image_json(shown[0], _base(token))['src']}?w=1024"


def _render(template: str, **context: Any) -> str:
    """Render a page without the account that may be logged in: what is shared is not part of anybody's own pages."""
    return render_template(template, me=None, **context)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
