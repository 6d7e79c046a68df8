"""What all nouns share: identifiers, times, and the way into MongoDB and back.

Identifiers are 32 lower-case hexadecimal digits: 128 bits from the operating system's random source, never derived
from content, time or a person's input. Times are timezone-aware UTC with millisecond precision (BSON's own).
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints

Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

Role = Literal["user", "assistant", "upload"]
"""``upload`` holds a picture that was handed in before any message showed it; it has no conversation."""

RecordPlace = Literal["disk", "s3"]
RECORD_PLACES: tuple[RecordPlace, ...] = ("disk", "s3")
"""Where records are kept. A place that is set up later finds everything marked for it."""


def new_id() -> str:
    """Return a fresh identifier: 128 random bits as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def now() -> datetime:
    """Return the present UTC time, cut to milliseconds as MongoDB stores it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Model(BaseModel):
    """A frozen value that turns into a MongoDB document and back; unknown stored fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    has_own_document: ClassVar[bool] = False
    """Whether it is a document, and not a part of one."""

    def to_document(self) -> dict[str, Any]:
        """Return the fields as a BSON-ready dict; a top-level ``id`` becomes ``_id``."""
        document = self.model_dump()
        if self.has_own_document:
            document["_id"] = document.pop("id")
        return document

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Build the value from a stored document; a top-level ``_id`` becomes ``id``."""
        fields = dict(document)
        if "_id" in fields:
            fields["id"] = fields.pop("_id")
        return cls.model_validate(fields)


class Recorded(Model):
    """A document that is also kept as a record: a small file on the disk, and on the S3 host if there is one."""

    has_own_document: ClassVar[bool] = True

    revision: int = 0
    """Grows with every change, so that a record tells whether it is older than the document."""
    unrecorded: tuple[RecordPlace, ...] = RECORD_PLACES
    """Places whose record is out of date; set by the same write that changes the document."""
