"""Who asks: a browser session (Flask-Login) or an API token, and the CSRF token that belongs to a session."""

from __future__ import annotations

from contextlib import suppress
from typing import cast

from flask import Flask, Request, current_app, g, request, session
from flask_login import LoginManager, UserMixin, login_user, logout_user
from flask_wtf.csrf import CSRFError, CSRFProtect

from ChatBot.errors import Forbidden, NotAuthenticated
from ChatBot.models import User, now
from ChatBot.web.context import current_account, services, signed_in
from ChatBot.web.edge.audited import acted_by
from ChatBot.web.edge.sessions import PASSWORD_CHANGES, UNLOCKED, MongoSessions, ServerSession, outdated

login_manager = LoginManager()
csrf = CSRFProtect()

BEARER = "bearer "
AGENT_CHARACTERS = 200


class Account(UserMixin):  # type: ignore[misc]
    """Flask-Login's view of an account."""

    def __init__(self, account: User) -> None:
        self.account = account

    def get_id(self) -> str:
        """Return what the session remembers."""
        return self.account.id


def init_app(app: Flask) -> None:
    """Attach session login, token login and CSRF protection."""
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_HEADERS=["X-CSRF-Token"], WTF_CSRF_TIME_LIMIT=None)
    app.config.update(WTF_CSRF_SSL_STRICT=False)
    # A session is its key: an address or a browser that changed would only write a mark that nobody reads.
    login_manager.session_protection = None
    login_manager.init_app(app, add_context_processor=False)  # it would load the account again for an error page
    csrf.init_app(app)


@login_manager.user_loader  # type: ignore[untyped-decorator]
def load_user(user_id: str) -> Account | None:
    """Return the account a session names, unless its password was changed since; such a session ends."""
    user = services().accounts.get(user_id)
    if user is not None and outdated(session, user):
        session.clear()
        return None
    return Account(user) if user else None


@login_manager.request_loader  # type: ignore[untyped-decorator]
def load_by_token(incoming: Request) -> Account | None:
    """Return the account of the request's API token; raises ``NotAuthenticated`` for a wrong one."""
    authorization = incoming.headers.get("Authorization", "")
    if not authorization.lower().startswith(BEARER):
        return None
    user = services().accounts.by_token(authorization[len(BEARER) :].strip())
    g.by_token = True
    return Account(user)


def log_in(user: User) -> None:
    """Start a session for an account, as it was when its password was checked, under a fresh key."""
    unlocked = session.get(UNLOCKED)
    session.clear()
    cast("ServerSession", session).rotate()
    session.update(begun_at=now(), address=request.remote_addr, agent=request.user_agent.string[:AGENT_CHARACTERS])
    session[PASSWORD_CHANGES] = user.password_changes
    if unlocked:
        session[UNLOCKED] = unlocked
    login_user(Account(user))
    acted_by(user)


def present_session() -> str | None:
    """Return the key of the session that asks; None for an API token."""
    return None if g.get("by_token") else cast("ServerSession", session).key


def still_let_in() -> bool:
    """Say whether whoever asked would be let in now: an answer that lasts must not outlive its session or token."""
    key = present_session()
    if key is None:
        with suppress(NotAuthenticated):
            return load_by_token(request) is not None
        return False
    data = cast("MongoSessions", current_app.session_interface).data_of(key)
    user = services().accounts.get(current_account().id)
    return data is not None and user is not None and not outdated(data, user)


def rotate_session() -> None:
    """Give the session that asks a new key; API tokens have none."""
    if present_session() is not None:
        cast("ServerSession", session).rotate()


def outlive_change(user: User) -> None:
    """Let the session that asks go on after its account's password was changed; API tokens have none."""
    if present_session() is not None:
        session[PASSWORD_CHANGES] = user.password_changes


def log_out() -> None:
    """End the session: its data is deleted on the server."""
    acted_by(signed_in())
    logout_user()
    session.clear()


def check_csrf() -> None:
    """Refuse a state-changing request that another site could have made a browser send.

    A request with an API token carries no ambient authority and needs none. Neither does a JSON request without any
    session (a program that registers or logs in): a foreign page cannot send JSON without a preflight.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    user = signed_in()  # looks at the API token, too
    if g.get("by_token"):
        return
    if user is None and request.is_json and _same_origin():
        return
    try:
        csrf.protect()
    except CSRFError as error:
        raise Forbidden(
            f"{error.description} Read the token from GET /api/auth/me and send it as X-CSRF-Token."
        ) from error


def _same_origin() -> bool:
    origin = request.headers.get("Origin")
    return origin is None or origin == request.host_url.rstrip("/")


def check_session() -> None:
    """Raise the error that kept the request's session from being loaded: nobody is a visitor by accident."""
    failure = cast("ServerSession", session).failure
    if failure is not None:
        raise failure


def require_token_or_session() -> None:
    """Raise ``NotAuthenticated`` unless an account asks."""
    if signed_in() is None:
        raise NotAuthenticated("Log in, or send an API token as “Authorization: Bearer …”.")
