"""Links that show something to whoever has them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ChatBot.models.base import Identifier, Model, Recorded, Role, Sha256


class SharedMessage(Model):
    """A message as a viewer gets it; what is no field here is never told to anybody but its owner."""

    id: Identifier
    role: Role
    content: str = ""
    images: tuple[Identifier, ...] = ()
    attachments: tuple[Identifier, ...] = ()
    created_at: datetime


class Share(Recorded):
    """A link that shows one conversation to whoever has it. Only the token's SHA-256 is kept."""

    id: Identifier
    owner_id: Identifier
    conversation_id: Identifier
    token_hash: Sha256
    live: bool = False
    """True: also what comes later, read from the conversation; False: a snapshot."""
    until: datetime
    """When the newest message was written that the conversation had as the link was made."""
    title: str = ""
    messages: tuple[SharedMessage, ...] = ()
    """What a snapshot shows, whatever becomes of the conversation; taken away when the link is revoked."""
    image_ids: tuple[Identifier, ...] = ()
    """The pictures among it, which stay because of it."""
    password_hash: str | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    views: int = 0
    created_at: datetime

    def state(self, at: datetime) -> Literal["open", "expired", "revoked"]:
        """Return whether the link works at that time, or why not."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= at else "open"

    @property
    def frozen(self) -> bool:
        """Whether it shows what is written in it; else it reads its conversation (live, or made by version 0.1)."""
        return bool(self.messages)


class PictureLink(Recorded):
    """A permanent link that shows one picture to whoever has it. Only the token's SHA-256 is kept."""

    id: Identifier
    owner_id: Identifier
    image_id: Identifier
    token_hash: Sha256
    name: str = ""
    """What its owner calls it."""
    created_at: datetime
    last_used_at: datetime | None = None
    """To the day."""
    revoked_at: datetime | None = None
