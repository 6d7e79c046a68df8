"""What the holder of a share link sees: a page, its JSON, its pictures; no account needed."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Response, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext
from flask_openapi3 import APIBlueprint, Tag
from werkzeug.wrappers import Response as BaseResponse

from ChatBot.errors import Forbidden, NotFound, RateLimited
from ChatBot.models import Share, SharedMessage, new_id
from ChatBot.web.context import current_account, current_viewer, services, signed_in
from ChatBot.web.edge.audited import acted_on
from ChatBot.web.edge.identity import rotate_session
from ChatBot.web.edge.limits import visitor_key
from ChatBot.web.edge.problems import problem, retry_after, status_of
from ChatBot.web.edge.sessions import UNLOCKED
from ChatBot.web.reading.idempotency import checked
from ChatBot.web.rendering.attachments import as_a_name, attachment
from ChatBot.web.rendering.manifests import manifest_of
from ChatBot.web.rendering.present import conversation_json, moment, shared_message_json
from ChatBot.web.rendering.sentences import sentence_of
from ChatBot.web.rendering.views import bundle_view, shared_message_view
from ChatBot.web.routes.files import refuse_if_changed, send_by_link
from ChatBot.web.schemas.answers import ConversationRecord
from ChatBot.web.schemas.links import SharedConversation
from ChatBot.web.schemas.media import ARCHIVE, CARD, PAGE, PICTURE, SEE_OTHER
from ChatBot.web.schemas.requests import LinkImagePath, LinkPath, Rendition

shared = APIBlueprint("shared", __name__, abp_tags=[Tag(name="Shared conversations")])

DESCRIPTION_CHARACTERS = 160


@shared.get("/api/share/<token>", responses={HTTPStatus.OK: SharedConversation})
def data(path: LinkPath) -> dict[str, Any] | BaseResponse:
    """Return a shared conversation as JSON."""
    share = services().sharing.open(path.token)
    if not _unlocked(share):
        return _locked()
    shown = services().sharing.content(share)
    return {
        "title": shown.title,
        "created_at": moment(share.created_at),
        "live": share.live,
        "messages": [shared_message_json(each, shown.pictures, _base(path.token)) for each in shown.messages],
    }


@shared.get("/share/<token>", responses=PAGE)
def page(path: LinkPath) -> BaseResponse:
    """Show a shared conversation as a complete page, the same for everybody."""
    try:
        share = services().sharing.open(path.token)
    except NotFound:
        return make_response(_render("share_gone.html"), HTTPStatus.NOT_FOUND)
    if not _unlocked(share):
        return make_response(_password_page(path.token, None))
    shown = services().sharing.content(share)
    services().sharing.count_view(share)
    views = [shared_message_view(each, shown.pictures, _base(path.token)) for each in shown.messages]
    summary = {
        "title": shown.title,
        "created_at": share.created_at,
        "live": share.live,
        "description": _description(shown.messages),
    }
    html = _render(
        "share.html",
        share=summary,
        messages=views,
        bundle=bundle_view(shown.pictures),
        og_image=_card(path.token),
        path=_base(path.token),
        continue_key=new_id() if signed_in() else None,
    )
    return make_response(html)


@shared.post("/share/<token>", responses=SEE_OTHER)
def unlock(path: LinkPath) -> BaseResponse:
    """Take the password of a protected link."""
    share = services().sharing.open(path.token)
    acted_on(share.id)
    try:
        with services().guessing.attempt(f"share:{share.id}", visitor_key()):
            services().sharing.unlock(share, request.form.get("password", ""))
    except (Forbidden, RateLimited) as error:
        response = make_response(_password_page(path.token, sentence_of(error)), status_of(error))
        if isinstance(error, RateLimited):
            response.headers["Retry-After"] = retry_after(error)
        return response
    rotate_session()  # whoever planted the key that this browser had so far is not let in with it
    session[UNLOCKED] = [*session.get(UNLOCKED, []), share.id][-50:]
    return redirect(url_for("shared.page", token=path.token), HTTPStatus.SEE_OTHER)


@shared.get("/share/<token>/i/<image_id>", responses=PICTURE)
def image(path: LinkImagePath, query: Rendition) -> Response:
    """Send a picture that a shared conversation shows."""
    share = services().sharing.open(path.token)
    if not _unlocked(share):
        raise NotFound("There is no such picture.")
    found = services().sharing.image(share, path.image_id)
    return send_by_link(found, width=query.w, download=query.download)


@shared.get("/share/<token>/preview.jpg", responses=CARD)
def preview(path: LinkPath) -> BaseResponse:
    """Send the card that other sites show for the link; that of a protected one tells nothing before the password."""
    share = services().sharing.open(path.token)
    if _unlocked(share):
        shown = services().sharing.content(share)
        card = services().previews.card(shown.title or gettext("A shared conversation"), shown.cover)
    else:
        card = services().previews.card(gettext("Protected conversation"))
    response = Response(card, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(request)
    refuse_if_changed(response)
    return response


@shared.get("/share/<token>/pictures.zip", responses=ARCHIVE)
def archive(path: LinkPath) -> BaseResponse:
    """Send all pictures and files of a shared conversation as one archive; a protected link leads to its password.

    It breaks off when the link is closed meanwhile, or when one of them is deleted or cannot be had.
    """
    share = services().sharing.open(path.token)
    if not _unlocked(share):
        return redirect(_base(path.token), HTTPStatus.SEE_OTHER)
    shown = services().sharing.content(share)
    bundles = services().bundles
    parts = bundles.parts(shown)
    made = bundles.archive(share, parts, manifest_of(shown.title, share, parts))
    response = Response(made.pieces(), mimetype="application/zip")
    response.content_length = made.size
    response.headers["Content-Disposition"] = attachment(f"{as_a_name(shown.title) or 'pictures'}.zip")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@shared.post(
    "/share/<token>/continue", responses={**SEE_OTHER, HTTPStatus.CONFLICT: None, HTTPStatus.INSUFFICIENT_STORAGE: None}
)
def continue_by_form(path: LinkPath) -> BaseResponse:
    """Copy a shared conversation into the account of whoever is logged in; visitors go to log in and come back."""
    share = services().sharing.open(path.token)
    user = signed_in()
    if user is None:
        return redirect(url_for("pages.login", next=_base(path.token)), HTTPStatus.SEE_OTHER)
    if not _unlocked(share):
        return redirect(_base(path.token), HTTPStatus.SEE_OTHER)
    acted_on(share.id)
    made = services().continuing.copy(user, share, checked(request.form.get("key")) or new_id())
    return redirect(url_for("pages.conversation", conversation_id=made), HTTPStatus.SEE_OTHER)


@shared.post(
    "/api/share/<token>/continue",
    responses={
        HTTPStatus.CREATED: ConversationRecord,
        HTTPStatus.CONFLICT: None,
        HTTPStatus.INSUFFICIENT_STORAGE: None,
    },
)
def continue_as_copy(path: LinkPath) -> tuple[dict[str, Any], int] | BaseResponse:
    """Copy a shared conversation into one's own account, with its pictures as new ones that are one's own.

    The same ``Idempotency-Key`` returns the copy that the first call made.
    """
    share = services().sharing.open(path.token)
    if not _unlocked(share):
        return _locked()
    acted_on(share.id)
    key = checked(request.headers.get("Idempotency-Key")) or new_id()
    made = services().continuing.copy(current_account(), share, key)
    return conversation_json(services().threads.get(current_viewer(), made)), HTTPStatus.CREATED


def _locked() -> BaseResponse:
    return problem(HTTPStatus.UNAUTHORIZED, "This link asks for a password.", "share-password")


def _unlocked(share: Share) -> bool:
    return share.password_hash is None or share.id in session.get(UNLOCKED, [])


def _base(token: str) -> str:
    return url_for("shared.page", token=token)


def _description(messages: Sequence[SharedMessage]) -> str:
    words = next((" ".join(message.content.split()) for message in messages if message.role == "assistant"), "")
    return words if len(words) <= DESCRIPTION_CHARACTERS else words[: DESCRIPTION_CHARACTERS - 1] + "…"


def _card(token: str) -> str:
    """Return the absolute address of the card, as other sites need it."""
    base = services().settings.public_base_url or request.host_url
    return base.rstrip("/") + url_for("shared.preview", token=token)


def _password_page(token: str, error: str | None) -> str:
    return _render("share_password.html", error=error, og_image=_card(token))


def _render(template: str, **context: Any) -> str:
    """Render a page without the account that may be logged in: what is shared is not part of anybody's own pages."""
    return render_template(template, me=None, **context)


@shared.after_request
def _keep_to_the_link(response: Response) -> Response:
    """Keep what is shared out of search engines, caches and other sites' logs, on every answer, refusals too."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
