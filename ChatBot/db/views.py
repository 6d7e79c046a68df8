"""On which day each picture was last looked at: coarse on purpose, and enough to know what nobody looks at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pymongo import ASCENDING, IndexModel, UpdateOne, WriteConcern
from pymongo.database import Database

from ChatBot.db.repository import Document, Repository

VIEWS = "views"
KEPT_SECONDS = 2 * 365 * 24 * 3600
"""A picture that nobody saw for longer counts as unseen since it was made."""


class Views(Repository):
    """One small document per picture that was looked at. Losing some only makes a picture look less used."""

    collection_name = VIEWS
    indexes = (IndexModel([("viewed_on", ASCENDING)], expireAfterSeconds=KEPT_SECONDS),)

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database)
        self._collection = self._collection.with_options(write_concern=WriteConcern(w=1, j=False))

    def mark(self, image_ids: Iterable[str], day: datetime) -> None:
        """Note that those pictures were looked at on that day (midnight UTC)."""
        writes = [UpdateOne({"_id": each}, {"$max": {"viewed_on": day}}, upsert=True) for each in image_ids]
        if writes:
            self._collection.bulk_write(writes, ordered=False)

    def viewed_on(self, image_id: str) -> datetime | None:
        """Return the day a picture was last looked at, None when it never was."""
        document = self._collection.find_one({"_id": image_id})
        return document["viewed_on"] if document else None
