"""Messages of a conversation that is still being copied: nobody is shown them before all of them are there."""

from __future__ import annotations

from datetime import datetime

from pymongo import ASCENDING, IndexModel

from ChatBot.db.messages import Messages
from ChatBot.db.repository import Repository, changing
from ChatBot.models import Message


class Drafts(Repository):
    """The draft marks of the ``messages`` collection."""

    collection_name = Messages.collection_name
    indexes = (
        IndexModel([("draft_of", ASCENDING)], partialFilterExpression={"draft_of": {"$type": "string"}}, name="drafts"),
    )

    def publish(self, conversation_id: str) -> int:
        """Make the messages of a copy ordinary ones; returns how many those were."""
        changes = changing({"$set": {"draft_of": None}})
        return self._collection.update_many({"draft_of": conversation_id}, changes).modified_count

    def left_over(self, before: datetime) -> list[Message]:
        """Return the drafts that were written before that time."""
        cursor = self._collection.find({"draft_of": {"$type": "string"}, "created_at": {"$lt": before}})
        return [Message.from_document(document) for document in cursor]
