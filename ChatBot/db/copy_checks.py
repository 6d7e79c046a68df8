"""Which cloud copies are to be read again: proofs that have grown old, and copies in doubt."""

from __future__ import annotations

from datetime import datetime

from pymongo import ASCENDING, IndexModel

from ChatBot.db.images import Located
from ChatBot.db.messages import HAS_IMAGES, Messages
from ChatBot.db.repository import Document, Repository
from ChatBot.models import Copy, Image

HAS_PROOF: Document = {"images.copies.verified_at": {"$exists": True}}


class CopyChecks(Repository):
    """The copies inside the ``messages`` collection, by the age of their proof."""

    collection_name = Messages.collection_name
    indexes = (
        IndexModel([("images.copies.verified_at", ASCENDING)], partialFilterExpression=HAS_PROOF, name="proofs"),
    )

    def due(self, host: str, proved_before: datetime, at: datetime, limit: int) -> list[tuple[Located, Copy]]:
        """Return copies on a host that are due, of untrashed pictures: the oldest proof first.

        Due are verified ones whose proof is older than ``proved_before``, and suspect ones, unless they are to be
        left alone until after ``at``.
        """
        # Broad conditions that an index serves; what exactly is due is decided copy by copy.
        broad: list[Document] = [
            {"images.copies.verified_at": {"$lt": proved_before}},
            {"images.copies.state": "suspect", **HAS_IMAGES},
        ]
        rows = self._collection.aggregate(
            [
                {"$match": {"$or": broad}},
                {"$unwind": "$images"},
                {"$match": {"images.trashed_at": None}},
                {"$project": {"conversation_id": 1, "image": "$images", "copy": "$images.copies"}},
                {"$unwind": "$copy"},
                {"$match": _due(host, proved_before, at)},
                {"$sort": {"copy.verified_at": ASCENDING}},
                {"$limit": limit},
            ]
        )
        return [
            (Located(Image.from_document(row["image"]), row["_id"], row["conversation_id"]), Copy(**row["copy"]))
            for row in rows
        ]


def _due(host: str, proved_before: datetime, at: datetime) -> Document:
    turn: Document = {"$or": [{"copy.next_at": None}, {"copy.next_at": {"$lte": at}}]}
    old: Document = {"copy.state": "verified", "copy.verified_at": {"$lt": proved_before}}
    return {"copy.host": host, "copy.url": {"$ne": None}, "$and": [turn, {"$or": [old, {"copy.state": "suspect"}]}]}
