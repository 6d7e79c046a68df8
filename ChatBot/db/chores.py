"""Chores of the whole installation: when each is due, and which process does it now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from pymongo import UpdateOne

from ChatBot.db.repository import Repository

LEASE = timedelta(seconds=60)
"""Renewed while a chore runs; after that its process counts as dead and another one may do it."""


class Chores(Repository):
    """One document for each chore, claimed by compare-and-set."""

    collection_name = "chores"

    def plan(self, first_times: Mapping[str, datetime]) -> None:
        """Say when each chore is due for the first time; those that are known keep their time."""
        plans = [
            UpdateOne({"_id": name}, {"$setOnInsert": {"due_at": at, "owner": None, "lease_until": None}}, upsert=True)
            for name, at in first_times.items()
        ]
        if plans:
            self._collection.bulk_write(plans, ordered=False)

    def due(self, names: Collection[str], at: datetime) -> list[str]:
        """Return which of those chores should be begun now."""
        query = {"_id": {"$in": list(names)}, **_free(at)}
        return [document["_id"] for document in self._collection.find(query, {"_id": 1}).sort("due_at")]

    def claim(self, name: str, owner: str, at: datetime) -> bool:
        """Begin a chore; False when it is not due, or somebody else is at it."""
        taken = {"$set": {"owner": owner, "lease_until": at + LEASE}}
        return self._collection.update_one({"_id": name, **_free(at)}, taken).modified_count == 1

    def renew(self, names: Collection[str], owner: str, at: datetime) -> None:
        """Say that these chores are still being done by that owner."""
        query = {"_id": {"$in": list(names)}, "owner": owner}
        self._collection.update_many(query, {"$set": {"lease_until": at + LEASE}})

    def finish(self, name: str, owner: str, next_at: datetime) -> None:
        """Say when a chore that this owner did is due again."""
        done = {"$set": {"due_at": next_at, "owner": None, "lease_until": None}}
        self._collection.update_one({"_id": name, "owner": owner}, done)


def _free(at: datetime) -> dict[str, object]:
    return {"due_at": {"$lte": at}, "$or": [{"lease_until": None}, {"lease_until": {"$lte": at}}]}
