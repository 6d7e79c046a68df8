"""Single facts about the whole installation, one document each."""

from __future__ import annotations

from dataclasses import dataclass

from ChatBot.db.repository import Repository
from ChatBot.models import now

STORAGE = "storage"


@dataclass(frozen=True)
class StorageMark:
    """The storage folder that belongs to this database, and where its file system was mounted when they met."""

    volume_id: str
    mount_point: str


class Marks(Repository):
    """The collection ``marks``."""

    collection_name = "marks"

    def storage(self) -> StorageMark | None:
        """Return the mark of the storage folder, None before the first start."""
        document = self._collection.find_one({"_id": STORAGE})
        return StorageMark(document["volume_id"], document["mount_point"]) if document else None

    def claim_storage(self, mark: StorageMark) -> StorageMark:
        """Note which storage folder is ours unless there is one already; returns the one that counts."""
        fields = {"volume_id": mark.volume_id, "mount_point": mark.mount_point, "at": now()}
        self._collection.update_one({"_id": STORAGE}, {"$setOnInsert": fields}, upsert=True)
        return self.storage() or mark
