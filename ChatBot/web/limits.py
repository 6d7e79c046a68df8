"""Which route takes from which budget, and whose."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app, request
from prometheus_client import Counter

from ChatBot.web.budgets import Budgets, account_key, address_key
from ChatBot.web.context import signed_in
from ChatBot.web.metrics import registry_of

EXTENSION = "chatbot_budgets"

BUDGETS: dict[str, str] = {
    "images.generate": "generation",
    "messages.post": "generation",
    "messages.edit": "generation",
    "messages.regenerate": "generation",
    "images.upload": "upload",
    "files.permanent": "download",
    "files.original_design": "download",
    "shared.image": "download",
    "shared.preview": "download",
    "picture_links.picture": "download",
    "shared.continue_by_form": "upload",
    "shared.continue_as_copy": "upload",
    "shared.page": "share",
    "shared.data": "share",
    "shared.unlock": "share",
}
"""By endpoint. Logging in and registering take from ``login`` in ``web/entrance.py``, where a form can say so."""


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
