"""What was deleted for good, so that nothing brings it back."""

from __future__ import annotations

from pymongo import ASCENDING, IndexModel

from ChatBot.db.repository import UNRECORDED, Repository
from ChatBot.models import Image, Tombstone, now


class Tombstones(Repository):
    """One small document per purged picture: id, owner, time and hash, nothing else."""

    collection_name = "tombstones"
    indexes = (IndexModel([("sha256", ASCENDING)]), UNRECORDED)

    def add(self, image: Image) -> bool:
        """Record that a picture is gone for good; repeating it is harmless and returns False."""
        mark = Tombstone(id=image.id, owner_id=image.owner_id, sha256=image.sha256, deleted_at=now()).to_document()
        done = self._collection.update_one({"_id": mark.pop("_id")}, {"$setOnInsert": mark}, upsert=True)
        return done.upserted_id is not None

    def among(self, image_ids: list[str]) -> set[str]:
        """Return which of those ids were purged."""
        return {document["_id"] for document in self._collection.find({"_id": {"$in": image_ids}}, {"_id": 1})}
