"""The records on this disk: one small private file per document, beside the pictures they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import cast

from filelock import FileLock

from ChatBot.media.files import FileStore
from ChatBot.media.paths import RECORD_FOLDER, StoragePaths
from ChatBot.models import RecordPlace

COMPLETE = "complete.json"
"""Says that this place has had a record of everything; where it is missing, all records are written again."""
TOMBSTONE = "t-"


class DiskRecords:
    """The ``records`` folder as a place of records."""

    place: RecordPlace = "disk"

    def __init__(self, files: FileStore) -> None:
        self._files = files

    def put(self, filename: str, data: bytes) -> None:
        """Keep a record whole; a tombstone's name survives a power cut, the others MongoDB has as well."""
        self._files.write_record(filename, data, durable_name=filename.startswith(TOMBSTONE))

    def get(self, filename: str) -> bytes:
        """Return a record; raises ``BytesMissing``."""
        return self._files.read_record(filename)

    def remove(self, filename: str) -> None:
        """Remove a record; it may be gone already."""
        self._files.delete_record(filename)

    def names(self) -> Iterator[str]:
        """Yield the names of what lies in the folder, strangers included."""
        for entry in self._files.list_files((RECORD_FOLDER,)):
            if not entry.temporary:
                yield entry.filename


def record_lock(paths: StoragePaths, place: RecordPlace) -> AbstractContextManager[object]:
    """Return what lets one thread of one process write the records of a place at a time."""
    lock = FileLock(paths.record_lock(place), mode=0o600, thread_local=False)
    return cast("AbstractContextManager[object]", lock)
