"""``/api/auth`` and ``/api/tokens``: accounts over JSON."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from flask_openapi3 import APIBlueprint, Tag
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from ChatBot.services.accounts import digest
from ChatBot.web.context import current_account, services, signed_in
from ChatBot.web.edge.audited import acted
from ChatBot.web.edge.entrance import authenticated, others_ended, password_changed, registered
from ChatBot.web.edge.identity import log_out, present_session
from ChatBot.web.edge.problems import problem
from ChatBot.web.rendering.present import session_json, token_json, user_json
from ChatBot.web.schemas.accounts import (
    Account,
    LoggedIn,
    MadeToken,
    PasswordChanged,
    SessionRecord,
    SessionsEnded,
    TokenRecord,
)
from ChatBot.web.schemas.answers import Items
from ChatBot.web.schemas.requests import AccountChanges, Credentials, NewPassword, NewToken, TokenPath

auth = APIBlueprint("auth", __name__, url_prefix="/api/auth", abp_tags=[Tag(name="Accounts")])
tokens = APIBlueprint("tokens", __name__, url_prefix="/api/tokens", abp_tags=[Tag(name="API tokens")])


@auth.post("/register", responses={HTTPStatus.CREATED: LoggedIn, HTTPStatus.CONFLICT: None})
def register(body: Credentials) -> tuple[dict[str, Any], int]:
    """Create an account and log it in; the first one is the administrator."""
    user = registered(body.username, body.password)
    return {**user_json(user), "csrf_token": generate_csrf()}, HTTPStatus.CREATED


@auth.post("/login", responses={HTTPStatus.OK: LoggedIn})
def login(body: Credentials) -> dict[str, Any]:
    """Start a session."""
    user = authenticated(body.username, body.password)
    return {**user_json(user), "csrf_token": generate_csrf()}


@auth.post("/logout", responses={HTTPStatus.NO_CONTENT: None})
def logout() -> tuple[str, int]:
    """End this session on the server."""
    log_out()
    return "", HTTPStatus.NO_CONTENT


@auth.get("/me", responses={HTTPStatus.OK: LoggedIn})
def me() -> dict[str, Any] | Response:
    """Say who is logged in. The answer carries the CSRF token, also when nobody is (401)."""
    user = signed_in()
    if user is None:
        return problem(HTTPStatus.UNAUTHORIZED, "Nobody is logged in.", "not-authenticated", csrf_token=generate_csrf())
    return {**user_json(user), "csrf_token": generate_csrf()}


@auth.patch("/me", responses={HTTPStatus.OK: Account})
def change(body: AccountChanges) -> dict[str, Any]:
    """Make the account private, or no longer: a private one keeps all its pictures off public hosts."""
    acted("account.private" if body.private else "account.public")
    return user_json(services().privacy.set_account(current_account(), body.private))


@auth.post("/password", responses={HTTPStatus.OK: PasswordChanged, HTTPStatus.CONFLICT: None})
def change_password(body: NewPassword) -> dict[str, Any]:
    """Change the password: all other sessions and signed links end, API tokens are revoked unless ``keep_tokens``."""
    closed = password_changed(body.current, body.new, keep_tokens=body.keep_tokens, end_links=body.end_links)
    return asdict(closed)


@auth.get("/sessions", responses={HTTPStatus.OK: Items[SessionRecord]})
def sessions() -> dict[str, Any]:
    """List where the account is logged in, the newest session first."""
    mine = present_session()
    found = services().accounts.sessions_of(current_account())
    items = [session_json(each, present=mine is not None and each.key == digest(mine)) for each in found]
    return {"items": items, "next_cursor": None}


@auth.post("/sessions/end-others", responses={HTTPStatus.OK: SessionsEnded})
def end_others() -> dict[str, int]:
    """Log the account out everywhere but here."""
    return {"sessions_ended": others_ended()}


@tokens.post("", responses={HTTPStatus.CREATED: MadeToken})
def create(body: NewToken) -> tuple[dict[str, Any], int]:
    """Make an API token; its text is in this answer only."""
    token, text = services().accounts.create_token(current_account(), body.name)
    return {**token_json(token), "token": text}, HTTPStatus.CREATED


@tokens.get("", responses={HTTPStatus.OK: Items[TokenRecord]})
def listing() -> dict[str, Any]:
    """List the account's API tokens."""
    found = services().accounts.tokens_of(current_account())
    return {"items": [token_json(token) for token in found], "next_cursor": None}


@tokens.delete("/<token_id>", responses={HTTPStatus.NO_CONTENT: None})
def revoke(path: TokenPath) -> tuple[str, int]:
    """Revoke an API token."""
    services().accounts.revoke_token(path.token_id, current_account())
    return "", HTTPStatus.NO_CONTENT
