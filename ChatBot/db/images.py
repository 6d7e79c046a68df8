"""Pictures inside their messages: every change is a compare-and-set on one picture or one copy."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, ReturnDocument, UpdateOne

from ChatBot.db.messages import HAS_IMAGES, Messages
from ChatBot.db.repository import Document, Repository, changing
from ChatBot.models import Copy, Image, LocalState, Message, now

PAGE = 200
"""Messages read at once by whoever goes through all: no cursor stays open while their pictures are worked on."""


@dataclass(frozen=True)
class Located:
    """A picture and the message that holds it."""

    image: Image
    message_id: str
    conversation_id: str | None


@dataclass(frozen=True)
class Lease:
    """The right to work on one copy of one picture until ``until``."""

    located: Located
    host: str
    owner: str
    until: datetime


class Images(Repository):
    """The pictures of the ``messages`` collection."""

    collection_name = Messages.collection_name

    def find(self, image_id: str, *, trashed: bool = False) -> Located | None:
        """Return the picture of that id; a trashed one only when asked for."""
        message = self._collection.find_one({"images.id": image_id})
        located = _locate(message, image_id) if message else None
        if located and located.image.trashed_at is not None and not trashed:
            return None
        return located

    def find_original(self, address: str) -> Located | None:
        """Return the untrashed picture that had that address in the original design."""
        message = self._collection.find_one({"images.original_url": address})
        found = [each for each in _all_of(message) if each.image.original_url == address] if message else []
        return next((each for each in found if each.image.trashed_at is None), None)

    def find_many(self, image_ids: list[str]) -> list[Located]:
        """Return the untrashed pictures among those ids, in the order asked."""
        wanted = set(image_ids)
        found: dict[str, Located] = {}
        for document in self._collection.find({"images.id": {"$in": image_ids}}):
            for located in _all_of(document):
                if located.image.id in wanted and located.image.trashed_at is None:
                    found[located.image.id] = located
        return [found[image_id] for image_id in image_ids if image_id in found]

    def each(self, owner_id: str | None = None) -> Iterator[Located]:
        """Yield every picture, trashed ones too, oldest message first; those added meanwhile come as well."""
        query: Document = dict(HAS_IMAGES)
        if owner_id is not None:
            query["owner_id"] = owner_id
        while True:
            cursor = self._collection.find(query).sort([("created_at", ASCENDING), ("_id", ASCENDING)])
            page = list(cursor.limit(PAGE))
            for document in page:
                yield from _all_of(document)
            if len(page) < PAGE:
                return
            moment, last_id = page[-1]["created_at"], page[-1]["_id"]
            query["created_at"] = {"$gte": moment}
            query["$or"] = [{"created_at": {"$gt": moment}}, {"_id": {"$gt": last_id}}]

    def known_ids(self, image_ids: list[str]) -> set[str]:
        """Return which of those ids belong to a live document, trashed or not."""
        cursor = self._collection.find({"images.id": {"$in": image_ids}}, {"images.id": 1})
        return {image["id"] for document in cursor for image in document["images"]} & set(image_ids)

    def lasting_ids(self, image_ids: list[str]) -> set[str]:
        """Return which of those pictures are there, trashed or not, and are not being deleted for good."""
        shown = {"images.id": 1, "images.purging": 1}
        cursor = self._collection.find({"images.id": {"$in": image_ids}}, shown)
        lasting = (image for document in cursor for image in document["images"] if not image.get("purging"))
        return {image["id"] for image in lasting if "id" in image} & set(image_ids)

    def change(self, image_id: str, **fields: Any) -> bool:
        """Set plain fields of an untrashed picture; False when there is none of that id."""
        changes = {f"images.$.{name}": value for name, value in fields.items()}
        query = {"images": {"$elemMatch": {"id": image_id, "trashed_at": None}}}
        return self._collection.update_one(query, changing({"$set": changes})).matched_count == 1

    def set_local(self, image_id: str, old: LocalState, new: LocalState) -> bool:
        """Move the local copy's state; False when it was not in the old state."""
        query = {"images": {"$elemMatch": {"id": image_id, "local": old}}}
        return self._collection.update_one(query, changing({"$set": {"images.$.local": new}})).modified_count == 1

    def set_local_many(self, image_ids: list[str], old: LocalState, new: LocalState) -> int:
        """Do the same for many pictures in one call; returns how many moved."""
        updates: list[UpdateOne] = []
        for image_id in image_ids:
            query = {"images": {"$elemMatch": {"id": image_id, "local": old}}}
            updates.append(UpdateOne(query, changing({"$set": {"images.$.local": new}})))
        return self._collection.bulk_write(updates, ordered=False).modified_count if updates else 0

    def trash(self, image_id: str) -> bool:
        """Put a picture into the trash; False when it is not there or already trashed."""
        query = {"images": {"$elemMatch": {"id": image_id, "trashed_at": None}}}
        changes = changing({"$set": {"images.$.trashed_at": now()}})
        return self._collection.update_one(query, changes).modified_count == 1

    def untrash(self, image_id: str) -> bool:
        """Take a picture out of the trash; False when it is not in it or is already being purged."""
        query = {"images": {"$elemMatch": {"id": image_id, "trashed_at": {"$ne": None}, "purging": {"$ne": True}}}}
        changes = changing({"$set": {"images.$.trashed_at": None}})
        return self._collection.update_one(query, changes).modified_count == 1

    def trash_of(self, conversation_id: str, keep: Collection[str] = ()) -> None:
        """Put every picture of a conversation into the trash, without those to keep."""
        self._collection.update_many(
            {"conversation_id": conversation_id, **HAS_IMAGES},
            changing({"$set": {"images.$[live].trashed_at": now()}}),
            array_filters=[{"live.trashed_at": None, "live.id": {"$nin": list(keep)}}],
        )

    def due_purges(self, trashed_before: datetime, at: datetime, limit: int) -> list[Located]:
        """Return pictures to go for good whose turn has come: those never tried, then the longest due.

        They were trashed before that time, or their deletion for good has begun before it.
        """
        over: Document = {"$or": [{"trashed_at": {"$lt": trashed_before}}, {"purging": True}]}
        turn: Document = {"$or": [{"purge_at": None}, {"purge_at": {"$lte": at}}]}
        due: Document = {"trashed_at": {"$lte": at}, "$and": [over, turn]}
        rows = self._collection.aggregate(
            [
                {"$match": {"images": {"$elemMatch": due}, **HAS_IMAGES}},
                {"$unwind": "$images"},
                {"$replaceWith": {"$mergeObjects": ["$images", {"message": "$_id", "in": "$conversation_id"}]}},
                {"$match": due},
                {"$sort": {"purge_at": ASCENDING, "trashed_at": ASCENDING}},
                {"$limit": limit},
            ]
        )
        return [Located(Image.from_document(row), row["message"], row["in"]) for row in rows]

    def begin_purge(self, image: Image, next_at: datetime) -> Located | None:
        """Mark a trashed picture as going for good, from where there is no way back, and return it as it is now.

        If it is not gone by ``next_at``, it is due again. None when its owner has taken it out of the trash.
        """
        query = {"images": {"$elemMatch": {"id": image.id, "trashed_at": {"$ne": None}}}}
        going = {"purging": True, "purge_at": next_at, "purge_attempts": image.purge_attempts + 1}
        changes = changing({"$set": {f"images.$.{name}": value for name, value in going.items()}})
        document = self._collection.find_one_and_update(query, changes, return_document=ReturnDocument.AFTER)
        return _locate(document, image.id) if document else None

    def remove(self, image_id: str) -> None:
        """Take a trashed picture out of its message; a message that belongs nowhere and is empty goes with it."""
        query = {"images": {"$elemMatch": {"id": image_id, "trashed_at": {"$ne": None}}}}
        message = self._collection.find_one_and_update(
            query, changing({"$pull": {"images": {"id": image_id}}}), return_document=ReturnDocument.AFTER
        )
        if message and message["conversation_id"] is None and not message["images"]:
            self._remove_records(f"m-{message['_id']}")
            self._collection.delete_one({"_id": message["_id"], "conversation_id": None, "images": []})

    def due(self, at: datetime, limit: int) -> list[str]:
        """Return the ids of pictures with a copy whose turn has come, or whose last owner's lease ran out."""
        fields = {f"images.{name}": 1 for name in ("id", "trashed_at", "copies")}
        found: list[str] = []
        for document in self._collection.find(_with_due_copies(at), fields).limit(limit):
            for image in document["images"]:
                copies = (Copy.model_validate(copy) for copy in image["copies"])
                if image.get("trashed_at") is None and any(_is_due(copy, at) for copy in copies):
                    found.append(image["id"])
        return found

    def lease_due(self, owner: str, seconds: float, at: datetime, image_id: str | None = None) -> Lease | None:
        """Claim one copy whose turn has come, or whose last owner's lease ran out; None when nothing is due.

        ``image_id`` asks for the copies of that picture only.
        One compare-and-set on the state that was read, so of many workers exactly one gets it.
        """
        query = _with_due_copies(at) if image_id is None else {"images.id": image_id}
        for document in self._collection.find(query).limit(20):
            for located in _all_of(document):
                if image_id not in (None, located.image.id):
                    continue
                for copy in located.image.copies:
                    if located.image.trashed_at is None and _is_due(copy, at):
                        lease = self._claim(located, copy, owner, at + timedelta(seconds=seconds))
                        if lease:
                            return lease
        return None

    def _claim(self, located: Located, copy: Copy, owner: str, until: datetime) -> Lease | None:
        state = copy.state if copy.state == "uploaded" else "leased"
        claimed = copy.model_copy(update={"state": state, "lease_owner": owner, "lease_until": until, "next_at": until})
        if not self.set_copy(located.image.id, copy, claimed):
            return None
        fresh = tuple(claimed if each is copy else each for each in located.image.copies)
        image = located.image.model_copy(update={"copies": fresh})
        return Lease(Located(image, located.message_id, located.conversation_id), copy.host, owner, until)

    def set_copy(self, image_id: str, old: Copy, new: Copy) -> bool:
        """Replace one copy's record if its state, lease and URL are still those of ``old``.

        The lease's end belongs to it: two threads of one process are the same owner.
        """
        match = {name: getattr(old, name) for name in ("host", "state", "lease_owner", "lease_until", "url")}
        result = self._collection.update_one(
            {"images": {"$elemMatch": {"id": image_id, "copies": {"$elemMatch": match}}}},
            changing({"$set": {"images.$[image].copies.$[copy]": new.to_document()}}),
            array_filters=[
                {"image.id": image_id},
                {f"copy.{name}": value for name, value in match.items()},
            ],
        )
        return result.modified_count == 1

    def add_copy(self, image_id: str, copy: Copy) -> bool:
        """Add a copy on a host that the picture has none on yet; False when it has one."""
        query = {"images": {"$elemMatch": {"id": image_id, "copies.host": {"$ne": copy.host}}}}
        result = self._collection.update_one(query, changing({"$push": {"images.$.copies": copy.to_document()}}))
        return result.modified_count == 1

    def add_replacement(self, image_id: str, copy: Copy) -> bool:
        """Add a copy beside a suspect one on the same host; False when there is a sound one, or one under way."""
        sound = {"copies": {"$elemMatch": {"host": copy.host, "state": {"$nin": ["suspect", "gone"]}}}}
        query = {"images": {"$elemMatch": {"id": image_id, "trashed_at": None, "$nor": [sound]}}}
        result = self._collection.update_one(query, changing({"$push": {"images.$.copies": copy.to_document()}}))
        return result.modified_count == 1

    def remove_suspect(self, image_id: str, copy: Copy) -> bool:
        """Forget a suspect copy that was replaced; False when it is not suspect any more."""
        doomed = {"host": copy.host, "state": "suspect", "url": copy.url}
        query = {"images": {"$elemMatch": {"id": image_id, "copies": {"$elemMatch": doomed}}}}
        result = self._collection.update_one(query, changing({"$pull": {"images.$.copies": doomed}}))
        return result.modified_count == 1

    def copies_by_state(self) -> list[dict[str, Any]]:
        """Return how many copies are in each state on each host, for operators."""
        rows = self._collection.aggregate(
            [
                {"$match": HAS_IMAGES},
                {"$unwind": "$images"},
                {"$unwind": "$images.copies"},
                {
                    "$group": {
                        "_id": {"host": "$images.copies.host", "state": "$images.copies.state"},
                        "count": {"$sum": 1},
                    }
                },
                {"$sort": {"_id.host": 1, "_id.state": 1}},
            ]
        )
        return [{**row["_id"], "count": row["count"]} for row in rows]


def _with_due_copies(at: datetime) -> Document:
    due: Document = {
        "$or": [
            {"state": {"$in": ["pending", "retry", "uploaded"]}, "next_at": {"$lte": at}},
            {"state": "leased", "lease_until": {"$lte": at}},
        ]
    }
    # Trashed pictures are left out here and not only afterwards, or twenty of them would hide all the others.
    return {"images": {"$elemMatch": {"trashed_at": None, "copies": {"$elemMatch": due}}}, **HAS_IMAGES}


def _is_due(copy: Copy, at: datetime) -> bool:
    if copy.state == "leased":
        return copy.lease_until is not None and copy.lease_until <= at
    return copy.state in ("pending", "retry", "uploaded") and copy.next_at is not None and copy.next_at <= at


def _all_of(document: Document) -> list[Located]:
    message = Message.from_document(document)
    return [Located(image, message.id, message.conversation_id) for image in message.images]


def _locate(document: Document, image_id: str) -> Located | None:
    return next((located for located in _all_of(document) if located.image.id == image_id), None)
