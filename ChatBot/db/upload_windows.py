"""How many uploads went to each cloud host in an hour, counted by all processes together."""

from __future__ import annotations

from datetime import datetime, timedelta

from pymongo import ASCENDING, IndexModel, ReturnDocument

from ChatBot.db.repository import Document, Repository

WINDOW = timedelta(hours=1)


class UploadWindows(Repository):
    """One short-lived document per host and clock hour (UTC)."""

    collection_name = "upload_windows"
    indexes = (IndexModel([("ends_at", ASCENDING)], expireAfterSeconds=0),)

    def count(self, host: str, at: datetime) -> int:
        """Count an upload that is about to be tried, and return the how-manieth of its hour it is."""
        document: Document | None = self._collection.find_one_and_update(
            {"_id": _key(host, at)},
            {"$inc": {"count": 1}, "$setOnInsert": {"ends_at": window_end(at)}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return int(document["count"]) if document else 1

    def counted(self, host: str, at: datetime) -> int:
        """Return how many were counted in that hour."""
        document = self._collection.find_one({"_id": _key(host, at)})
        return int(document["count"]) if document else 0


def window_end(at: datetime) -> datetime:
    """Return the full hour that comes next."""
    return at.replace(minute=0, second=0, microsecond=0) + WINDOW


def _key(host: str, at: datetime) -> str:
    return f"{host} {window_end(at) - WINDOW:%Y-%m-%dT%H}"
