"""Server-side browser sessions: the cookie is a random key, its data lives in MongoDB and dies at logout.

Flask's own signed cookie would stay valid after logout, and Flask-Session keeps the key itself in the database; here
only its SHA-256 is stored.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from ChatBot.db.sessions import Sessions
from ChatBot.errors import ChatBotError, DatabaseUnavailable
from ChatBot.models import User, now
from ChatBot.services.accounts import digest

LIFE = timedelta(days=30)
RENEW_AFTER = timedelta(days=1)
KEY_BYTES = 32
UNLOCKED = "unlocked_shares"
"""The links whose password a visitor gave: all that a session keeps when somebody logs in."""
PASSWORD_CHANGES = "password_changes"  # noqa: S105 - a name, no password
FAILURE = "chatbot.failure"
"""Where a request carries the error that it met on its way to Flask, and that is to be its answer."""


class ServerSession(CallbackDict[str, Any], SessionMixin):
    """The data of one browser session."""

    def __init__(self, key: str | None, data: dict[str, Any]) -> None:
        super().__init__(data, self._on_update)
        self.key = key
        self.stale_key: str | None = None
        self.new = key is None
        self.modified = False
        self.accessed = True
        self.failure: ChatBotError | None = None

    @classmethod
    def unreadable(cls, failure: ChatBotError) -> ServerSession:
        """Return the stand-in for a session that could not be loaded; it is never saved."""
        session = cls(None, {})
        session.failure = failure
        return session

    def rotate(self) -> None:
        """Give the session a new key, so that one known before a login is worth nothing after it."""
        self.stale_key = self.stale_key or self.key
        self.key = None
        self.modified = True

    def _on_update(self, _: object) -> None:
        self.modified = True


def outdated(data: Mapping[str, Any], user: User) -> bool:
    """Say whether a session was begun under a password that its account has no more, however late it was written."""
    return bool(data.get(PASSWORD_CHANGES, 0) != user.password_changes)


def due_for_renewal(data: Mapping[str, Any]) -> bool:
    """Say whether a session in use is to be stored again, so that it does not end."""
    moment = now()
    renewed: datetime = data.get("_renewed_at", moment)
    return moment - renewed > RENEW_AFTER


class MongoSessions(SessionInterface):
    """Loads and saves sessions through the repository."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def data_of(self, key: str) -> dict[str, Any] | None:
        """Return what the session of that cookie holds now, None when there is none; raises ``DatabaseUnavailable``."""
        return self._sessions.load(digest(key), now())

    def open_session(self, app: Flask, request: Request) -> ServerSession:
        """Return the session of the request's cookie, or an empty one."""
        if (failure := request.environ.get(FAILURE)) is not None:
            return ServerSession.unreadable(failure)
        key = request.cookies.get(self.get_cookie_name(app))
        try:
            data = self.data_of(key) if key else None
        except DatabaseUnavailable as error:  # raised by the guard, where it becomes an answer
            return ServerSession.unreadable(error)
        if data is None:
            return ServerSession(None, {})
        session = ServerSession(key, data)
        session.modified = due_for_renewal(session)
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Store a changed session and set its cookie; an emptied one ends.

        Raises ``DatabaseUnavailable`` once: the answer that says so has no session to save.
        """
        assert isinstance(session, ServerSession)  # noqa: S101 - made by open_session above
        if session.failure:
            return
        try:
            self._save(app, session, response)
        except DatabaseUnavailable as error:
            session.failure = error
            raise

    def _save(self, app: Flask, session: ServerSession, response: Response) -> None:
        if session.stale_key:
            self._sessions.remove(digest(session.stale_key))
        if not session.modified:
            return
        if not any(not name.startswith("_renewed") for name in session):
            self._end(app, session, response)
            return
        expires = now() + LIFE
        if not self._store(session, expires):
            response.delete_cookie(self.get_cookie_name(app), path="/")
            return
        response.set_cookie(
            self.get_cookie_name(app),
            session.key or "",
            expires=expires,
            httponly=True,
            secure=self.get_cookie_secure(app) or request.is_secure,
            samesite="Lax",
            path="/",
        )
        response.vary.add("Cookie")

    def _store(self, session: ServerSession, expires: datetime) -> bool:
        """Write the session's data; False when another request ended it meanwhile."""
        session["_renewed_at"] = now()
        data, user_id = dict(session), session.get("_user_id")
        if session.key:
            return self._sessions.renew(digest(session.key), data, user_id, expires)
        session.key = secrets.token_urlsafe(KEY_BYTES)
        self._sessions.begin(digest(session.key), data, user_id, expires)
        return True

    def _end(self, app: Flask, session: ServerSession, response: Response) -> None:
        if session.key:
            self._sessions.remove(digest(session.key))
            response.delete_cookie(self.get_cookie_name(app), path="/")
