"""Which documents have records that are out of date, and the documents by the names of their records.

A record is called ``<kind>-<id>``: ``u`` a user, ``c`` a conversation, ``m`` a message with its pictures, ``s`` a
share, ``l`` a link to a picture, ``t`` the tombstone of a picture. One document has one record, so each is as whole
as the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import ValidationError
from pymongo import ASCENDING, IndexModel, UpdateOne, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database

from ChatBot.db.connection import unhurried
from ChatBot.db.messages import HAS_IMAGES, RUNNING
from ChatBot.db.repository import REMOVALS, Document, Repository, changing
from ChatBot.db.shares import closing
from ChatBot.models import (
    Conversation,
    Image,
    Message,
    PictureLink,
    Recorded,
    RecordPlace,
    Share,
    Tombstone,
    User,
    now,
)

KINDS: dict[str, tuple[str, type[Recorded]]] = {
    "t": ("tombstones", Tombstone),
    "u": ("users", User),
    "c": ("conversations", Conversation),
    "m": ("messages", Message),
    "s": ("shares", Share),
    "l": ("picture_links", PictureLink),
}
"""Collection and model of each kind, in the order in which each may refer to the ones before it."""

REMOVAL_DELAY = timedelta(seconds=1)
"""A removal is asked for before the document goes; this is how long the document usually has for it."""
REMOVAL_DROPPED = timedelta(minutes=2)
"""A document that is still there after this was never deleted; well past the longest wait for a write."""


class Ledger(Repository):
    """The outbox of the records. It lives inside the documents, so no change can be forgotten."""

    collection_name = REMOVALS
    indexes = (IndexModel([("unrecorded", ASCENDING), ("at", ASCENDING)]),)

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database)
        self._marks = database["marks"]
        self._kinds: dict[str, Collection[Document]] = {kind: database[name] for kind, (name, _) in KINDS.items()}
        quick = WriteConcern(w=1, j=False)  # a lost mark means one record more is written
        self._quick = {kind: each.with_options(write_concern=quick) for kind, each in self._kinds.items()}

    def due(self, place: RecordPlace, limit: int) -> dict[str, Recorded | None]:
        """Return documents of one kind whose records are out of date there, by name; None for unreadable ones."""
        for kind, collection in self._kinds.items():
            documents = list(collection.find({"unrecorded": place}).limit(limit))
            if documents:
                return {f"{kind}-{document['_id']}": _readable(kind, document) for document in documents}
        return {}

    def read(self, name: str) -> Recorded | None:
        """Return the document that a record is about, None when there is none that can be read."""
        kind, _, document_id = name.partition("-")
        document = self._kinds[kind].find_one({"_id": document_id})
        return _readable(kind, document) if document else None

    def settle(self, revisions: Mapping[str, int], place: RecordPlace) -> list[str]:
        """Note that the records of these revisions are written; return those whose documents are not so any more."""
        changed: list[str] = []
        for kind, collection in self._quick.items():
            written = {name[2:]: revision for name, revision in revisions.items() if name.startswith(kind)}
            if not written:
                continue
            marks = [UpdateOne({"_id": each, "revision": at}, _unmark(place)) for each, at in written.items()]
            if collection.bulk_write(marks, ordered=False).matched_count < len(written):
                cursor = collection.find({"_id": {"$in": list(written)}}, {"revision": 1})
                current = {document["_id"]: document.get("revision") for document in cursor}
                changed += [f"{kind}-{each}" for each, at in written.items() if current.get(each) != at]
        return changed

    def skip(self, name: str, place: RecordPlace) -> None:
        """Stop asking for the record of a document that cannot be read."""
        kind, _, document_id = name.partition("-")
        self._kinds[kind].update_one({"_id": document_id}, _unmark(place))

    def due_removals(self, place: RecordPlace, at: datetime, limit: int) -> list[str]:
        """Return the names of records that are to go from that place."""
        query = {"unrecorded": place, "at": {"$lte": at - REMOVAL_DELAY}}
        return [document["_id"] for document in self._collection.find(query, {"_id": 1}).sort("at").limit(limit)]

    def removed(self, name: str, place: RecordPlace) -> None:
        """Note that a record is gone from that place."""
        self._collection.update_one({"_id": name}, _unmark(place))
        self._collection.delete_one({"_id": name, "unrecorded": []})

    def postpone_removal(self, name: str, at: datetime) -> None:
        """Look at a removal again later, for its document is still there; after a while, drop it."""
        document = self._collection.find_one({"_id": name})
        if document and at - document["asked_at"] > REMOVAL_DROPPED:
            self._collection.delete_one({"_id": name})
        elif document:
            self._collection.update_one({"_id": name}, {"$set": {"at": at + REMOVAL_DELAY}})

    def mark_all(self, place: RecordPlace) -> None:
        """Mark every document as unrecorded at a place that has no records yet."""
        with unhurried():
            for kind, collection in self._kinds.items():
                settled: Document = {"$or": [{"status": {"$nin": list(RUNNING)}}, HAS_IMAGES]} if kind == "m" else {}
                collection.update_many({**settled, "revision": {"$exists": False}}, {"$set": {"revision": 0}})
                collection.update_many(settled, {"$addToSet": {"unrecorded": place}})

    def known(self, names: list[str]) -> set[str]:
        """Return which of those records have a document."""
        found: set[str] = set()
        for kind, collection in self._kinds.items():
            ids = [name[2:] for name in names if name.startswith(f"{kind}-")]
            if ids:
                found |= {
                    f"{kind}-{document['_id']}" for document in collection.find({"_id": {"$in": ids}}, {"_id": 1})
                }
        return found

    def known_tombstones(self, image_ids: list[str]) -> set[str]:
        """Return which of those pictures were deleted for good."""
        return {name[2:] for name in self.known([f"t-{image_id}" for image_id in image_ids])}

    def owners(self, kind: str) -> dict[str, str]:
        """Return the owner of every document of a kind by its id; an account is its own."""
        cursor = self._kinds[kind].find({}, {"owner_id": 1})
        return {document["_id"]: document["owner_id"] if kind != "u" else document["_id"] for document in cursor}

    def insert(self, value: Recorded) -> None:
        """Bring a document back that is not there; raises ``Conflict`` when its id or another unique value is."""
        self._kinds[kind_of(type(value))].insert_one(value.to_document())

    def add_images(self, message_id: str, newer_than: int, images: list[Image]) -> bool:
        """Put pictures back into a message whose document is older than revision ``newer_than``."""
        query: Document = {"_id": message_id, "revision": {"$lt": newer_than}}
        query["images.id"] = {"$nin": [image.id for image in images]}
        pushed = {"$push": {"images": {"$each": [image.to_document() for image in images]}}}
        return self._kinds["m"].update_one(query, changing(pushed)).modified_count == 1

    def close_link(self, link: Share | PictureLink) -> bool:
        """Close an older document of a link as its newer record says it was."""
        query = {"_id": link.id, "revoked_at": None, "revision": {"$lt": link.revision}}
        at = link.revoked_at or now()
        closed = closing(at) if isinstance(link, Share) else changing({"$set": {"revoked_at": at}})
        return self._kinds[kind_of(type(link))].update_one(query, closed).modified_count == 1

    def keep_administrator(self) -> None:
        """Note that there already was a first account, so that the next one is not made administrator."""
        users = self._kinds["u"]
        oldest = [("created_at", ASCENDING)]
        first = users.find_one({"role": "admin"}, sort=oldest) or users.find_one(sort=oldest)
        if first:
            self._marks.update_one({"_id": "administrator"}, {"$setOnInsert": {"user_id": first["_id"]}}, upsert=True)


def kind_of(model: type[Recorded]) -> str:
    """Return the letter of a model's kind."""
    return next(kind for kind, (_, each) in KINDS.items() if each is model)


def _readable(kind: str, document: Document) -> Recorded | None:
    try:
        return KINDS[kind][1].from_document(document)
    except ValidationError:
        return None


def _unmark(place: RecordPlace) -> Document:
    return {"$pull": {"unrecorded": place}}
