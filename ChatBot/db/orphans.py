"""Copies on hosts that belong to no picture: uploaded, then not wanted, and not yet proved to be gone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from pymongo import ASCENDING, IndexModel, ReturnDocument

from ChatBot.db.repository import Repository
from ChatBot.models import Model, new_id, now

OrphanState = Literal["open", "manual", "gone"]
KEPT_SECONDS = 365 * 24 * 3600
"""How long a deleted one is counted."""


class Orphan(Model):
    """A copy to be deleted. Its addresses are secrets: they never leave the server and go when it is gone."""

    id: str
    image_id: str
    """The picture it was meant for, which may live on with another copy."""
    host: str
    at: datetime
    state: OrphanState = "open"
    url: str | None = None
    delete_url: str | None = None
    page_url: str | None = None
    attempts: int = 0
    next_at: datetime | None = None


class Orphans(Repository):
    """Orphans by id, with the time of the next attempt to delete each."""

    collection_name = "orphans"
    indexes = (
        IndexModel([("state", ASCENDING), ("next_at", ASCENDING)]),
        IndexModel([("gone_at", ASCENDING)], expireAfterSeconds=KEPT_SECONDS),
    )

    def add(self, image_id: str, host: str, **addresses: str | None) -> None:
        """Note a copy that belongs to nothing; its deletion is tried from now on."""
        moment = now()
        orphan = Orphan(id=new_id(), image_id=image_id, host=host, at=moment, next_at=moment)
        fields = orphan.model_copy(update=addresses).model_dump()
        self._collection.insert_one({"_id": fields.pop("id"), **fields})

    def claim(self, at: datetime, wait: timedelta) -> Orphan | None:
        """Take one whose turn has come, and put off its next turn; None when there is none."""
        document = self._collection.find_one_and_update(
            {"state": "open", "next_at": {"$lte": at}},
            {"$set": {"next_at": at + wait}, "$inc": {"attempts": 1}},
            sort=[("next_at", ASCENDING)],
            return_document=ReturnDocument.AFTER,
        )
        return Orphan.from_document(document) if document else None

    def postpone(self, orphan_id: str, until: datetime) -> None:
        """Try that one again at that time."""
        self._collection.update_one({"_id": orphan_id}, {"$set": {"next_at": until}})

    def settle(self, orphan_id: str, state: OrphanState) -> None:
        """Note that one is gone, which also forgets its addresses, or that only a person can delete it."""
        if state == "gone":
            secrets = {"url": None, "delete_url": None, "page_url": None}
            self._collection.update_one({"_id": orphan_id}, {"$set": {"state": state, "gone_at": now(), **secrets}})
        else:
            self._collection.update_one({"_id": orphan_id}, {"$set": {"state": state}})

    def counted(self) -> list[dict[str, Any]]:
        """Return how many there are by host and state, and when the last of them came; no address."""
        rows = self._collection.aggregate(
            [
                {
                    "$group": {
                        "_id": {"host": "$host", "state": "$state"},
                        "count": {"$sum": 1},
                        "last_at": {"$max": "$at"},
                    }
                },
                {"$sort": {"_id.host": 1, "_id.state": 1}},
            ]
        )
        return [{**row["_id"], "count": row["count"], "last_at": row["last_at"]} for row in rows]
