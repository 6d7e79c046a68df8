"""Which route takes from which budget, and whose."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app, request
from prometheus_client import Counter

from ChatBot.web.context import signed_in
from ChatBot.web.edge.budgets import Budgets, account_key, address_key
from ChatBot.web.edge.metrics import registry_of

EXTENSION = "chatbot_budgets"

BUDGETS: dict[str, str] = {
    "images.generate": "generation",
    "messages.post": "generation",
    "messages.edit": "generation",
    "messages.regenerate": "generation",
    "images.upload": "upload",
    "images.restore": "download",
    "trash.thumbnail": "download",
    "files.permanent": "download",
    "files.original_design": "download",
    "shared.image": "download",
    "shared.preview": "download",
    "shared.archive": "download",
    "picture_links.picture": "download",
    "shared.continue_by_form": "upload",
    "shared.continue_as_copy": "upload",
    "shared.page": "share",
    "shared.data": "share",
    "shared.unlock": "share",
    "shares.create": "share",
}
"""By endpoint: what costs a picture, a fetch from a host, the hash of a password, or the opening of a link."""

COUNTED_BY_THEIR_VIEWS: dict[str, str] = {
    "auth.register": "login",
    "auth.login": "login",
    "auth.change_password": "login",
    "pages.sign_up": "login",
    "pages.log_in_by_form": "login",
    "account_pages.change_password": "login",
}
"""By endpoint: they take from ``web/edge/entrance.py``, so that a form can say how long to wait."""

UNLIMITED = frozenset(
    {
        # The server's own files, and what machines ask again and again.
        *("static", "health.alive", "health.ready", "metrics.measurements", "documents.openapi", "documents.reference"),
        # Reading one's own things: a page of an indexed list, or one document.
        *("auth.me", "auth.sessions", "tokens.listing", "shares.listing", "picture_links.listing"),
        *("conversations.listing", "conversations.read", "messages.events"),
        *("images.listing", "images.read", "images.history"),
        *("pages.home", "pages.conversation", "pages.message", "pages.gallery", "pages.files", "pages.shares"),
        *("trash.listing", "trash_pages.page"),
        *("pages.history", "pages.login", "pages.register", "account_pages.settings"),
        # Small writes to one's own things. Nobody is to be kept from stopping, closing or taking back something.
        *("auth.logout", "auth.change", "auth.end_others", "account_pages.end_others", "pages.log_out_by_form"),
        *("tokens.create", "tokens.revoke", "shares.revoke", "pages.revoke_share", "pages.language"),
        *("picture_links.create", "pages.link_picture", "picture_links.revoke", "picture_links.revoke_all"),
        *("conversations.create", "conversations.change", "conversations.remove", "messages.cancel"),
        *("images.describe", "images.trash", "images.untrash", "trash.restore", "trash.delete", "trash_pages.act"),
        # Administrators; a task runs once at a time however often it is asked for.
        *("admin.overview", "admin.image", "admin.retry", "admin.start", "audit.listing", "audit_pages.page"),
        *("admin_pages.page", "admin_pages.task", "admin_pages.picture"),
        *("admin_pages.start_by_form", "admin_pages.retry_by_form"),
    }
)
"""Endpoints that nobody counts, and why not. A new one stands here or in a budget: a test sees to it."""


def init_app(app: Flask) -> None:
    """Count requests before their views run, after the guard knows who asks."""
    refused = Counter(
        "chatbot_refused", "Requests refused because a budget was used up", ["budget"], registry=registry_of(app)
    )
    settings = app.extensions["chatbot"].settings
    app.extensions[EXTENSION] = Budgets.of(settings, on_refusal=lambda budget: refused.labels(budget).inc())
    app.before_request(_count)


def budgets_of(app: Flask) -> Budgets:
    """Return the budgets of an application."""
    return cast("Budgets", app.extensions[EXTENSION])


def budgets() -> Budgets:
    """Return the budgets of the running application."""
    return budgets_of(current_app)


def visitor_key() -> str:
    """Return the key of the address that asks, whoever is logged in there."""
    return address_key(request.remote_addr)


def _count() -> None:
    budget = BUDGETS.get(request.endpoint or "")
    if budget is not None:
        user = signed_in()
        budgets().hit(budget, account_key(user.id) if user else visitor_key())
