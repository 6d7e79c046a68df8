"""Which requests the audit log keeps, and what it says of them."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain

from flask import Flask, g, request
from werkzeug.wrappers import Response

from ChatBot.db.audit import Outcome
from ChatBot.errors import ChatBotError
from ChatBot.models import User
from ChatBot.web.context import request_id, services, signed_in

ACTIONS: dict[str, str] = {
    "auth.register": "account.register",
    "pages.sign_up": "account.register",
    "auth.login": "account.login",
    "pages.log_in_by_form": "account.login",
    "auth.logout": "account.logout",
    "pages.log_out_by_form": "account.logout",
    "auth.change_password": "account.password",
    "account_pages.change_password": "account.password",
    "auth.end_others": "account.end_sessions",
    "account_pages.end_others": "account.end_sessions",
    "tokens.create": "token.create",
    "tokens.revoke": "token.revoke",
    "shares.create": "share.create",
    "shares.revoke": "share.revoke",
    "pages.revoke_share": "share.revoke",
    "shared.unlock": "share.unlock",
    "shared.continue_by_form": "share.continue",
    "shared.continue_as_copy": "share.continue",
    "shared.page": "share.open",
    "shared.data": "share.open",
    "picture_links.create": "link.create",
    "pages.link_picture": "link.create",
    "picture_links.revoke": "link.revoke",
    "picture_links.revoke_all": "link.revoke",
    "images.trash": "picture.trash",
    "images.untrash": "picture.untrash",
    "trash.restore": "picture.untrash",
    "trash.delete": "picture.delete",
    "conversations.remove": "conversation.delete",
    "admin.start": "admin.task",
    "admin_pages.start_by_form": "admin.task",
    "admin.retry": "admin.retry",
    "admin_pages.retry_by_form": "admin.retry",
}
"""By endpoint. Nothing that only reads is kept, but for what ``ONLY_WHEN_REFUSED`` names."""

SAID_BY_THEIR_VIEWS: dict[str, tuple[str, ...]] = {
    "auth.change": ("account.private", "account.public"),
    "conversations.change": ("conversation.private", "conversation.public"),
    "trash_pages.act": ("picture.delete", "picture.untrash"),
}
"""By endpoint: which action it is stands in the body, and the view says it by ``acted``; renaming is none."""

NOT_SECURITY_RELEVANT = frozenset(
    {
        # Talking and drawing: the messages themselves are the record of it.
        *("conversations.create", "messages.post", "messages.edit", "messages.cancel", "messages.regenerate"),
        *("images.generate", "images.upload"),
        # Changes nothing that anybody else sees, and takes nothing away.
        *("images.describe", "images.restore", "pages.language"),
    }
)
"""Endpoints that change something and are not kept. A new one stands here or above: a test sees to it."""

ONLY_WHEN_REFUSED = frozenset({"share.open"})
KINDS = sorted({*ACTIONS.values(), *chain.from_iterable(SAID_BY_THEIR_VIEWS.values()), "picture.purge"})
"""Every action but the commands', which are called ``command`` and their name."""

TARGETS = ("token_id", "share_id", "link_id", "image_id", "conversation_id")
"""Parts of an address that name what was acted on. A share link's token is a secret and no name."""


def init_app(app: Flask) -> None:
    """Note every named request after its answer is known."""
    app.after_request(_note)


def acted(action: str) -> None:
    """Say what is being done, where the address does not tell; call it before the doing, which may be refused."""
    g.audit_action = action


def acted_by(user: User | None) -> None:
    """Say who acts, where the session does not tell: it has just begun or ended."""
    g.actor = user


def acted_on(target_id: str | None) -> None:
    """Say what is acted on, where neither the address nor the answer tells."""
    g.audit_target = target_id


def _note(response: Response) -> Response:
    action: str | None = ACTIONS.get(request.endpoint or "", g.get("audit_action"))
    outcome = _outcome(response)
    # What a limit refused is counted in the metrics; a flood of requests must not become a flood of entries.
    if action is None or response.status_code == 429 or (outcome == "ok" and action in ONLY_WHEN_REFUSED):
        return response
    actor = _actor()
    services().audit.note(
        action,
        outcome,
        actor_id=actor.id if actor else None,
        address=request.remote_addr,
        target_id=_target(response),
        request_id=request_id(),
    )
    return response


def _outcome(response: Response) -> Outcome:
    if response.status_code < 400:
        return "ok"
    return "refused" if response.status_code < 500 else "failed"


def _actor() -> User | None:
    actor: User | None = g.get("actor")
    with suppress(ChatBotError):  # a wrong token, or no database: nobody then
        actor = actor or signed_in()
    return actor


def _target(response: Response) -> str | None:
    if "audit_target" in g:
        found: str | None = g.audit_target
        return found
    named = request.view_args or {}
    target = next((str(named[name])[:64] for name in TARGETS if name in named), None)
    if response.status_code == 201 and response.is_json:
        return (response.get_json(silent=True) or {}).get("id", target)
    return target
