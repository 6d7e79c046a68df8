"""Documents of the original design, which knew neither hashes nor copies, until they are turned into this one's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pymongo import ASCENDING
from pymongo.database import Database

from ChatBot.db.messages import NAMED
from ChatBot.db.repository import Document, Repository, changing
from ChatBot.models import Conversation, Identifier, Message, new_id

WAITING: Document = {"$or": [NAMED, {"_id": {"$type": "objectId"}}]}


class Originals(Repository):
    """The messages that still have the original shape; their conversations lie in ``conversations``."""

    collection_name = "messages"

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database)
        self._conversations = database["conversations"]
        self._users = database["users"]

    def waiting(self) -> Iterator[Document]:
        """Yield what is to be turned, each just as it is stored."""
        yield from self._collection.find(WAITING)

    def named(self, addresses: list[str]) -> set[str]:
        """Return which of those local addresses a waiting document needs."""
        found = self._collection.find({"images.url": {"$in": addresses}}, {"images.url": 1})
        return {image["url"] for each in found for image in each["images"] if "url" in image} & set(addresses)

    def owner_of(self, document: Document) -> Identifier | None:
        """Return the account a document belongs to: its own, its conversation's, or else the first administrator.

        None while there is no account. Names are not compared: anybody may register under an old one.
        """
        conversation = self._conversations.find_one({"_id": document.get("conversation_id")}) or {}
        named = [document.get("owner_id"), conversation.get("owner_id"), document.get("user_id")]
        wanted = [each for each in named if isinstance(each, str)]
        known = {each["_id"] for each in self._users.find({"_id": {"$in": wanted}}, {"_id": 1})}
        if known:
            return next(each for each in wanted if each in known)
        first = self._users.find_one({"role": "admin"}, sort=[("created_at", ASCENDING)])
        return first["_id"] if first else None

    def conversation_of(self, document: Document) -> Document | None:
        """Return the stored conversation of a document, of either shape."""
        return self._conversations.find_one({"_id": document.get("conversation_id")})

    def reserve_id(self, collection: str, document: Document) -> Identifier:
        """Return the new id of a document; the same one again after a crash."""
        stored = {"messages": self._collection, "conversations": self._conversations}[collection]
        stored.update_one({"_id": document["_id"], "new_id": None}, {"$set": {"new_id": new_id()}})
        found: Document = stored.find_one({"_id": document["_id"]}) or {}
        return str(found.get("new_id") or new_id())

    def add_conversation(self, conversation: Conversation) -> None:
        """Store the new shape of a conversation unless it is there; the old document stays."""
        fields = conversation.to_document()
        self._conversations.update_one({"_id": fields.pop("_id")}, {"$setOnInsert": fields}, upsert=True)

    def mend(self, old: Document, images: list[Document]) -> bool:
        """Replace the pictures of a message that has this design's id, if they are still those of ``old``."""
        query = {"_id": old["_id"], "images": old["images"]}
        return self._collection.update_one(query, changing({"$set": {"images": images}})).modified_count == 1

    def replace(self, old: Document, message: Message, images: list[Document]) -> None:
        """Store the message that an old document became, with everything else it said, then drop the old one."""
        fields: dict[str, Any] = {**old, **message.to_document(), "images": images}
        fields.pop("new_id", None)
        self._collection.update_one({"_id": fields.pop("_id")}, {"$setOnInsert": fields}, upsert=True)
        self._collection.delete_one({"_id": old["_id"]})
