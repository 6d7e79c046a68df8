"""What the holder of a share link sees: a page, its JSON, its pictures; no account needed."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Response, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext
from flask_openapi3 import APIBlueprint, Tag
from werkzeug.wrappers import Response as BaseResponse

from ChatBot.errors import NotFound
from ChatBot.models import Share, SharedMessage
from ChatBot.services.sharing import Shown
from ChatBot.web.context import services
from ChatBot.web.files import send
from ChatBot.web.present import moment, shared_image_json, shared_message_json
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
    shown = services().sharing.content(share)
    return {
        "title": shown.title,
        "created_at": moment(share.created_at),
        "live": share.live,
        "messages": [shared_message_json(each, shown.pictures, _base(path.token)) for each in shown.messages],
    }


@shared.get("/share/<token>")
def page(path: LinkPath) -> BaseResponse:
    """Show a shared conversation as a complete page, the same for everybody."""
    try:
        share = services().sharing.open(path.token)
    except NotFound:
        return make_response(_render("share_gone.html"), HTTPStatus.NOT_FOUND)
    if not _unlocked(share):
        return make_response(_render("share_password.html", error=None))
    shown = services().sharing.content(share)
    services().sharing.count_view(share)
    views = [shared_message_view(each, shown.pictures, _base(path.token)) for each in shown.messages]
    summary = {
        "title": shown.title,
        "created_at": share.created_at,
        "live": share.live,
        "description": _description(shown.messages),
    }
    html = _render("share.html", share=summary, messages=views, og_image=_cover(path.token, shown))
    return make_response(html)


@shared.post("/share/<token>")
def unlock(path: LinkPath) -> BaseResponse:
    """Take the password of a protected link."""
    share = services().sharing.open(path.token)
    if not services().sharing.unlock(share, request.form.get("password", "")):
        html = _render("share_password.html", error=gettext("This is not the password."))
        return make_response(html, HTTPStatus.FORBIDDEN)
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


def _description(messages: Sequence[SharedMessage]) -> str:
    words = next((" ".join(message.content.split()) for message in messages if message.role == "assistant"), "")
    return words if len(words) <= DESCRIPTION_CHARACTERS else words[: DESCRIPTION_CHARACTERS - 1] + "…"


def _cover(token: str, shown: Shown) -> str | None:
    """Return the absolute address of the first picture, for link previews."""
    cover = shown.cover
    if cover is None:
        return None
    base = services().settings.public_base_url or request.host_url
    return f"{base.rstrip('/')}{shared_image_json(cover, _base(token))['src']}?w=1024"


def _render(template: str, **context: Any) -> str:
    """Render a page without the account that may be logged in: what is shared is not part of anybody's own pages."""
    return render_template(template, me=None, **context)


@shared.after_request
def _keep_to_the_link(response: Response) -> Response:
    """Keep what is shared out of search engines, caches and other sites' logs, on every answer, refusals too."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers.pop("X-Image-Source", None)
    return response
