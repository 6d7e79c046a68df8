"""Who may enter which route: one table, and the default is nobody."""

from __future__ import annotations

from enum import Enum

from flask import Flask, redirect, request, url_for
from werkzeug.wrappers import Response

from ChatBot.errors import Forbidden, NotFound
from ChatBot.services.access import can_administer
from ChatBot.web.context import current_viewer, signed_in
from ChatBot.web.edge.identity import check_csrf, check_session, require_token_or_session


class Rule(Enum):
    """Who may enter."""

    ANYBODY = "anybody"
    SHARE = "whoever has the link (the view opens the token)"
    ACCOUNT = "a session or an API token"
    PAGE = "a session; visitors are sent to the login page"
    ADMIN = "an administrator; everybody else is refused"


RULES: dict[str, Rule] = {
    "static": Rule.ANYBODY,
    "health.alive": Rule.ANYBODY,
    "health.ready": Rule.ANYBODY,
    "metrics.measurements": Rule.ANYBODY,
    "documents.openapi": Rule.ANYBODY,
    "documents.reference": Rule.ANYBODY,
    "auth.register": Rule.ANYBODY,
    "auth.login": Rule.ANYBODY,
    "auth.logout": Rule.ACCOUNT,
    "auth.me": Rule.ANYBODY,
    "auth.change": Rule.ACCOUNT,
    "auth.change_password": Rule.ACCOUNT,
    "auth.sessions": Rule.ACCOUNT,
    "auth.end_others": Rule.ACCOUNT,
    "tokens.create": Rule.ACCOUNT,
    "tokens.listing": Rule.ACCOUNT,
    "tokens.revoke": Rule.ACCOUNT,
    "conversations.create": Rule.ACCOUNT,
    "conversations.listing": Rule.ACCOUNT,
    "conversations.read": Rule.ACCOUNT,
    "conversations.change": Rule.ACCOUNT,
    "conversations.remove": Rule.ACCOUNT,
    "messages.post": Rule.ACCOUNT,
    "messages.edit": Rule.ACCOUNT,
    "messages.cancel": Rule.ACCOUNT,
    "messages.regenerate": Rule.ACCOUNT,
    "messages.events": Rule.ACCOUNT,
    "images.generate": Rule.ACCOUNT,
    "images.upload": Rule.ACCOUNT,
    "images.listing": Rule.ACCOUNT,
    "images.read": Rule.ACCOUNT,
    "images.describe": Rule.ACCOUNT,
    "images.trash": Rule.ACCOUNT,
    "images.untrash": Rule.ACCOUNT,
    "images.restore": Rule.ACCOUNT,
    "images.history": Rule.ACCOUNT,
    "trash.listing": Rule.ACCOUNT,
    "trash.thumbnail": Rule.ACCOUNT,
    "trash.restore": Rule.ACCOUNT,
    "trash.delete": Rule.ACCOUNT,
    "files.permanent": Rule.ACCOUNT,
    "files.original_design": Rule.ACCOUNT,
    "shares.create": Rule.ACCOUNT,
    "shares.listing": Rule.ACCOUNT,
    "shares.revoke": Rule.ACCOUNT,
    "picture_links.create": Rule.ACCOUNT,
    "picture_links.listing": Rule.ACCOUNT,
    "picture_links.revoke": Rule.ACCOUNT,
    "picture_links.revoke_all": Rule.ACCOUNT,
    "picture_links.picture": Rule.SHARE,
    "shared.data": Rule.SHARE,
    "shared.page": Rule.SHARE,
    "shared.unlock": Rule.SHARE,
    "shared.image": Rule.SHARE,
    "shared.preview": Rule.SHARE,
    "shared.archive": Rule.SHARE,
    "shared.continue_by_form": Rule.SHARE,
    "shared.continue_as_copy": Rule.ACCOUNT,
    "pages.login": Rule.ANYBODY,
    "pages.log_in_by_form": Rule.ANYBODY,
    "pages.register": Rule.ANYBODY,
    "pages.sign_up": Rule.ANYBODY,
    "pages.log_out_by_form": Rule.PAGE,
    "pages.language": Rule.ANYBODY,
    "pages.home": Rule.PAGE,
    "pages.conversation": Rule.PAGE,
    "pages.message": Rule.ACCOUNT,
    "pages.gallery": Rule.PAGE,
    "pages.files": Rule.PAGE,
    "trash_pages.page": Rule.PAGE,
    "trash_pages.act": Rule.PAGE,
    "pages.shares": Rule.PAGE,
    "pages.revoke_share": Rule.PAGE,
    "account_pages.settings": Rule.PAGE,
    "account_pages.change_password": Rule.PAGE,
    "account_pages.end_others": Rule.PAGE,
    "pages.history": Rule.PAGE,
    "pages.link_picture": Rule.PAGE,
    "admin_pages.page": Rule.ADMIN,
    "admin_pages.task": Rule.ADMIN,
    "admin_pages.start_by_form": Rule.ADMIN,
    "admin_pages.retry_by_form": Rule.ADMIN,
    "admin_pages.picture": Rule.ADMIN,
    "audit_pages.page": Rule.ADMIN,
    "audit.listing": Rule.ADMIN,
    "admin.overview": Rule.ADMIN,
    "admin.image": Rule.ADMIN,
    "admin.retry": Rule.ADMIN,
    "admin.start": Rule.ADMIN,
}


WITHOUT_SESSION = frozenset({"static", "health.alive", "health.ready"})
"""Routes that answer also while the database is away."""


def init_app(app: Flask) -> None:
    """Check every request before its view runs."""
    app.before_request(_enter)


def _enter() -> Response | None:
    if request.endpoint is None:
        return None
    rule = RULES.get(request.endpoint)
    if rule is None:
        raise NotFound("There is nothing here.")
    if request.endpoint not in WITHOUT_SESSION:
        check_session()
    if rule is Rule.PAGE and signed_in() is None:
        return redirect(url_for("pages.login", next=request.full_path.rstrip("?") if request.path != "/" else None))
    if rule is Rule.ACCOUNT:
        require_token_or_session()
    if rule is Rule.ADMIN and not can_administer(current_viewer()):
        require_token_or_session()
        raise Forbidden("Only an administrator may see this.")
    check_csrf()
    return None
