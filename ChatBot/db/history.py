"""What happened to each picture, in small documents: the answer to "where did it go?"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

import structlog
from pymongo import ASCENDING, DESCENDING, IndexModel, WriteConcern
from pymongo.database import Database

from ChatBot.db.connection import translating
from ChatBot.db.repository import Document, Repository
from ChatBot.errors import ChatBotError
from ChatBot.models import Copy, Model, now

log = structlog.get_logger(__name__)

KEPT_SECONDS = 365 * 24 * 3600
DETAIL_CHARACTERS = 300
NEWEST = 200
"""How many entries of a picture are shown; few have more than a dozen."""

Happening = Literal[
    "stored", "uploaded", "verified", "retry", "unread", "refused", "suspect", "asked_again", "healed", "restored",
    "evicted", "trashed", "untrashed", "copy_deleted", "purged", "made_private", "made_public",
]  # fmt: skip

REPEATING: frozenset[Happening] = frozenset({"retry", "unread", "healed", "copy_deleted"})
"""What a long outage repeats for weeks: one entry per host and reason, with how often and when last."""

_ADDRESS = re.compile(r"[a-z0-9+.-]+://[^\s\"'<>()]+", re.IGNORECASE)


class Entry(Model):
    """One thing that happened to a picture; ``times`` and ``first_at`` tell of what happened again and again."""

    image_id: str
    at: datetime
    what: Happening
    host: str | None = None
    detail: str | None = None
    times: int = 1
    first_at: datetime | None = None


class Notes(Protocol):
    """Where services write down what happened to a picture."""

    def note(self, image_id: str, what: Happening, host: str | None = None, detail: str | None = None) -> None:
        """Write it down; never fails, for the work matters more than its record."""

    def note_all(self, what: Happening, hosts: Mapping[str, str | None]) -> None:
        """Write down that the same happened to many pictures: ids, each with its host if there is one."""


class NoHistory:
    """Notes that nobody keeps."""

    def note(self, image_id: str, what: Happening, host: str | None = None, detail: str | None = None) -> None:
        """Do nothing."""

    def note_all(self, what: Happening, hosts: Mapping[str, str | None]) -> None:
        """Do nothing."""


NO_HISTORY: Notes = NoHistory()

WORTH_NOTING: dict[str, Happening] = {
    "uploaded": "uploaded",
    "verified": "verified",
    "retry": "retry",
    "refused": "refused",
    "suspect": "suspect",
}
"""States of a copy that are worth an entry."""


def note_copy(notes: Notes, image_id: str, copy: Copy) -> None:
    """Write down the state that a copy has come to."""
    what = WORTH_NOTING.get(copy.state)
    if copy.state == "uploaded" and copy.error:
        what = "unread"
    if what is not None:
        notes.note(image_id, what, copy.host, copy.error or copy.fidelity)


class History(Repository):
    """The entries of all pictures. They are no part of the truth, so they do not wait for the journal."""

    collection_name = "history"
    indexes = (
        IndexModel([("image_id", ASCENDING), ("at", DESCENDING)]),
        IndexModel([("at", ASCENDING)], expireAfterSeconds=KEPT_SECONDS),
    )

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database)
        self._collection = self._collection.with_options(write_concern=WriteConcern(w=1, j=False))

    def note(self, image_id: str, what: Happening, host: str | None = None, detail: str | None = None) -> None:
        """Write down what happened; addresses in ``detail`` are left out, for some of them are secrets."""
        entry = Entry(image_id=image_id, at=now(), what=what, host=host, detail=without_addresses(detail))
        try:
            self._write(entry)
        except ChatBotError as error:
            log.warning("history.not_noted", image=image_id, what=what, error=str(error))

    def note_all(self, what: Happening, hosts: Mapping[str, str | None]) -> None:
        """Write down that the same happened to many pictures, in one write."""
        at = now()
        blank = Entry(image_id="", at=at, what=what).model_dump()
        entries = [{**blank, "image_id": image_id, "host": host} for image_id, host in hosts.items()]
        try:
            with translating():
                if entries:
                    self._collection.insert_many(entries, ordered=False)
        except ChatBotError as error:
            log.warning("history.not_noted", images=len(entries), what=what, error=str(error))

    def of(self, image_id: str) -> list[Entry]:
        """Return what happened to a picture, newest first."""
        cursor = self._collection.find({"image_id": image_id}).sort([("at", DESCENDING), ("_id", DESCENDING)])
        return [Entry.from_document(document) for document in cursor.limit(NEWEST)]

    def _write(self, entry: Entry) -> None:
        document: dict[str, Any] = entry.model_dump()
        with translating():
            if entry.what not in REPEATING:
                self._collection.insert_one(document)
                return
            key = {name: document[name] for name in ("image_id", "what", "host", "detail")}
            changes = {"$set": {"at": entry.at}, "$inc": {"times": 1}, "$setOnInsert": {"first_at": entry.at}}
            self._collection.update_one(key, changes, upsert=True)


def without_addresses(text: str | None) -> str | None:
    """Return a reason as it may be shown: without any URL, and of bounded length."""
    if text is None:
        return None
    shown = _ADDRESS.sub("(address)", text)
    return shown if len(shown) <= DETAIL_CHARACTERS else shown[: DETAIL_CHARACTERS - 1] + "…"
