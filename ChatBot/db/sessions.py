"""Browser sessions: what a cookie stands for, gone at logout."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field
from pymongo import ASCENDING, IndexModel

from ChatBot.db.repository import Repository
from ChatBot.models import Model


class OpenSession(Model):
    """Where an account is logged in. ``key`` is the SHA-256 of the cookie; it never leaves the server."""

    key: str
    begun_at: datetime | None = None
    used_at: datetime | None = Field(default=None, validation_alias="_renewed_at")
    """When the session was last renewed: it is, once a day, when it is used."""
    address: str | None = None
    agent: str | None = None


class Sessions(Repository):
    """Session data by the SHA-256 of the cookie; MongoDB removes the expired ones."""

    collection_name = "sessions"
    indexes = (
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        IndexModel([("user_id", ASCENDING)]),
    )

    def load(self, key: str, at: datetime) -> dict[str, Any] | None:
        """Return a session's data, or None when it is unknown or expired at that time."""
        document = self._collection.find_one({"_id": key, "expires_at": {"$gt": at}})
        return document["data"] if document else None

    def begin(self, key: str, data: dict[str, Any], user_id: str | None, expires_at: datetime) -> None:
        """Store a new session."""
        self._collection.insert_one({"_id": key, "data": data, "user_id": user_id, "expires_at": expires_at})

    def renew(self, key: str, data: dict[str, Any], user_id: str | None, expires_at: datetime) -> bool:
        """Store an open session's data; False when it was ended meanwhile, for what has ended never comes back."""
        change = {"$set": {"data": data, "user_id": user_id, "expires_at": expires_at}}
        return self._collection.update_one({"_id": key}, change).matched_count == 1

    def remove(self, key: str) -> None:
        """End a session."""
        self._collection.delete_one({"_id": key})

    def remove_of(self, user_id: str, *, but: str | None = None) -> int:
        """End every session of an account, but for that one, and return how many there were."""
        return self._collection.delete_many({"user_id": user_id, "_id": {"$ne": but}}).deleted_count

    def of(self, user_id: str, at: datetime) -> list[OpenSession]:
        """Return the sessions of an account that are open at that time, the newest first."""
        found = self._collection.find({"user_id": user_id, "expires_at": {"$gt": at}})
        open_now = [OpenSession.from_document({**each["data"], "key": each["_id"]}) for each in found]
        return sorted(open_now, key=lambda each: each.begun_at or each.used_at or at, reverse=True)
