"""Files under Storage that belong to nothing: stray pictures, thumbnails and records, and what a crash left."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ChatBot.db.images import Images
from ChatBot.db.ledger import KINDS
from ChatBot.media.files import FileStore, StoredFile
from ChatBot.media.paths import RECORD_FOLDER
from ChatBot.media.records import COMPLETE

_RECORD = re.compile(rf"[{''.join(KINDS)}]-[0-9a-f]{{32}}", re.ASCII)

GRACE_SECONDS = 3600.0
"""A file without a document may belong to a save that is still under way."""
BATCH = 500
MOST_STRAY_RECORDS = 0.2
"""Share of the records; a deleted document takes its record along, so normally there are none."""
ID_CHARACTERS = 32


@dataclass(frozen=True)
class Sweep:
    """What was found: the files that belong to nothing, and why they must stay all the same (usually empty)."""

    strays: tuple[StoredFile, ...]
    stopped: str = ""


class Debris:
    """Finds files without a document, in batches of one query each.

    When many records have no document, it is the database that has lost something, and no stray file is to be touched.
    """

    def __init__(
        self,
        images: Images,
        files: FileStore,
        known_records: Callable[[list[str]], set[str]] = set,
        needed: Callable[[list[str]], set[str]] = set,
    ) -> None:
        """``known_records`` returns which of those names of records have a document.

        ``needed`` returns which of those local addresses a document of the original design still needs.
        """
        self._needed = needed
        self._images = images
        self._files = files
        self._known_records = known_records

    def sweep(self) -> Sweep:
        """Return the files that are older than the grace time and belong to nothing."""
        records, strays = 0, []
        for batch in self._batches():
            records += sum(record_name_of(entry) is not None for entry in batch)
            strays += self.among(batch)
        lost = sum(record_name_of(entry) is not None for entry in strays)
        if lost > records * MOST_STRAY_RECORDS:
            return Sweep(
                tuple(strays),
                f"{lost} of {records} records have no document: the database has lost something. "
                "Bring it back with `images rebuild --apply` first; no stray file was touched.",
            )
        return Sweep(tuple(strays))

    def among(self, batch: list[StoredFile]) -> list[StoredFile]:
        """Return which of these files are older than the grace time and belong to nothing now."""
        oldest = time.time() - GRACE_SECONDS
        old = [entry for entry in batch if entry.mtime < oldest]
        names = [name for entry in old if (name := record_name_of(entry))]
        known = self._known_records(names) | self._images.known_ids([image_id_of(entry) for entry in old])
        strays = [entry for entry in old if not _belongs(entry, known)]
        needed = self._needed([address_of(entry) for entry in strays])
        return [entry for entry in strays if address_of(entry) not in needed]

    def _batches(self) -> Iterator[list[StoredFile]]:
        batch: list[StoredFile] = []
        for entry in self._files.list_files():
            batch.append(entry)
            if len(batch) >= BATCH:
                yield batch
                batch = []
        yield batch


def address_of(entry: StoredFile) -> str:
    """Return the local address that the original design gave a file."""
    return f"/static/Storage/{entry.folder}/{entry.filename}"


def _belongs(entry: StoredFile, known: set[str]) -> bool:
    """A tombstone stays in any case: without it, an old backup could bring the picture back."""
    if entry.temporary:
        return False
    if entry.folder == RECORD_FOLDER:
        name = record_name_of(entry)
        return name in known or (name or "").startswith("t-") or entry.filename == COMPLETE
    return image_id_of(entry) in known


def record_name_of(entry: StoredFile) -> str | None:
    """Return the name of a record from its file's name; None for files that are no records."""
    name = entry.filename.removesuffix(".json")
    return name if entry.folder == RECORD_FOLDER and _RECORD.fullmatch(name) else None


def image_id_of(entry: StoredFile) -> str:
    """Return the picture id that a file's name begins with: ``<id>.<extension>`` or ``<id>_<width>.webp``."""
    return entry.filename[:ID_CHARACTERS]
