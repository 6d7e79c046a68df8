"""What is in the trash of an account, what was put there last first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from ChatBot.db.images import Located
from ChatBot.db.messages import Messages
from ChatBot.db.repository import Document, Repository
from ChatBot.models import Image

TRASHED: Document = {"images.trashed_at": {"$type": "date"}}


class Trash(Repository):
    """The trashed pictures of the ``messages`` collection."""

    collection_name = Messages.collection_name
    indexes = (
        IndexModel(
            [("owner_id", ASCENDING), ("images.trashed_at", DESCENDING)],
            partialFilterExpression=TRASHED,
            name="own_trash",
        ),
    )

    def page(self, owner_id: str, limit: int, before: tuple[datetime, str] | None = None) -> list[Image]:
        """Return trashed pictures and files, the newest first, after the (trashed_at, id) position."""
        after: Document = {}
        if before:
            moment, last_id = before
            earlier = [
                {"images.trashed_at": {"$lt": moment}},
                {"images.trashed_at": moment, "images.id": {"$lt": last_id}},
            ]
            after = {"$or": earlier}
        return [each.image for each in self._located(owner_id, after, limit)]

    def find_many(self, owner_id: str, image_ids: Sequence[str]) -> list[Located]:
        """Return those of the pictures that are in that account's trash."""
        return self._located(owner_id, {"images.id": {"$in": list(image_ids)}}, len(image_ids)) if image_ids else []

    def _located(self, owner_id: str, wanted: Document, limit: int) -> list[Located]:
        """A draft's pictures are left out: nobody was ever shown them."""
        rows = self._collection.aggregate(
            [
                {"$match": {"owner_id": owner_id, "draft_of": None, **TRASHED}},
                {"$unwind": "$images"},
                {"$match": {**TRASHED, **wanted}},
                {"$sort": {"images.trashed_at": DESCENDING, "images.id": DESCENDING}},
                {"$limit": limit},
            ]
        )
        return [Located(Image.from_document(row["images"]), row["_id"], row["conversation_id"]) for row in rows]
