"""Share links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from ChatBot.db.repository import UNRECORDED, Document, Repository, changing
from ChatBot.models import Share, now


def closing(at: datetime) -> Document:
    """Return the update that closes a share: what it showed goes with it."""
    return changing({"$set": {"revoked_at": at, "title": "", "messages": [], "image_ids": []}})


class Shares(Repository):
    """Share links by the SHA-256 of their token."""

    collection_name = "shares"
    indexes = (
        IndexModel([("token_hash", ASCENDING)], unique=True),
        IndexModel([("owner_id", ASCENDING), ("created_at", DESCENDING)]),
        IndexModel([("conversation_id", ASCENDING)]),
        IndexModel([("image_ids", ASCENDING)]),
        UNRECORDED,
    )

    def add(self, share: Share) -> None:
        """Store a new share."""
        self._collection.insert_one(share.to_document())

    def open(self, token_hash: str, at: datetime) -> Share | None:
        """Return the share of that token if it is neither revoked nor expired at that time."""
        share = self._one({"token_hash": token_hash, "revoked_at": None})
        return share if share is not None and share.state(at) == "open" else None

    def count_view(self, share_id: str) -> None:
        """Note that the page was opened once more; not worth a new record."""
        self._collection.update_one({"_id": share_id}, {"$inc": {"views": 1}})

    def of(
        self,
        owner_id: str,
        limit: int,
        before: tuple[datetime, str] | None = None,
        *,
        conversation_id: str | None = None,
    ) -> list[Share]:
        """Return an account's unrevoked shares, newest first; those of one conversation if it is named."""
        query: Document = {"owner_id": owner_id, "revoked_at": None}
        if conversation_id is not None:
            query["conversation_id"] = conversation_id
        if before:
            moment, last_id = before
            query["$or"] = [{"created_at": {"$lt": moment}}, {"created_at": moment, "_id": {"$lt": last_id}}]
        cursor = self._collection.find(query).sort([("created_at", DESCENDING), ("_id", DESCENDING)]).limit(limit)
        return [Share.from_document(document) for document in cursor]

    def of_conversation(self, conversation_id: str) -> list[Share]:
        """Return the unrevoked shares of a conversation."""
        cursor = self._collection.find({"conversation_id": conversation_id, "revoked_at": None})
        return [Share.from_document(document) for document in cursor]

    def freeze(self, share: Share) -> None:
        """Write down what an open share shows, as ``share`` has it; from now on it is a snapshot."""
        fields = share.to_document()
        written = {name: fields[name] for name in ("title", "messages", "image_ids")}
        query = {"_id": share.id, "revoked_at": None}
        self._collection.update_one(query, changing({"$set": {"live": False, **written}}))

    def pinned(self, owner_id: str, image_ids: Sequence[str], at: datetime) -> set[str]:
        """Return which of an account's pictures its open snapshots show."""
        open_still = {"revoked_at": None, "$or": [{"expires_at": None}, {"expires_at": {"$gt": at}}]}
        query = {"image_ids": {"$in": list(image_ids)}, "owner_id": owner_id, **open_still}
        cursor = self._collection.find(query, {"image_ids": 1})
        return {image_id for document in cursor for image_id in document["image_ids"]} & set(image_ids)

    def each(self) -> Iterator[Share]:
        """Yield every share, closed ones too, newest first."""
        for document in self._collection.find().sort([("created_at", DESCENDING), ("_id", DESCENDING)]):
            yield Share.from_document(document)

    def each_open(self, at: datetime) -> Iterator[Share]:
        """Yield the shares that are neither revoked nor expired at that time."""
        for document in self._collection.find({"revoked_at": None}):
            share = Share.from_document(document)
            if share.state(at) == "open":
                yield share

    def close(self, share_id: str) -> bool:
        """Close a share of any account at once; False when there is no open one of that id."""
        query = {"_id": share_id, "revoked_at": None}
        return self._collection.update_one(query, closing(now())).modified_count == 1

    def revoke(self, share_id: str, owner_id: str) -> bool:
        """Close a share of that account at once; False when it has none of that id."""
        query = {"_id": share_id, "owner_id": owner_id, "revoked_at": None}
        return self._collection.update_one(query, closing(now())).modified_count == 1

    def revoke_of(self, conversation_id: str) -> None:
        """Close every share of a conversation."""
        query = {"conversation_id": conversation_id, "revoked_at": None}
        self._collection.update_many(query, closing(now()))

    def _one(self, query: Document) -> Share | None:
        document = self._collection.find_one(query)
        return Share.from_document(document) if document else None
