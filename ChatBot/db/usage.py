"""How much of its quota each account uses, so that two requests at the same moment cannot both take the last place.

``images`` and ``bytes`` of an account's document are what its documents hold plus what is *held*: a picture is held
before its document is written, and let go of afterwards. The numbers may be too high for a while (a picture was
trashed, a process died), never too low; so before anything is refused they are counted anew from the documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo.collection import Collection
from pymongo.database import Database

from ChatBot.db.connection import translating
from ChatBot.db.messages import HAS_IMAGES, Messages
from ChatBot.db.repository import Document, Repository
from ChatBot.errors import Conflict
from ChatBot.models import Model, new_id, now

HOLD_SECONDS = 300.0
"""Well past the longest wait for a write: after that a picture is in its document or never will be."""


class Hold(Model):
    """Room kept for pictures whose document is about to be written."""

    id: str
    image_ids: tuple[str, ...]
    images: int
    bytes: int
    until: datetime

    @classmethod
    def of(cls, sizes: dict[str, int]) -> Hold:
        """Return the hold for pictures given as id and size in bytes."""
        until = now() + timedelta(seconds=HOLD_SECONDS)
        return cls(id=new_id(), image_ids=tuple(sizes), images=len(sizes), bytes=sum(sizes.values()), until=until)


class Used(Model):
    """Untrashed pictures of an account and their bytes."""

    images: int = 0
    bytes: int = 0


class Usage(Repository):
    """One counter document per account with a quota."""

    collection_name = "usage"

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database)
        self._messages: Collection[Document] = database[Messages.collection_name]

    def fits(self, owner_id: str, most: Used, counted_since: datetime) -> bool:
        """Say whether an account uses no more than ``most``, by a count that is not older than that."""
        return self._collection.find_one(_within(owner_id, most, counted_since), {"_id": 1}) is not None

    def hold(self, owner_id: str, hold: Hold, most: Used, counted_since: datetime) -> bool:
        """Take the room, if what is used now is at most ``most``; one compare-and-set."""
        found = self._collection.update_one(_within(owner_id, most, counted_since), _taken(hold))
        return found.modified_count == 1

    def hold_anyway(self, owner_id: str, hold: Hold) -> None:
        """Take room without asking whether there is any: for a picture that comes back from the trash."""
        self._collection.update_one({"_id": owner_id}, _taken(hold))

    def keep(self, owner_id: str, hold: Hold) -> None:
        """The documents are written: the room is theirs now."""
        self._collection.update_one(
            {"_id": owner_id, "holds.id": hold.id}, {"$pull": {"holds": {"id": hold.id}}, "$inc": {"version": 1}}
        )

    def release(self, owner_id: str, hold: Hold) -> None:
        """There will be no documents: give the room back."""
        given_back = {"images": -hold.images, "bytes": -hold.bytes, "version": 1}
        self._collection.update_one(
            {"_id": owner_id, "holds.id": hold.id}, {"$pull": {"holds": {"id": hold.id}}, "$inc": given_back}
        )

    def recount(self, owner_id: str, at: datetime) -> bool:
        """Count the documents and add what is held; False when something else changed the numbers meanwhile."""
        old = self._collection.find_one({"_id": owner_id})
        holds = [each for each in (old["holds"] if old else ()) if each["until"] > at]
        held = [image_id for each in holds for image_id in each["image_ids"]]
        used = self.count(owner_id, without=held)
        new: dict[str, Any] = {
            "_id": owner_id,
            "images": used.images + sum(each["images"] for each in holds),
            "bytes": used.bytes + sum(each["bytes"] for each in holds),
            "holds": holds,
            "counted_at": at,
            "version": old["version"] + 1 if old else 1,
        }
        if old:
            return self._collection.replace_one({"_id": owner_id, "version": old["version"]}, new).matched_count == 1
        try:
            with translating():
                self._collection.insert_one(new)
        except Conflict:
            return False
        return True

    def count(self, owner_id: str, without: Sequence[str] = ()) -> Used:
        """Count an account's untrashed pictures from the documents."""
        live: Document = {"images.trashed_at": None, "images.id": {"$nin": list(without)}}
        pipeline: list[Document] = [
            {"$match": {"owner_id": owner_id, **HAS_IMAGES}},
            {"$project": {"images.id": 1, "images.size": 1, "images.trashed_at": 1}},
            {"$unwind": "$images"},
            {"$match": live},
            {"$group": {"_id": None, "images": {"$sum": 1}, "bytes": {"$sum": "$images.size"}}},
        ]
        return Used.from_document(next(iter(self._messages.aggregate(pipeline)), {"images": 0, "bytes": 0}))


def _within(owner_id: str, most: Used, counted_since: datetime) -> Document:
    room: Document = {"images": {"$lte": most.images}, "bytes": {"$lte": most.bytes}}
    return {"_id": owner_id, "counted_at": {"$gte": counted_since}, **room}


def _taken(hold: Hold) -> Document:
    more = {"images": hold.images, "bytes": hold.bytes, "version": 1}
    return {"$push": {"holds": hold.model_dump()}, "$inc": more}
