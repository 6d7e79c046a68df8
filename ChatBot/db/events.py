"""The event log behind the SSE streams."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel, ReturnDocument, WriteConcern
from pymongo.database import Database

from ChatBot.db.repository import Document, Repository
from ChatBot.models import Event, now

KEPT_SECONDS = 24 * 3600
"""A reader that was away for longer reloads the page instead."""

GAP_SECONDS = 2.0
"""How long a reader waits for a missing number: its publisher is about to write the entry, or has died."""


class Events(Repository):
    """Numbered entries per conversation. What they say can be read again from the messages, so losing some is harmless
    and they are written without waiting for the journal."""

    collection_name = "events"
    indexes = (
        IndexModel([("conversation_id", ASCENDING), ("seq", ASCENDING)], unique=True),
        IndexModel([("created_at", ASCENDING)], expireAfterSeconds=KEPT_SECONDS),
    )

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database)
        quick = WriteConcern(w=1, j=False)
        self._collection = self._collection.with_options(write_concern=quick)
        self._counters = database["event_counters"].with_options(write_concern=quick)

    def append(self, conversation_id: str, kind: str, data: dict[str, Any]) -> Event:
        """Add an entry with the next number."""
        counter: Document = self._counters.find_one_and_update(
            {"_id": conversation_id}, {"$inc": {"seq": 1}}, upsert=True, return_document=ReturnDocument.AFTER
        )  # type: ignore[assignment] # an upsert always returns a document
        event = Event(conversation_id=conversation_id, seq=counter["seq"], type=kind, data=data, created_at=now())
        self._collection.insert_one(event.to_document())
        return event

    def after(self, conversation_id: str, seq: int, limit: int = 500) -> list[Event]:
        """Return the entries numbered above ``seq``, in order, up to a number that is taken but not yet written."""
        query = {"conversation_id": conversation_id, "seq": {"$gt": seq}}
        cursor = self._collection.find(query).sort("seq").limit(limit)
        return _without_gap([Event.from_document(document) for document in cursor], seq)

    def last_seq(self, conversation_id: str) -> int:
        """Return the number of the newest entry, 0 when there is none."""
        counter = self._counters.find_one({"_id": conversation_id})
        return counter["seq"] if counter else 0

    def remove_of(self, conversation_id: str) -> None:
        """Delete a conversation's entries."""
        self._collection.delete_many({"conversation_id": conversation_id})
        self._counters.delete_one({"_id": conversation_id})


def _without_gap(events: list[Event], seq: int) -> list[Event]:
    """Return the entries before the first fresh gap, so that what fills it is not passed over."""
    fresh = now() - timedelta(seconds=GAP_SECONDS)
    for index, event in enumerate(events):
        if event.seq > seq + 1 and event.created_at > fresh:
            return events[:index]
        seq = event.seq
    return events
