"""Conversations, without their messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from ChatBot.db.repository import PRIVATE, UNRECORDED, Document, Repository, changing
from ChatBot.models import Conversation, now


class Conversations(Repository):
    """Conversations, newest first."""

    collection_name = "conversations"
    indexes = (
        IndexModel([("owner_id", ASCENDING), ("updated_at", DESCENDING), ("_id", DESCENDING)]),
        PRIVATE,
        UNRECORDED,
    )

    def add(self, conversation: Conversation) -> None:
        """Store a new conversation."""
        self._collection.insert_one(conversation.to_document())

    def get(self, conversation_id: str) -> Conversation | None:
        """Return the conversation of that id."""
        document = self._collection.find_one({"_id": conversation_id})
        return Conversation.from_document(document) if document else None

    def of(self, owner_id: str, limit: int, before: tuple[datetime, str] | None = None) -> list[Conversation]:
        """Return an account's conversations, last used first, after the (updated_at, id) position ``before``."""
        query: Document = {"owner_id": owner_id}
        if before:
            moment, last_id = before
            query["$or"] = [{"updated_at": {"$lt": moment}}, {"updated_at": moment, "_id": {"$lt": last_id}}]
        cursor = self._collection.find(query).sort([("updated_at", DESCENDING), ("_id", DESCENDING)]).limit(limit)
        return [Conversation.from_document(document) for document in cursor]

    def titles(self, owner_id: str, conversation_ids: Sequence[str]) -> dict[str, str]:
        """Return the titles of an account's conversations among those ids."""
        cursor = self._collection.find({"_id": {"$in": list(conversation_ids)}, "owner_id": owner_id}, {"title": 1})
        return {document["_id"]: document["title"] for document in cursor}

    def set_title(self, conversation_id: str, title: str) -> None:
        """Rename a conversation."""
        self._collection.update_one({"_id": conversation_id}, changing({"$set": {"title": title}}))

    def set_private(self, conversation_id: str, private: bool) -> None:
        """Change whether a conversation is private."""
        self._collection.update_one({"_id": conversation_id}, changing({"$set": {"private": private}}))

    def private_of(self, owner_id: str | None = None) -> list[str]:
        """Return the ids of the private conversations, of one account if it is named."""
        query: Document = {"private": True} if owner_id is None else {"private": True, "owner_id": owner_id}
        return [each["_id"] for each in self._collection.find(query, {"_id": 1})]

    def touch(self, conversation_id: str) -> None:
        """Move a conversation to the top of the list."""
        self._collection.update_one({"_id": conversation_id}, changing({"$set": {"updated_at": now()}}))

    def remove(self, conversation_id: str) -> None:
        """Delete the conversation's own document."""
        self._remove_records(f"c-{conversation_id}")
        self._collection.delete_one({"_id": conversation_id})
