"""The settings page: what an account has, its password, where it is logged in."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from ChatBot.errors import ChatBotError, RateLimited
from ChatBot.services.accounts import digest
from ChatBot.web.context import current_account, services
from ChatBot.web.edge.entrance import others_ended, password_changed
from ChatBot.web.edge.identity import present_session
from ChatBot.web.edge.problems import retry_after, status_of
from ChatBot.web.rendering.sentences import sentence_of
from ChatBot.web.rendering.told import told

LINKS_SHOWN = 200

account_pages = Blueprint("account_pages", __name__, url_prefix="/settings")


@account_pages.get("")
def settings() -> str:
    """Show the account's settings, sessions and API tokens."""
    return _page(ended=told("ended"), revoked=told("revoked"), links_ended=told("links_ended"))


@account_pages.post("/password")
def change_password() -> Response:
    """Change the password by the form."""
    form = request.form
    try:
        if form.get("new", "") != form.get("again", ""):
            return make_response(_page(error=gettext("The two new passwords differ.")), HTTPStatus.UNPROCESSABLE_ENTITY)
        closed = password_changed(
            form.get("current", ""),
            form.get("new", ""),
            keep_tokens="keep_tokens" in form,
            end_links="end_links" in form,
        )
    except ChatBotError as error:
        response = make_response(_page(error=sentence_of(error)), status_of(error))
        if isinstance(error, RateLimited):
            response.headers["Retry-After"] = retry_after(error)
        return response
    return _done(ended=closed.sessions_ended, revoked=closed.tokens_revoked, links_ended=closed.links_revoked)


@account_pages.post("/sessions")
def end_others() -> Response:
    """Log the account out everywhere but here, by the form."""
    return _done(ended=others_ended())


def _done(*, ended: int, revoked: int | None = None, links_ended: int | None = None) -> Response:
    page = url_for("account_pages.settings", ended=ended, revoked=revoked, links_ended=links_ended, _anchor="safety")
    return redirect(page, HTTPStatus.SEE_OTHER)


def _page(
    *, error: str | None = None, ended: int | None = None, revoked: int | None = None, links_ended: int | None = None
) -> str:
    user, steward, mine = current_account(), services().stewardship, present_session()
    return render_template(
        "settings.html",
        tokens=services().accounts.tokens_of(user),
        links=services().linking.of(user, LINKS_SHOWN),
        used=steward.quota.used(user.id),
        limits=steward.limits,
        sessions=services().accounts.sessions_of(user),
        present=digest(mine) if mine else None,
        error=error,
        ended=ended,
        revoked=revoked,
        links_ended=links_ended,
    )
