"""Share links."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from ChatBot.db.repository import UNRECORDED, Document, Repository, changing
from ChatBot.models import Share, now


class Shares(Repository):
    """Share links by the SHA-256 of their token."""

    collection_name = "shares"
    indexes = (
        IndexModel([("token_hash", ASCENDING)], unique=True),
        IndexModel([("owner_id", ASCENDING), ("created_at", DESCENDING)]),
        IndexModel([("conversation_id", ASCENDING)]),
        UNRECORDED,
    )

    def add(self, share: Share) -> None:
        """Store a new share."""
        self._collection.insert_one(share.to_document())

    def open(self, token_hash: str, at: datetime) -> Share | None:
        """Return the share of that token if it is neither revoked nor expired at that time."""
        share = self._one({"token_hash": token_hash, "revoked_at": None})
        if share is None or (share.expires_at is not None and share.expires_at <= at):
            return None
        return share

    def count_view(self, share_id: str) -> None:
        """Note that the page was opened once more; not worth a new record."""
        self._collection.update_one({"_id": share_id}, {"$inc": {"views": 1}})

    def of(self, owner_id: str, limit: int, before: tuple[datetime, str] | None = None) -> list[Share]:
        """Return an account's unrevoked shares, newest first."""
        query: Document = {"owner_id": owner_id, "revoked_at": None}
        if before:
            moment, last_id = before
            query["$or"] = [{"created_at": {"$lt": moment}}, {"created_at": moment, "_id": {"$lt": last_id}}]
        cursor = self._collection.find(query).sort([("created_at", DESCENDING), ("_id", DESCENDING)]).limit(limit)
        return [Share.from_document(document) for document in cursor]

    def each(self) -> Iterator[Share]:
        """Yield every share, closed ones too, newest first."""
        for document in self._collection.find().sort([("created_at", DESCENDING), ("_id", DESCENDING)]):
            yield Share.from_document(document)

    def each_open(self, at: datetime) -> Iterator[Share]:
        """Yield the shares that are neither revoked nor expired at that time."""
        for document in self._collection.find({"revoked_at": None}):
            share = Share.from_document(document)
            if share.expires_at is None or share.expires_at > at:
                yield share

    def close(self, share_id: str) -> bool:
        """Close a share of any account at once; False when there is no open one of that id."""
        query = {"_id": share_id, "revoked_at": None}
        return self._collection.update_one(query, changing({"$set": {"revoked_at": now()}})).modified_count == 1

    def revoke(self, share_id: str, owner_id: str) -> bool:
        """Close a share of that account at once; False when it has none of that id."""
        query = {"_id": share_id, "owner_id": owner_id, "revoked_at": None}
        return self._collection.update_one(query, changing({"$set": {"revoked_at": now()}})).modified_count == 1

    def revoke_of(self, conversation_id: str) -> None:
        """Close every share of a conversation."""
        query = {"conversation_id": conversation_id, "revoked_at": None}
        self._collection.update_many(query, changing({"$set": {"revoked_at": now()}}))

    def _one(self, query: Document) -> Share | None:
        document = self._collection.find_one(query)
        return Share.from_document(document) if document else None
