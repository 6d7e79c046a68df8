"""The shapes of answers, as the OpenAPI document shows them; tests hold every answer against them."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel

from ChatBot.db.history import Happening
from ChatBot.models import CopyState, Fidelity, Identifier, Kind, LocalState, MessageStatus, Sha256

Moment = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
        json_schema_extra={"format": "date-time"},
        description="A UTC time with milliseconds.",
    ),
]


class Answer(BaseModel):
    """A JSON object with exactly these fields; ``null`` where there is nothing to say."""

    model_config = ConfigDict(extra="forbid")


Item = TypeVar("Item", bound=BaseModel)


class Items(Answer, Generic[Item]):
    """A part of a list; ``next_cursor`` leads to the next one, and is null at the end."""

    items: list[Item]
    next_cursor: str | None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Name the list after what is in it."""
        return f"{params[0].__name__}List"


class Place(Answer):
    """Which part of a request was wrong, and why."""

    field: str
    reason: str


class Problem(Answer):
    """An error as RFC 9457 has it; ``request_id`` is also in the server's log. Some have more to say than others."""

    type: Annotated[str, Field(pattern="^urn:chatbot:problem:[a-z-]+$")]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    request_id: str
    errors: list[Place] | None = None
    reason: str | None = None
    csrf_token: str | None = None


class CopyRecord(Answer):
    """A copy on a cloud host; ``published_at`` is where one that is to be deleted can still be seen."""

    host: str
    state: CopyState
    fidelity: Fidelity | None
    verified_at: Moment | None
    published_at: str | None


class Durability(Answer):
    """Where a picture's bytes are, and what is proved of it."""

    local: LocalState
    copies: list[CopyRecord]


class Kept(Answer):
    """What is said of pictures and of files alike; ``size`` in bytes, ``src`` and ``url`` on this server."""

    id: Identifier
    url: str
    src: str
    mime_type: str
    size: int
    service: str
    caption: str | None
    sha256: Sha256
    favourite: bool
    private: bool
    tags: list[str]
    created_at: Moment
    uploaded_at: Moment | None
    durability: Durability


class Picture(Kept):
    """A picture as its owner sees it; ``width`` and ``height`` in pixels."""

    kind: Literal["picture"]
    thumbnail_url: str
    cloud_url: str | None
    width: int
    height: int
    frames: int
    generated: bool
    prompt: str | None
    negative_prompt: str | None
    generator: str | None
    model: str | None
    seed: int | None
    parent_id: Identifier | None


class StoredFile(Kept):
    """A file that is no picture, as its owner sees it."""

    kind: Literal["file"]
    name: str


class PictureOrFile(RootModel[Annotated[Picture | StoredFile, Field(discriminator="kind")]]):
    """What was handed in."""


class Made(Answer):
    """Pictures that were drawn and stored."""

    conversation_id: Identifier
    message_id: Identifier
    images: list[Picture]


class Begun(Answer):
    """Pictures that are being drawn; the event stream says when they are stored."""

    conversation_id: Identifier
    message_id: Identifier
    images: Annotated[list[Picture], Field(max_length=0)]
    events_url: str


class Trashed(Answer):
    """A picture in the trash; ``remote`` says whether copies of it are still on cloud hosts."""

    id: Identifier
    state: Literal["trashed"]
    remote: Literal["pending", "confirmed"]


class TrashEntry(Answer):
    """What is in the trash; ``ends_at`` is when it goes for good, null once that has begun."""

    id: Identifier
    kind: Kind
    name: str
    caption: str | None
    prompt: str | None
    mime_type: str
    size: int
    width: int
    height: int
    created_at: Moment
    trashed_at: Moment
    ends_at: Moment | None
    thumbnail_url: str | None
    durability: Durability


class Untrashed(Answer):
    """What was taken out of the trash."""

    items: list[PictureOrFile]


class Deleted(Answer):
    """What was deleted for good, and what is proved of its cloud copies."""

    id: Identifier
    remote: Literal["confirmed", "pending", "manual"]


class DeletedForGood(Answer):
    """What was deleted for good."""

    items: list[Deleted]


class Restored(Answer):
    """A picture's local file; ``source`` is the host it came from, ``local`` if it was there."""

    id: Identifier
    source: str
    durability: Durability


class HistoryEntry(Answer):
    """One thing that happened to a picture; ``times`` and ``first_at`` tell of what happened again and again."""

    what: Happening
    host: str | None
    detail: str | None
    times: int
    at: Moment
    first_at: Moment | None


class MessageRecord(Answer):
    """A message as its owner sees it."""

    id: Identifier
    role: Literal["user", "assistant"]
    content: str
    status: MessageStatus
    error: str | None
    created_at: Moment
    images: list[Picture]
    files: list[StoredFile]


class ConversationRecord(Answer):
    """A conversation without its messages."""

    id: Identifier
    title: str
    private: bool
    created_at: Moment
    updated_at: Moment


class ConversationWithMessages(ConversationRecord):
    """A conversation; its event stream goes on after ``last_event_id``."""

    messages: list[MessageRecord]
    last_event_id: int


class Accepted(Answer):
    """An answer that is being written; ``user_message_id`` is the question."""

    message_id: Identifier
    user_message_id: Identifier | None
    events_url: str


class Stopped(Answer):
    """An answer that was stopped, or had ended before."""

    message_id: Identifier
    status: MessageStatus
