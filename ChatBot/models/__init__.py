"""The nouns of the application, as frozen values; what they look like in MongoDB is decided here once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from ChatBot.models.base import RECORD_PLACES, Identifier, Model, Recorded, RecordPlace, Role, Sha256, new_id, now
from ChatBot.models.links import PictureLink, Share, SharedMessage
from ChatBot.models.reasons import Reason, reason_document

__all__ = [
    "RECORD_PLACES",
    "UNSETTLED_COPY_STATES",
    "USABLE_COPY_STATES",
    "Conversation",
    "Copy",
    "CopyState",
    "Event",
    "Fidelity",
    "Folder",
    "Identifier",
    "Image",
    "Kind",
    "LocalState",
    "Message",
    "MessageStatus",
    "Model",
    "PictureLink",
    "Provenance",
    "Reason",
    "RecordPlace",
    "Recorded",
    "Role",
    "Sha256",
    "Share",
    "SharedMessage",
    "Token",
    "Tombstone",
    "User",
    "adopted",
    "new_id",
    "now",
    "reason_document",
]


MessageStatus = Literal["queued", "streaming", "complete", "failed", "cancelled", "interrupted"]
Folder = Literal["Image_Gen", "uploads"]
Kind = Literal["picture", "file"]
"""A file is what was handed in and is no picture: kept byte for byte, never opened here, only downloaded."""
LocalState = Literal["present", "evicted", "corrupt"]
CopyState = Literal[
    "pending", "leased", "uploaded", "verified", "retry", "refused", "suspect", "deleting", "gone", "delete_manual"
]
Fidelity = Literal["exact", "transcoded"]

USABLE_COPY_STATES: frozenset[str] = frozenset({"uploaded", "verified"})
"""Copies whose URL may be named to the owner."""

UNSETTLED_COPY_STATES: frozenset[str] = frozenset({"pending", "leased", "retry", "uploaded"})
"""Copies that the replication worker still owes work to."""


class User(Recorded):
    """An account. ``password_hash`` is an argon2id string; it never leaves the server."""

    id: Identifier
    username: str
    username_key: str
    """The case-folded, NFKC-normalised name that must be unique."""
    password_hash: str
    role: Literal["admin", "member"] = "member"
    private: bool = False
    """None of its pictures goes to a public host."""
    password_changes: int = 0
    """How often the password was changed; a session that was begun under another number is dead."""
    links_ended_at: datetime | None = None
    """Signed links to its pictures that were made until then are dead."""
    created_at: datetime


class Token(Model):
    """An API token; only its SHA-256 is kept."""

    has_own_document: ClassVar[bool] = True

    id: Identifier
    owner_id: Identifier
    name: str
    token_hash: Sha256
    created_at: datetime
    last_used_at: datetime | None = None


class Copy(Model):
    """One cloud copy of a picture: which host, how far it is, and what proves it."""

    host: str
    state: CopyState = "pending"
    fidelity: Fidelity | None = None
    url: str | None = None
    """Where anybody who knows it can fetch the bytes (public hosts), or None."""
    delete_url: str | None = None
    """A bearer secret: whoever has it can delete the picture. It never leaves the server."""
    page_url: str | None = None
    attempts: int = 0
    next_at: datetime | None = None
    """Earliest time of the next attempt."""
    lease_owner: str | None = None
    lease_until: datetime | None = None
    error: str | None = None
    uploaded_at: datetime | None = None
    verified_at: datetime | None = None


class Provenance(Model):
    """Where a picture comes from; everything about it that its bytes do not say."""

    owner_id: Identifier
    generated: bool
    prompt: str | None = None
    negative_prompt: str | None = None
    generator: str | None = None
    model: str | None = None
    seed: int | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    """What was taken out of the file (EXIF, PNG text), and what the generator says; private."""
    original_name: str | None = None
    """The name the uploader's file had; display text only."""
    parent_id: Identifier | None = None
    """The picture this one was edited from."""


class Image(Provenance):
    """A picture as it is embedded in the message that shows it; also a file, which has no pixels."""

    id: Identifier
    kind: Kind = "picture"
    folder: Folder
    filename: str
    """``<id>.<extension>`` inside ``folder``."""
    mime_type: str
    size: int
    """Bytes of the one stored byte string."""
    width: int
    height: int
    """Pixels, after the EXIF orientation was applied; both 0 for a file."""
    frames: int = 1
    sha256: Sha256
    crc32: int
    thumbhash: str | None = None
    """Base64 of the ThumbHash, a placeholder of about 25 bytes."""
    original_url: str | None = None
    """The address it had in the original design; it still leads here."""
    caption: str | None = None
    tags: tuple[str, ...] = ()
    favourite: bool = False
    local: LocalState = "present"
    copies: tuple[Copy, ...] = ()
    created_at: datetime
    private: bool = False
    """No public host may have it: its account, or a conversation that shows it, is private."""
    withheld: bool = False
    """No public host may ever have it, whatever its owner chooses: it was copied from one that none might have."""
    trashed_at: datetime | None = None
    purging: bool = False
    """Deletion for good has begun: it can no longer be taken out of the trash."""
    purge_attempts: int = 0
    purge_at: datetime | None = None
    """Earliest time of the next attempt to delete it for good; None before the first one."""

    @property
    def off_public_hosts(self) -> bool:
        """No public host may be sent it: it is private, or its bytes came unchanged with the metadata they had."""
        return self.private or self.withheld or self.is_file or self.original_url is not None

    @property
    def is_file(self) -> bool:
        """It is handed out as a file to keep, and shown nowhere."""
        return self.kind == "file"

    @property
    def name(self) -> str:
        """What it is called where it is shown by its name; never empty."""
        return self.original_name or f"{self.kind}.{self.filename.rpartition('.')[2]}"

    @property
    def best_copy(self) -> Copy | None:
        """The cloud copy to name: the one that was usable first, verified before merely uploaded."""
        usable = [copy for copy in self.copies if copy.state in USABLE_COPY_STATES and copy.url]
        return min(usable, key=_copy_rank, default=None)


def _copy_rank(copy: Copy) -> tuple[bool, datetime]:
    return copy.state != "verified", copy.uploaded_at or datetime.max.replace(tzinfo=UTC)


class Message(Recorded):
    """One turn of a conversation with the pictures embedded in it."""

    id: Identifier
    conversation_id: Identifier | None
    owner_id: Identifier
    role: Role
    content: str = ""
    status: MessageStatus = "complete"
    error: Reason | None = None
    over_quota: bool = False
    """It failed because its pictures were more than the account may keep."""
    images: tuple[Image, ...] = ()
    attachments: tuple[Identifier, ...] = ()
    """Pictures of other messages (uploads) that this one shows."""
    request: dict[str, Any] | None = None
    """The picture request this message answers (prompt, size, seed ...), kept so that it can be retried."""
    reply_to: Identifier | None = None
    idempotency_key: str | None = None
    draft_of: Identifier | None = None
    """The copy of a conversation that it belongs to once that is whole; until then it is shown nowhere."""
    lease_owner: str | None = None
    """The process that works on this answer while it is queued or streaming."""
    lease_until: datetime | None = None
    """When that process counts as gone unless it says that it lives."""
    created_at: datetime
    updated_at: datetime | None = None

    @field_validator("images", mode="before")
    @classmethod
    def _adopted(cls, images: Any) -> Any:
        return adopted(images)


def adopted(images: Iterable[Any]) -> list[Any]:
    """Return stored pictures without those that ``services/pictures/adoption.py`` has not turned: they have no hash."""
    return [each for each in images if not isinstance(each, dict) or "url" not in each]


class Conversation(Recorded):
    """A named list of messages that belongs to one account."""

    id: Identifier
    owner_id: Identifier
    title: str = ""
    private: bool = False
    """None of the pictures it shows goes to a public host."""
    created_at: datetime
    updated_at: datetime


class Tombstone(Recorded):
    """What is left of a picture that was deleted for good; nothing brings the picture back."""

    id: Identifier
    owner_id: Identifier
    sha256: Sha256
    deleted_at: datetime


class Event(Model):
    """One entry of a conversation's event log, the source of its SSE stream."""

    conversation_id: Identifier
    seq: int
    type: str
    data: dict[str, Any]
    created_at: datetime
