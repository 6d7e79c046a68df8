"""What all repositories share: one collection, its indexes, and foreign errors translated at the edge."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from pymongo import IndexModel
from pymongo.collection import Collection
from pymongo.database import Database

from ChatBot.db.connection import translating

Document = dict[str, Any]


class Repository:
    """One collection. Every public method of a subclass raises only this application's errors."""

    collection_name: ClassVar[str]
    indexes: ClassVar[tuple[IndexModel, ...]] = ()

    def __init__(self, database: Database[Document]) -> None:
        self._collection: Collection[Document] = database[self.collection_name]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, member in list(vars(cls).items()):
            if inspect.isfunction(member) and not name.startswith("_"):
                setattr(cls, name, _translated(member))

    def ensure_indexes(self) -> None:
        """Create the collection's indexes; existing ones are left as they are."""
        with translating():
            if self.indexes:
                self._collection.create_indexes(list(self.indexes))


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
