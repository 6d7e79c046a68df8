"""Messages, each with its pictures embedded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument

from ChatBot.db.repository import UNRECORDED, Document, Repository, changing
from ChatBot.models import RECORD_PLACES, Image, Kind, Message, MessageStatus, now, reason_document
from ChatBot.sentence import Sentence

HAS_IMAGES: Document = {"images.id": {"$exists": True}}
"""The filter of the partial indexes: a message without pictures takes no room in them."""

NAMED: Document = {"images.url": {"$exists": True}}
"""Only the original design put an address into the picture itself; such a message waits to be turned into ours."""

RUNNING: tuple[MessageStatus, ...] = ("queued", "streaming")


class Messages(Repository):
    """Messages in the order of their creation. Picture fields are changed through ``Images``, one at a time."""

    collection_name = "messages"
    indexes = (
        IndexModel([("conversation_id", ASCENDING), ("created_at", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("images.id", ASCENDING)], unique=True, partialFilterExpression=HAS_IMAGES),
        IndexModel(
            [("owner_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)],
            partialFilterExpression=HAS_IMAGES,
            name="gallery",
        ),
        IndexModel([("created_at", ASCENDING), ("_id", ASCENDING)], partialFilterExpression=HAS_IMAGES, name="by_age"),
        IndexModel([("images.trashed_at", ASCENDING)], partialFilterExpression=HAS_IMAGES, name="trash"),
        IndexModel(
            [("images.copies.state", ASCENDING), ("images.copies.next_at", ASCENDING)],
            partialFilterExpression=HAS_IMAGES,
            name="outbox",
        ),
        IndexModel(
            [("owner_id", ASCENDING), ("idempotency_key", ASCENDING)],
            unique=True,
            partialFilterExpression={"idempotency_key": {"$type": "string"}},
            name="idempotency",
        ),
        IndexModel([("status", ASCENDING)], partialFilterExpression={"status": {"$in": list(RUNNING)}}, name="running"),
        IndexModel([("images.url", ASCENDING)], partialFilterExpression=NAMED, name="original"),
        IndexModel(
            [("images.original_url", ASCENDING)],
            partialFilterExpression={"images.original_url": {"$type": "string"}},
            name="original_address",
        ),
        UNRECORDED,
    )

    def add(self, *messages: Message) -> None:
        """Store new messages; raises ``Conflict`` when an idempotency key is already used."""
        self._collection.insert_many([_new_document(message) for message in messages])

    def get(self, message_id: str) -> Message | None:
        """Return the message of that id."""
        document = self._collection.find_one({"_id": message_id})
        return Message.from_document(document) if document else None

    def by_key(self, owner_id: str, idempotency_key: str) -> Message | None:
        """Return the message that an account's idempotency key made."""
        document = self._collection.find_one({"owner_id": owner_id, "idempotency_key": idempotency_key})
        return Message.from_document(document) if document else None

    def of(self, conversation_id: str, until: datetime | None = None) -> list[Message]:
        """Return a conversation's messages, oldest first, up to and including that time."""
        query: Document = {"conversation_id": conversation_id}
        if until is not None:
            query["created_at"] = {"$lte": until}
        cursor = self._collection.find(query).sort([("created_at", ASCENDING), ("_id", ASCENDING)])
        return [Message.from_document(document) for document in cursor]

    def settle(
        self,
        message_id: str,
        status: MessageStatus,
        *,
        expected: Collection[MessageStatus] = RUNNING,
        error: Sentence | None = None,
        over_quota: bool = False,
        images: Sequence[Image] = (),
        content: str | None = None,
    ) -> Message | None:
        """Move a message from one of the expected states to ``status``, with its pictures, in one write.

        Returns the message as it then is, or None when it was in another state (the write did not happen).
        """
        reason = None if error is None else reason_document(error)
        changes: Document = {"$set": {"status": status, "error": reason, "updated_at": now()}}
        if over_quota:
            changes["$set"]["over_quota"] = True
        if content is not None:
            changes["$set"]["content"] = content
        if images:
            changes["$push"] = {"images": {"$each": [image.to_document() for image in images]}}
        if images or status not in RUNNING:  # words that still stream are not worth a record
            changes = changing(changes)
        document = self._collection.find_one_and_update(
            {"_id": message_id, "status": {"$in": list(expected)}}, changes, return_document=ReturnDocument.AFTER
        )
        return Message.from_document(document) if document else None

    def set_content(self, message_id: str, content: str) -> None:
        """Replace the text of a message that is still being written."""
        self._collection.update_one(
            {"_id": message_id, "status": {"$in": list(RUNNING)}}, {"$set": {"content": content, "updated_at": now()}}
        )

    def begin(self, message_id: str, owner: str, until: datetime) -> Message | None:
        """Take a queued answer to work on it; None when it is not queued any more or another process holds it."""
        document = self._collection.find_one_and_update(
            {"_id": message_id, "status": "queued", "lease_owner": {"$in": [owner, None]}},
            {"$set": {"status": "streaming", "lease_owner": owner, "lease_until": until, "updated_at": now()}},
            return_document=ReturnDocument.AFTER,
        )
        return Message.from_document(document) if document else None

    def renew(self, message_ids: Sequence[str], owner: str, until: datetime) -> None:
        """Say that a process lives and works on these answers: they stay its own until then."""
        query = {"_id": {"$in": list(message_ids)}, "status": {"$in": list(RUNNING)}}
        self._collection.update_many(query, {"$set": {"lease_owner": owner, "lease_until": until}})

    def adopt(self, owner: str, until: datetime, at: datetime, *, lonely: bool = False) -> Message | None:
        """Take over one answer whose process is gone: its lease ran out, or any other owner's when ``lonely``."""
        gone: Document = {"lease_until": {"$not": {"$gt": at}}}
        if lonely:
            gone = {"$or": [gone, {"lease_owner": {"$ne": owner}}]}
        document = self._collection.find_one_and_update(
            {"status": {"$in": list(RUNNING)}, **gone},
            {"$set": {"lease_owner": owner, "lease_until": until}},
            return_document=ReturnDocument.AFTER,
        )
        return Message.from_document(document) if document else None

    def take_up(
        self, owner: str, until: datetime, forsaken_before: datetime, working_on: Sequence[str]
    ) -> Message | None:
        """Take one of the owner's own answers that nobody works on and whose lease ends before ``forsaken_before``."""
        document = self._collection.find_one_and_update(
            {
                "status": {"$in": list(RUNNING)},
                "lease_owner": owner,
                "lease_until": {"$lt": forsaken_before},
                "_id": {"$nin": list(working_on)},
            },
            {"$set": {"lease_until": until}},
            return_document=ReturnDocument.AFTER,
        )
        return Message.from_document(document) if document else None

    def detach(self, message_ids: Sequence[str]) -> None:
        """Take messages out of their conversation; those with pictures live on in the gallery, the others go."""
        ids = {"$in": list(message_ids)}
        self._collection.update_many({"_id": ids, **HAS_IMAGES}, changing({"$set": {"conversation_id": None}}))
        doomed: Document = {"_id": ids, "images.id": {"$exists": False}}
        self._remove_records(*(f"m-{each['_id']}" for each in self._collection.find(doomed, {"_id": 1})))
        self._collection.delete_many(doomed)

    def gallery(
        self, owner_id: str, limit: int, before: tuple[datetime, str] | None = None, kind: Kind = "picture"
    ) -> list[Message]:
        """Return an account's messages that have pictures, newest first, after the (created_at, id) position.

        ``kind`` asks for those that have files instead.
        """
        wanted: Document = {"trashed_at": None, "kind": "file" if kind == "file" else {"$ne": "file"}}
        query: Document = {"owner_id": owner_id, "images": {"$elemMatch": wanted}, "draft_of": None, **HAS_IMAGES}
        if before:
            moment, last_id = before
            query["$or"] = [{"created_at": {"$lt": moment}}, {"created_at": moment, "_id": {"$lt": last_id}}]
        cursor = self._collection.find(query).sort([("created_at", DESCENDING), ("_id", DESCENDING)]).limit(limit)
        return [Message.from_document(document) for document in cursor]

    def totals(self) -> dict[str, Any]:
        """Return counts over all messages and their pictures, for operators."""
        pictures = next(
            iter(
                self._collection.aggregate(
                    [
                        {"$match": HAS_IMAGES},
                        {"$unwind": "$images"},
                        {"$match": {"images.trashed_at": None}},
                        {"$group": {"_id": None, "images": {"$sum": 1}, "bytes": {"$sum": "$images.size"}}},
                    ]
                )
            ),
            {"images": 0, "bytes": 0},
        )
        return {
            "messages": self._collection.estimated_document_count(),
            **{k: pictures[k] for k in ("images", "bytes")},
        }


def _new_document(message: Message) -> Document:
    """Return the document of a message that is new, whatever it was copied from."""
    worth_a_record = message.status not in RUNNING or bool(message.images)
    marks = {"revision": 0, "unrecorded": list(RECORD_PLACES) if worth_a_record else []}
    return {**message.to_document(), **marks}
