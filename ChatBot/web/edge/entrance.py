"""The way in and its lock: registering, logging in, changing the password; the same by JSON and by form."""

from __future__ import annotations

from dataclasses import dataclass

from ChatBot.errors import NotAuthenticated
from ChatBot.models import User
from ChatBot.services.accounts import name_key
from ChatBot.web.context import current_account, services
from ChatBot.web.edge.audited import acted_on
from ChatBot.web.edge.identity import log_in, outlive_change, present_session, rotate_session
from ChatBot.web.edge.limits import budgets, visitor_key

BUDGET = "login"


def registered(username: str, password: str) -> User:
    """Create an account and log it in; raises ``RateLimited`` or what ``Accounts.register`` raises."""
    budgets().hit(BUDGET, visitor_key())
    user = services().accounts.register(username, password)
    log_in(user)
    return user


def authenticated(username: str, password: str) -> User:
    """Log in; raises ``RateLimited`` or ``NotAuthenticated``."""
    budgets().hit(BUDGET, visitor_key())
    with services().guessing.attempt(f"account:{name_key(username)}", visitor_key()):
        try:
            user = services().accounts.authenticate(username, password)
        except NotAuthenticated:
            known = services().accounts.find(username)
            acted_on(known.id if known else None)  # never the name: people type their password there, too
            raise
    log_in(user)
    return user


@dataclass(frozen=True)
class Closed:
    """What a new password closed."""

    sessions_ended: int
    tokens_revoked: int
    links_revoked: int


def password_changed(current: str, new: str, *, keep_tokens: bool, end_links: bool) -> Closed:
    """Change the password of whoever asks; every other session ends, this one goes on under a new key.

    A new password is what people choose when they fear that somebody else got in. So API tokens go as well unless they
    are to be kept, for a token is a way in; signed links to pictures end; permanent ones, which stand in other people's
    pages, go when that is asked for. Raises ``RateLimited``, ``Forbidden`` or ``InputError``.
    """
    budgets().hit(BUDGET, visitor_key())
    user, accounts = current_account(), services().accounts
    with services().guessing.attempt(f"account:{user.username_key}", visitor_key()):
        outlive_change(accounts.change_password(user, current, new))
    ended = others_ended()
    links = services().linking
    links.end_signed(user)
    return Closed(
        sessions_ended=ended,
        tokens_revoked=0 if keep_tokens else accounts.revoke_tokens(user),
        links_revoked=links.revoke_all(user) if end_links else 0,
    )


def others_ended() -> int:
    """End every session of whoever asks but this one, which goes on under a new key; return how many there were."""
    ended = services().accounts.end_sessions(current_account(), but=present_session())
    rotate_session()
    return ended
