"""Links that show one picture to whoever has them."""

from __future__ import annotations

from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from ChatBot.db.repository import UNRECORDED, Document, Repository, changing
from ChatBot.models import PictureLink, now


class PictureLinks(Repository):
    """Permanent links to pictures by the SHA-256 of their token."""

    collection_name = "picture_links"
    indexes = (
        IndexModel([("token_hash", ASCENDING)], unique=True),
        IndexModel([("owner_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
        UNRECORDED,
    )

    def add(self, link: PictureLink) -> None:
        """Store a new link."""
        self._collection.insert_one(link.to_document())

    def open(self, token_hash: str) -> PictureLink | None:
        """Return the unrevoked link of that token."""
        document = self._collection.find_one({"token_hash": token_hash, "revoked_at": None})
        return PictureLink.from_document(document) if document else None

    def note_use(self, link_id: str, day: datetime) -> None:
        """Note on which day a link was used last; not worth a new record, nor a write for every look."""
        self._collection.update_one({"_id": link_id, "last_used_at": {"$ne": day}}, {"$set": {"last_used_at": day}})

    def of(self, owner_id: str, limit: int, before: tuple[datetime, str] | None = None) -> list[PictureLink]:
        """Return an account's unrevoked links, newest first, after the (created_at, id) position ``before``."""
        query: Document = {"owner_id": owner_id, "revoked_at": None}
        if before:
            moment, last_id = before
            query["$or"] = [{"created_at": {"$lt": moment}}, {"created_at": moment, "_id": {"$lt": last_id}}]
        cursor = self._collection.find(query).sort([("created_at", DESCENDING), ("_id", DESCENDING)]).limit(limit)
        return [PictureLink.from_document(document) for document in cursor]

    def revoke(self, link_id: str, owner_id: str) -> bool:
        """Close a link of that account at once; False when it has none of that id."""
        query = {"_id": link_id, "owner_id": owner_id, "revoked_at": None}
        return self._collection.update_one(query, changing({"$set": {"revoked_at": now()}})).modified_count == 1

    def revoke_all(self, owner_id: str) -> int:
        """Close every link of an account; returns how many."""
        query = {"owner_id": owner_id, "revoked_at": None}
        return self._collection.update_many(query, changing({"$set": {"revoked_at": now()}})).modified_count
