"""Browser sessions: what a cookie stands for, gone at logout."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel

from ChatBot.db.repository import Repository


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

    def save(self, key: str, data: dict[str, Any], user_id: str | None, expires_at: datetime) -> None:
        """Store a session's data."""
        self._collection.replace_one(
            {"_id": key}, {"data": data, "user_id": user_id, "expires_at": expires_at}, upsert=True
        )

    def remove(self, key: str) -> None:
        """End a session."""
        self._collection.delete_one({"_id": key})

    def remove_of(self, user_id: str) -> int:
        """End every session of an account and return how many there were."""
        return self._collection.delete_many({"user_id": user_id}).deleted_count
