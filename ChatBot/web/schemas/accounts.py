"""The shapes of answers about accounts, their sessions and their API tokens."""

from __future__ import annotations

from typing import Literal

from ChatBot.models import Identifier
from ChatBot.web.schemas.answers import Answer, Moment


class Account(Answer):
    """An account as its owner sees it."""

    id: Identifier
    username: str
    role: Literal["admin", "member"]
    private: bool


class LoggedIn(Account):
    """The account that is logged in, and what its changes are to send as X-CSRF-Token."""

    csrf_token: str


class PasswordChanged(Answer):
    """What a new password closed."""

    sessions_ended: int
    tokens_revoked: int
    links_revoked: int


class SessionRecord(Answer):
    """Where an account is logged in; ``present`` marks the session that asks."""

    address: str | None
    agent: str | None
    begun_at: Moment | None
    used_at: Moment | None
    present: bool


class SessionsEnded(Answer):
    """How many sessions were ended."""

    sessions_ended: int


class TokenRecord(Answer):
    """An API token's record, without its text."""

    id: Identifier
    name: str
    created_at: Moment
    last_used_at: Moment | None


class MadeToken(TokenRecord):
    """A new API token; its text is told this once."""

    token: str
