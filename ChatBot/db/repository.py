"""What all repositories share: one collection, its indexes, and foreign errors translated at the edge."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database

from ChatBot.db.connection import translating, unhurried
from ChatBot.models import RECORD_PLACES, now

Document = dict[str, Any]

REMOVALS = "removals"
"""The collection of records that are to go because their documents went."""

UNRECORDED = IndexModel([("unrecorded", ASCENDING)], name="unrecorded")
"""Finds the documents whose records are out of date; every collection that has records has it."""


PRIVATE = IndexModel([("private", ASCENDING)], partialFilterExpression={"private": True}, name="private")
"""Finds the few accounts or conversations that are private."""


def changing(update: Document) -> Document:
    """Return an update that also marks the records of the documents as out of date, in the same write."""
    marks = {"unrecorded": list(RECORD_PLACES)}
    counted = {**update.get("$inc", {}), "revision": 1}
    return {**update, "$set": {**update.get("$set", {}), **marks}, "$inc": counted}


class Repository:
    """One collection. Every public method of a subclass raises only this application's errors."""

    collection_name: ClassVar[str]
    indexes: ClassVar[tuple[IndexModel, ...]] = ()

    def __init__(self, database: Database[Document]) -> None:
        self._collection: Collection[Document] = database[self.collection_name]
        self._removals: Collection[Document] = database[REMOVALS]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, member in list(vars(cls).items()):
            if inspect.isfunction(member) and not name.startswith("_"):
                setattr(cls, name, _translated(member))

    def ensure_indexes(self) -> None:
        """Create the collection's indexes; existing ones are left as they are."""
        with translating(), unhurried():
            if self.indexes:
                self._collection.create_indexes(list(self.indexes))

    def _remove_records(self, *names: str) -> None:
        """Ask for the records of documents to be removed; call it before the documents go."""
        moment = now()
        mark = {"at": moment, "asked_at": moment, "unrecorded": list(RECORD_PLACES)}
        if names:
            self._removals.bulk_write([UpdateOne({"_id": name}, {"$set": mark}, upsert=True) for name in names])


def _translated(function: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def iterate(*args: Any, **kwargs: Any) -> Iterator[Any]:
            with translating():
                yield from function(*args, **kwargs)

        return iterate

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with translating():
            return function(*args, **kwargs)

    return call
