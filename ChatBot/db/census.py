"""Counts over all accounts, for operators: what is stored, what is still owed, what fails, what nobody looks at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pymongo.collection import Collection
from pymongo.database import Database

from ChatBot.db.messages import HAS_IMAGES, Messages
from ChatBot.db.repository import Document, Repository
from ChatBot.db.views import VIEWS
from ChatBot.models import UNSETTLED_COPY_STATES, Copy

FAILED_STATES = ("retry", "refused", "suspect")


class Failure(Copy):
    """A copy that did not work out, and the picture it is of."""

    image_id: str


class Census(Repository):
    """Reads the ``messages`` collection and its neighbours; changes nothing."""

    collection_name = Messages.collection_name

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database)
        self._conversations: Collection[Document] = database["conversations"]
        self._users: Collection[Document] = database["users"]

    def totals(self) -> dict[str, int]:
        """Return the number of accounts, conversations, pictures and trashed pictures, and the pictures' bytes."""
        trashed = {"$ne": [{"$ifNull": ["$images.trashed_at", None]}, None]}
        pipeline: list[Document] = [
            {"$match": HAS_IMAGES},
            {"$project": {"images.size": 1, "images.trashed_at": 1}},
            {"$unwind": "$images"},
            {"$group": {"_id": trashed, "count": {"$sum": 1}, "bytes": {"$sum": "$images.size"}}},
        ]
        rows = {row["_id"]: row for row in self._collection.aggregate(pipeline)}
        kept, gone = (rows.get(each, {"count": 0, "bytes": 0}) for each in (False, True))
        return {
            "users": self._users.count_documents({}),
            "conversations": self._conversations.estimated_document_count(),
            "pictures": kept["count"],
            "bytes": kept["bytes"],
            "trashed": gone["count"],
            "trashed_bytes": gone["bytes"],
        }

    def outbox(self) -> tuple[int, datetime | None]:
        """Return how many copies are still owed, and since when the oldest of them is."""
        owed = {"$in": sorted(UNSETTLED_COPY_STATES)}
        pipeline: list[Document] = [
            {"$match": {"images.copies.state": owed, **HAS_IMAGES}},
            {"$project": {"images.created_at": 1, "images.copies.state": 1, "images.trashed_at": 1}},
            {"$unwind": "$images"},
            {"$match": {"images.trashed_at": None}},
            {"$unwind": "$images.copies"},
            {"$match": {"images.copies.state": owed}},
            {"$group": {"_id": None, "depth": {"$sum": 1}, "oldest": {"$min": "$images.created_at"}}},
        ]
        for row in self._collection.aggregate(pipeline):
            return row["depth"], row["oldest"]
        return 0, None

    def failures(self, limit: int) -> list[Failure]:
        """Return the copies of the newest pictures that failed, refused ones and suspect ones included."""
        failed = {"$in": list(FAILED_STATES)}
        pipeline: list[Document] = [
            {"$match": {"images.copies.state": failed, **HAS_IMAGES}},
            {"$sort": {"created_at": -1}},
            {"$limit": limit},
            {"$unwind": "$images"},
            {"$match": {"images.trashed_at": None}},
            {"$unwind": "$images.copies"},
            {"$match": {"images.copies.state": failed}},
            {"$limit": limit},
            {"$replaceWith": {"$mergeObjects": ["$images.copies", {"image_id": "$images.id"}]}},
        ]
        return [Failure.from_document(row) for row in self._collection.aggregate(pipeline)]

    def least_viewed(self) -> Iterator[str]:
        """Yield the ids of pictures with a local file and an exact cloud copy, the longest unseen ones first."""
        safe = {"$elemMatch": {"state": "verified", "fidelity": "exact"}}
        evictable: dict[str, Any] = {"local": "present", "trashed_at": None, "copies": safe}
        pipeline: list[Document] = [
            {"$match": {"images": {"$elemMatch": evictable}, **HAS_IMAGES}},
            {"$unwind": "$images"},
            {"$match": {f"images.{name}": value for name, value in evictable.items()}},
            {"$project": {"id": "$images.id", "made": "$images.created_at"}},
            {"$lookup": {"from": VIEWS, "localField": "id", "foreignField": "_id", "as": "view"}},
            {"$set": {"seen": {"$ifNull": [{"$first": "$view.viewed_on"}, "$made"]}}},
            {"$sort": {"seen": 1, "made": 1}},
        ]
        for row in self._collection.aggregate(pipeline, allowDiskUse=True):
            yield row["id"]
