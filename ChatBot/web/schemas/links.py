"""The shapes of answers about links, for the one who made a link and for whoever has it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, RootModel

from ChatBot.models import Identifier
from ChatBot.web.schemas.answers import Answer, Moment


class ShareFacts(Answer):
    """What is always said of a link to a conversation."""

    id: Identifier
    conversation_id: Identifier
    live: bool
    views: int
    created_at: Moment
    expires_at: Moment | None
    state: Literal["open", "expired", "revoked"]
    has_password: bool


class ShareRecord(ShareFacts):
    """A link to a conversation; its address and token were told when it was made."""

    url: None
    token: None


class MadeShare(ShareFacts):
    """A new link; its address, also as a QR code, is told this once."""

    url: str
    token: str
    qr: Annotated[str, Field(pattern="^data:image/svg", description="An SVG picture as a data URI.")]


class PictureLinkRecord(Answer):
    """A permanent link to a picture; ``last_used_at`` is right to the day."""

    id: Identifier
    image_id: Identifier
    name: str
    created_at: Moment
    last_used_at: Moment | None


class MadePermanentLink(PictureLinkRecord):
    """A new permanent link; its address is told this once."""

    expires_at: None
    url: str


class MadeSignedLink(Answer):
    """A link that ends by itself, and of which nothing is kept."""

    id: None
    image_id: Identifier
    expires_at: Moment
    url: str


class MadePictureLink(RootModel[MadePermanentLink | MadeSignedLink]):
    """A new link to a picture."""


class LinksRevoked(Answer):
    """How many permanent links were closed."""

    revoked: int


class SharedPicture(Answer):
    """A picture as the holder of a link sees it."""

    id: Identifier
    kind: Literal["picture"]
    src: str
    url: str
    thumbnail_url: str
    caption: str | None
    prompt: str | None
    mime_type: str
    width: int
    height: int
    generated: bool


class SharedFile(Answer):
    """A file as the holder of a link sees it; ``size`` in bytes."""

    id: Identifier
    kind: Literal["file"]
    name: str
    mime_type: str
    size: int
    src: str
    url: str


class SharedMessageRecord(Answer):
    """A message as the holder of a link sees it."""

    id: Identifier
    role: Literal["user", "assistant"]
    content: str
    created_at: Moment
    images: list[SharedPicture]
    files: list[SharedFile]


class SharedConversation(Answer):
    """A conversation as the holder of a link sees it."""

    title: str
    created_at: Moment
    live: bool
    messages: list[SharedMessageRecord]
