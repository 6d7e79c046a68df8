"""Which pictures are private, and which of their copies are still on public hosts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from pymongo import ASCENDING, IndexModel

from ChatBot.db.images import Located
from ChatBot.db.messages import Messages
from ChatBot.db.repository import Document, Repository, changing
from ChatBot.models import Copy, Image, Message

PRIVATE: Document = {"images.private": True}


class PrivatePictures(Repository):
    """The private marks of the pictures in the ``messages`` collection."""

    collection_name = Messages.collection_name
    indexes = (IndexModel([("images.private", ASCENDING)], partialFilterExpression=PRIVATE, name="private"),)

    def mark(self, image_ids: Collection[str], *, private: bool) -> int:
        """Set the mark of pictures; returns in how many messages something changed."""
        wanted = list(image_ids)
        result = self._collection.update_many(
            {"images": {"$elemMatch": {"id": {"$in": wanted}, "private": {"$ne": private}}}},
            changing({"$set": {"images.$[each].private": private}}),
            array_filters=[{"each.id": {"$in": wanted}}],
        )
        return int(result.modified_count)

    def owned(self, owner_id: str, image_ids: Collection[str]) -> set[str]:
        """Return which of those pictures are that account's own, trashed ones too: a message may name any."""
        wanted = set(image_ids)
        cursor = self._collection.find({"images.id": {"$in": list(wanted)}, "owner_id": owner_id}, {"images.id": 1})
        return {image["id"] for document in cursor for image in document["images"] if "id" in image} & wanted

    def overlooked(self, conversation_ids: Collection[str], owner_ids: Collection[str]) -> set[str]:
        """Return pictures of private conversations or accounts that are not marked: their process died in between."""
        places = [{"conversation_id": {"$in": list(conversation_ids)}}, {"owner_id": {"$in": list(owner_ids)}}]
        query: Document = {"$or": places, "images": {"$elemMatch": {"private": {"$ne": True}}}}
        return {
            image["id"]
            for document in self._collection.find(query, {"images.id": 1, "images.private": 1})
            for image in document["images"]
            if "id" in image and not image.get("private")  # one of the original design has none until it is adopted
        }

    def of_account(self, owner_id: str) -> Iterator[Image]:
        """Yield every picture of an account, trashed ones too."""
        for document in self._collection.find({"owner_id": owner_id, "images.id": {"$exists": True}}):
            yield from Message.from_document(document).images

    def shown_privately(self, image_ids: Collection[str], conversation_ids: Collection[str]) -> set[str]:
        """Return which of those pictures one of those conversations shows, in it or attached."""
        wanted, places = set(image_ids), {"$in": list(conversation_ids)}
        either = [{"images.id": {"$in": list(wanted)}}, {"attachments": {"$in": list(wanted)}}]
        found: set[str] = set()
        for document in self._collection.find({"conversation_id": places, "$or": either}):
            message = Message.from_document(document)
            found |= {*message.attachments, *(image.id for image in message.images)} & wanted
        return found

    def published(self, private_hosts: Sequence[str], at: datetime, limit: int) -> list[tuple[Located, Copy]]:
        """Return copies of private pictures elsewhere than on those hosts that something can be done about now."""
        open_ones: Document = {"host": {"$nin": list(private_hosts)}, **_unsettled(at)}
        query = {**PRIVATE, "images": {"$elemMatch": {"private": True, "copies": {"$elemMatch": open_ones}}}}
        return [
            (Located(image, message.id, message.conversation_id), copy)
            for message in map(Message.from_document, self._collection.find(query).limit(limit))
            for image in message.images
            if image.private
            for copy in image.copies
            if copy.host not in private_hosts and _is_due(copy, at)
        ]


def _unsettled(at: datetime) -> Document:
    waiting: Document = {"state": {"$in": ["deleting", "delete_manual"]}, "next_at": {"$lte": at}}
    return {"$or": [waiting, {"state": {"$nin": ["deleting", "delete_manual", "gone"]}}]}


def _is_due(copy: Copy, at: datetime) -> bool:
    if copy.state in ("deleting", "delete_manual"):
        return copy.next_at is not None and copy.next_at <= at
    return copy.state != "gone"
