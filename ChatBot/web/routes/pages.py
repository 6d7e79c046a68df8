"""The pages of the application for people with a browser."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from ChatBot.errors import ChatBotError, NotFound, RateLimited
from ChatBot.services.sharing.linking import NAME_CHARACTERS
from ChatBot.web.context import current_account, current_viewer, services, signed_in
from ChatBot.web.edge.entrance import authenticated, registered
from ChatBot.web.edge.identity import log_out
from ChatBot.web.edge.problems import retry_after, status_of
from ChatBot.web.reading.paging import decode_cursor, encode_cursor
from ChatBot.web.rendering.happenings import happening_text, reason_of
from ChatBot.web.rendering.locale import remember
from ChatBot.web.rendering.present import share_json
from ChatBot.web.rendering.sentences import sentence_of
from ChatBot.web.rendering.views import image_view, message_view
from ChatBot.web.routes.picture_links import address

pages = Blueprint("pages", __name__)

SIDEBAR_CONVERSATIONS = 200
GALLERY_PAGE = 48
SHARES_PAGE = 50


@pages.get("/login")
def login() -> str | Response:
    """Show the login form; whoever is logged in goes on."""
    if signed_in():
        return redirect(_safe_next(request.args.get("next")))
    if services().accounts.none_yet:
        return redirect("/register")
    return _entry("login.html", None, request.args.get("next"))


@pages.post("/login")
def log_in_by_form() -> Response:
    """Log in by the form."""
    target = request.form.get("next")
    try:
        authenticated(request.form.get("username", ""), request.form.get("password", ""))
    except ChatBotError as error:
        return _refused_entry("login.html", error, target)
    return redirect(_safe_next(target), HTTPStatus.SEE_OTHER)


@pages.get("/register")
def register() -> str | Response:
    """Show the registration form."""
    return redirect("/") if signed_in() else _entry("register.html", None, request.args.get("next"))


@pages.post("/register")
def sign_up() -> Response:
    """Register by the form."""
    target = request.form.get("next")
    try:
        registered(request.form.get("username", ""), request.form.get("password", ""))
    except ChatBotError as error:
        return _refused_entry("register.html", error, target)
    return redirect(_safe_next(target), HTTPStatus.SEE_OTHER)


@pages.post("/logout")
def log_out_by_form() -> Response:
    """End the session."""
    log_out()
    return redirect("/login", HTTPStatus.SEE_OTHER)


@pages.post("/language")
def language() -> Response:
    """Remember the language of the pages."""
    response = redirect(_safe_next(_path_of(request.referrer or "")), HTTPStatus.SEE_OTHER)
    remember(request.form.get("language", ""), response)
    return response


@pages.get("/")
def home() -> str:
    """Show an empty conversation; ``older`` goes on with the list of conversations where it stopped."""
    return render_template("chat.html", conversation=None, messages=[], last_seq=0, **_chat_context())


@pages.get("/c/<conversation_id>")
def conversation(conversation_id: str) -> str:
    """Show a conversation."""
    viewer = current_viewer()
    found = services().threads.get(viewer, conversation_id)
    last_seq = services().events.last_seq(found.id)
    messages = services().threads.messages(viewer, found)
    attached = services().gallery.attached(messages)
    views = [message_view(message, attached) for message in messages]
    return render_template("chat.html", conversation=found, messages=views, last_seq=last_seq, **_chat_context())


@pages.get("/c/<conversation_id>/messages/<message_id>")
def message(conversation_id: str, message_id: str) -> str | tuple[str, int]:
    """Show one message, for swapping it into the page; nothing (204) when it is gone, which is no mistake of the page.

    A message goes when its question is asked anew, and a page may be fetching it in that moment.
    """
    viewer = current_viewer()
    found = services().threads.get(viewer, conversation_id)
    last_seq = services().events.last_seq(found.id)
    try:
        one = services().threads.message(viewer, found.id, message_id)
    except NotFound:
        return "", HTTPStatus.NO_CONTENT
    view = message_view(one, services().gallery.attached([one]))
    return render_template("message.html", message={**view, "seq": last_seq})


@pages.get("/gallery")
def gallery() -> str:
    """Show the account's pictures."""
    images, last = services().gallery.page(current_account(), GALLERY_PAGE, decode_cursor(request.args.get("cursor")))
    cursor = encode_cursor((last.created_at, last.id)) if last else None
    return render_template("gallery.html", images=[image_view(image) for image in images], next_cursor=cursor)


@pages.get("/files")
def files() -> str:
    """Show the account's files."""
    before = decode_cursor(request.args.get("cursor"))
    found, last = services().gallery.page(current_account(), GALLERY_PAGE, before, "file")
    cursor = encode_cursor((last.created_at, last.id)) if last else None
    return render_template("files.html", files=[image_view(image) for image in found], next_cursor=cursor)


@pages.get("/shares")
def shares() -> str:
    """Show the account's open links."""
    user = current_account()
    found = services().sharing.of(user, SHARES_PAGE + 1, decode_cursor(request.args.get("cursor")))
    titles = services().threads.titles(user, [share.conversation_id for share in found])
    shown = found[:SHARES_PAGE]
    cursor = encode_cursor((shown[-1].created_at, shown[-1].id)) if len(found) > SHARES_PAGE else None
    rows = [
        {
            **share_json(share),
            "title": share.title or titles.get(share.conversation_id, ""),
            "deleted": share.conversation_id not in titles,
            "created_at": share.created_at,
            "expires_at": share.expires_at,
        }
        for share in shown
    ]
    return render_template("shares.html", shares=rows, next_cursor=cursor)


@pages.post("/shares/<share_id>/revoke")
def revoke_share(share_id: str) -> Response:
    """Close a link without scripts."""
    services().sharing.revoke(current_account(), share_id)
    return redirect("/shares", HTTPStatus.SEE_OTHER)


@pages.get("/images/<image_id>/history")
def history(image_id: str) -> str:
    """Show what happened to one of the account's pictures."""
    return _history(image_id)


@pages.post("/images/<image_id>/links")
def link_picture(image_id: str) -> str:
    """Make a permanent link to a picture and show its address, once."""
    _, token = services().linking.keep(current_account(), image_id, request.form.get("name", "")[:NAME_CHARACTERS])
    return _history(image_id, address(token))


def _history(image_id: str, new_link: str | None = None) -> str:
    image = services().gallery.view(current_viewer(), image_id)
    rows = [(entry, happening_text(entry), reason_of(entry)) for entry in services().stewardship.history.of(image.id)]
    view = image_view(image)
    return render_template(
        "history.html", image_id=image.id, state=image, entries=rows, view=view, for_admin=False, new_link=new_link
    )


def _refused_entry(template: str, error: ChatBotError, target: str | None) -> Response:
    response = make_response(_entry(template, error, target), status_of(error))
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = retry_after(error)
    return response


def _entry(template: str, error: ChatBotError | None, target: str | None) -> str:
    accounts = services().accounts
    return render_template(
        template,
        error=sentence_of(error) if error else None,
        next=_safe_next(target),
        registration_open=accounts.registration_open,
        first_account=accounts.none_yet,
        username=request.form.get("username", ""),
    )


def _chat_context() -> dict[str, Any]:
    running = services()
    before = decode_cursor(request.args.get("older"))
    found = running.threads.of(current_account(), SIDEBAR_CONVERSATIONS + 1, before)
    shown = found[:SIDEBAR_CONVERSATIONS]
    older = encode_cursor((shown[-1].updated_at, shown[-1].id)) if len(found) > SIDEBAR_CONVERSATIONS else None
    return {
        "conversations": shown,
        "older": older,
        "assistant_name": running.assistant.name,
        "generator_name": running.settings.image_generator,
        "is_demo": running.assistant.name == running.settings.image_generator == "demo",
        "has_public_hosts": any(host.traits.public for host in running.chain.hosts),
        "max_upload_mb": running.settings.max_upload_mb,
    }


def _path_of(url: str) -> str:
    """Return the path of an address, of one that cannot be understood none."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _safe_next(target: str | None) -> str:
    """Return a path of this site to go on to; anything that could lead elsewhere becomes the start page."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return "/"
    try:
        parts = urlsplit(target)
    except ValueError:  # brackets that hold no address
        return "/"
    if parts.scheme or parts.netloc or any(ord(character) < 32 or character == "\\" for character in target):
        return "/"
    return target
