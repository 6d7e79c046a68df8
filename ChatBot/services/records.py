"""Records: what MongoDB knows, written once more as small files, so that it can be rebuilt from the files alone.

MongoDB is the truth and holds the outbox too: each document names the places whose record of it is out of date, in
the very write that changed it. A record is written from the document as it is now, and the mark goes only if the
document still has that revision. So a crash at any moment costs at most one more writing of the same record.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any, Protocol, TypeVar

import structlog
from pydantic import ValidationError

from ChatBot.db.ledger import Ledger, kind_of
from ChatBot.errors import BytesMissing, IntegrityError
from ChatBot.media.records import COMPLETE
from ChatBot.models import Message, Recorded, RecordPlace, now

log = structlog.get_logger(__name__)

FORMAT = 1
RECORDS = "records-"
"""Begins the name of the jobs of each place."""
LARGEST_BYTES = 64_000_000
"""A MongoDB document has at most 16 MB; as JSON text it takes up to four times that."""
R = TypeVar("R", bound=Recorded)
SUFFIX = ".json"
UNSTABLE_ROUNDS = 5
BATCH = 64
"""Records written while the lock is held once."""


class RecordStore(Protocol):
    """A place that keeps records by their file names. Raises ``StorageError`` or ``ProviderError``."""

    place: RecordPlace

    def put(self, filename: str, data: bytes) -> None:
        """Keep a record whole, in place of an older one."""

    def get(self, filename: str) -> bytes:
        """Return a record; raises ``BytesMissing``."""

    def remove(self, filename: str) -> None:
        """Remove a record; it may be gone already."""

    def names(self) -> Iterator[str]:
        """Yield the file names of all records, and of strangers among them."""


class Records:
    """Keeps the records of one place in step with the documents."""

    def __init__(self, ledger: Ledger, store: RecordStore, lock: AbstractContextManager[object]) -> None:
        self._ledger = ledger
        self._store = store
        self._lock = lock
        self._prepared = False

    @property
    def place(self) -> RecordPlace:
        """The place's name."""
        return self._store.place

    def due(self) -> list[str]:
        """Return the place's name if a record there is out of step."""
        if not self._prepared:
            with self._lock:
                self._prepare()
        is_due = self._ledger.due(self.place, 1) or self._ledger.due_removals(self.place, now(), 1)
        return [self.place] if is_due else []

    def work_on(self, place: str) -> bool:
        """Do the same as ``work_once``, if it is about this place."""
        return place == self.place and self.work_once()

    def work_once(self) -> bool:
        """Bring a batch of records in step; False when all are."""
        place = self._store.place
        with self._lock:
            self._prepare()
            removals = self._ledger.due_removals(place, now(), BATCH)
            present = self._ledger.known(removals)
            for name in removals:
                self._remove(name, still_there=name in present)
            due = self._ledger.due(place, BATCH)
            self._write(due)
        return bool(removals or due)

    def bury(self, image_id: str) -> None:
        """Write the tombstone of a picture now, before anything of the picture goes."""
        name = f"t-{image_id}"
        with self._lock:
            self._write({name: self._ledger.read(name)})

    def _prepare(self) -> None:
        """A place that does not say that it was complete (new, wiped, from before there were records) gets all."""
        if self._prepared:
            return
        try:
            self._store.get(COMPLETE)
        except BytesMissing:
            self._ledger.mark_all(self._store.place)
            self._store.put(COMPLETE, b"{}")
        self._prepared = True

    def _write(self, due: Mapping[str, Recorded | None]) -> None:
        """Write records, and again those whose documents changed meanwhile: another machine may have been faster."""
        for _ in range(UNSTABLE_ROUNDS):
            written: dict[str, int] = {}
            for name, value in due.items():
                if value is None:
                    self._give_up(name)
                else:
                    self._store.put(name + SUFFIX, encode_record(value))
                    written[name] = value.revision
            due = {name: self._ledger.read(name) for name in self._ledger.settle(written, self._store.place)}
            if not due:
                return

    def _give_up(self, name: str) -> None:
        """Take away the record of a document that is gone; one that cannot be read must not hold up the others."""
        if name in self._ledger.known([name]):
            log.warning("records.unreadable_document", name=name)
            self._ledger.skip(name, self._store.place)
        else:
            self._store.remove(name + SUFFIX)

    def _remove(self, name: str, *, still_there: bool) -> None:
        if still_there:
            self._ledger.postpone_removal(name, now())
            return
        self._store.remove(name + SUFFIX)
        self._ledger.removed(name, self._store.place)


def encode_record(value: Recorded) -> bytes:
    """Return the file of a document's record: its fields as JSON, with a checksum over them."""
    document = json.dumps(value.model_dump(mode="json", exclude={"unrecorded"}), sort_keys=True).encode()
    head = {"format": FORMAT, "kind": kind_of(type(value)), "checksum": sha256(document).hexdigest()}
    return json.dumps(head).encode()[:-1] + b', "document": ' + document + b"}"


def decode_record(filename: str, data: bytes, model: type[R]) -> R:
    """Return the document of a kind that a record holds; the file may be anything.

    Raises:
        IntegrityError: it is not the whole, undamaged record that its name says; the text says why.
    """
    if len(data) > LARGEST_BYTES:
        raise IntegrityError("It is larger than any record.")
    try:
        record = json.loads(data)
        document, named = record["document"], f"{record['kind']}-{record['document']['id']}{SUFFIX}"
        if record["format"] != FORMAT or record["kind"] != kind_of(model) or filename != named:
            raise IntegrityError("It is not the record that its name says.")
        if record["checksum"] != _checksum(document):
            raise IntegrityError("It was changed or damaged.")
        value = model.model_validate(document)
    except ValidationError as error:
        fields = sorted({".".join(map(str, item["loc"])) for item in error.errors()})
        raise IntegrityError(f"These fields are wrong: {', '.join(fields[:5])}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError("It is not a record.") from error
    if isinstance(value, Message):
        _check_pictures(value)
    return value


def _checksum(document: dict[str, Any]) -> str:
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _check_pictures(message: Message) -> None:
    """A message holds each picture once, of its own author, under the picture's own file name."""
    ids = [image.id for image in message.images]
    named = all(image.filename.rpartition(".")[0] == image.id for image in message.images)
    owned = all(image.owner_id == message.owner_id for image in message.images)
    if len(set(ids)) < len(ids) or not named or not owned:
        raise IntegrityError("Its pictures are not its own.")
