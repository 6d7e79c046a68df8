"""Guesses at secrets that people choose: how many there were, and until when no further one is taken."""

from __future__ import annotations

from datetime import datetime, timedelta

from pymongo import ASCENDING, IndexModel, ReturnDocument

from ChatBot.db.repository import Document, Repository


class Guesses(Repository):
    """One short-lived document per key; all processes count together."""

    collection_name = "guesses"
    indexes = (IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),)

    def count(self, key: str, at: datetime, *, free: int, longest: timedelta, remembered: timedelta) -> datetime | None:
        """Count a guess that is about to be tried, and return None; or return until when it has to wait.

        ``free`` guesses come at once; after each further one the wait is twice as long, up to ``longest``. It is one
        atomic step, so that a hundred guesses at the same moment are counted one after the other.
        """
        number = {"$add": [{"$cond": [_still_known(at), {"$ifNull": ["$count", 0]}, 0]}, 1]}
        power = {"$min": [{"$subtract": [number, free]}, 30]}
        delay = {"$min": [{"$multiply": [1000, {"$pow": [2, power]}]}, longest.total_seconds() * 1000]}
        until = {"$cond": [{"$gt": [number, free]}, {"$add": [at, {"$toLong": delay}]}, None]}
        counted = {"count": number, "blocked_until": until, "expires_at": at + longest + remembered}
        waits = {"$gt": [{"$ifNull": ["$blocked_until", at]}, at]}
        update = [{"$set": {name: {"$cond": [waits, f"${name}", value]} for name, value in counted.items()}}]
        before: Document | None = self._collection.find_one_and_update(
            {"_id": key}, update, upsert=True, return_document=ReturnDocument.BEFORE
        )
        until_before = before.get("blocked_until") if before else None
        return until_before if until_before is not None and until_before > at else None

    def forget(self, key: str) -> None:
        """Begin anew: the guess was right."""
        self._collection.delete_one({"_id": key})


def _still_known(at: datetime) -> Document:
    """MongoDB removes expired documents once a minute, not to the second."""
    return {"$gt": [{"$ifNull": ["$expires_at", at]}, at]}
