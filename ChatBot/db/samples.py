"""How much is stored, measured now and then: what the chart of disk use is drawn from."""

from __future__ import annotations

from datetime import datetime

from pymongo import ASCENDING, IndexModel

from ChatBot.db.repository import Document, Repository
from ChatBot.models import Model

KEPT_SECONDS = 90 * 24 * 3600


class Sample(Model):
    """One measurement. Sizes in bytes; ``outbox_depth`` is the number of copies that are still owed."""

    at: datetime
    originals_bytes: int
    thumbnails_bytes: int
    free_bytes: int
    outbox_depth: int


class Samples(Repository):
    """Measurements by their time; MongoDB removes those older than 90 days."""

    collection_name = "samples"
    indexes = (IndexModel([("at", ASCENDING)], unique=True, expireAfterSeconds=KEPT_SECONDS),)

    def add(self, sample: Sample) -> bool:
        """Keep a measurement; False when another process has measured for that time."""
        result = self._collection.update_one({"at": sample.at}, {"$setOnInsert": sample.model_dump()}, upsert=True)
        return result.upserted_id is not None

    def has(self, at: datetime) -> bool:
        """Say whether there is a measurement of that very time."""
        return self._collection.find_one({"at": at}, {"_id": 1}) is not None

    def since(self, moment: datetime, every_seconds: int) -> list[Sample]:
        """Return the last measurement of each stretch of ``every_seconds`` since then, oldest first."""
        stretch = {"$subtract": [{"$toLong": "$at"}, {"$mod": [{"$toLong": "$at"}, every_seconds * 1000]}]}
        pipeline: list[Document] = [
            {"$match": {"at": {"$gte": moment}}},
            {"$sort": {"at": 1}},
            {"$group": {"_id": stretch, "last": {"$last": "$$ROOT"}}},
            {"$sort": {"_id": 1}},
        ]
        return [Sample.from_document(row["last"]) for row in self._collection.aggregate(pipeline)]
