"""The shapes of requests, as the OpenAPI document shows them."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from ChatBot.db.tasks import TaskKind
from ChatBot.models import Kind
from ChatBot.services.conversations.generation import COUNTS, PROMPT_CHARACTERS, SEEDS, SIDES

Text = Annotated[str, StringConstraints(max_length=100_000)]
CHOSEN_AT_ONCE = 500
Side = Annotated[int, Field(strict=True, ge=SIDES.start, le=SIDES.stop - 1)]


class Body(BaseModel):
    """A JSON object; unknown fields are refused so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Refuse a JSON text that holds JSON once more, which flask-openapi3 hands over to be read in turn."""
        return cls.model_validate(json_data, **options)

    @field_validator("*", mode="before")
    @classmethod
    def _no_nul(cls, value: Any) -> Any:
        """Refuse U+0000, which no person types and programs behind us cut texts at."""
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(text, str) and "\0" in text for text in texts):
            raise ValueError("must not contain NUL characters")
        return value


class Query(BaseModel):
    """What stands behind the question mark of an address."""

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Return the JSON schema; flask-openapi3 asks for it at every request, and making it takes a millisecond."""
        if arguments or options:
            return super().model_json_schema(*arguments, **options)
        return _plain_schema(cls)


@cache
def _plain_schema(model: type[Query]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)


class Credentials(Body):
    """A name and a password."""

    username: Annotated[str, StringConstraints(max_length=200)]
    password: Annotated[str, StringConstraints(max_length=5000)]


class NewPassword(Body):
    """The present password and the new one.

    API tokens are revoked unless ``keep_tokens``; permanent links to pictures only with ``end_links``.
    """

    current: Annotated[str, StringConstraints(max_length=5000)]
    new: Annotated[str, StringConstraints(max_length=5000)]
    keep_tokens: bool = False
    end_links: bool = False


class NewToken(Body):
    """An API token's name."""

    name: Annotated[str, StringConstraints(max_length=100)] = "token"


class NewConversation(Body):
    """A conversation; without a title the first message gives it one."""

    title: Annotated[str, StringConstraints(max_length=500)] = ""
    private: bool = False
    """What it shows stays off public hosts."""


class ConversationChanges(Body):
    """What may be changed of a conversation; a field that is left out stays."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    private: bool | None = None
    """True takes back what was published; false lets it go to public hosts again."""


class AccountChanges(Body):
    """What a person may change of the own account."""

    private: bool
    """True keeps every picture of the account off public hosts."""


class NewMessage(Body):
    """A person's message and the ids of the pictures shown with it."""

    content: Text = ""
    images: Annotated[list[str], Field(max_length=20)] = Field(default_factory=list)


class EditedMessage(Body):
    """A message's new text."""

    content: Text


class NewImage(Body):
    """A picture to be drawn; ``width`` and ``height`` in pixels."""

    prompt: Annotated[str, StringConstraints(max_length=PROMPT_CHARACTERS)]
    conversation_id: str | None = None
    width: Side = 1024
    height: Side = 1024
    count: Annotated[int, Field(strict=True, ge=COUNTS.start, le=COUNTS.stop - 1)] = 1
    seed: Annotated[int, Field(strict=True, ge=0, le=SEEDS.stop - 1)] | None = None
    negative_prompt: Annotated[str, StringConstraints(max_length=PROMPT_CHARACTERS)] | None = None
    generator: str | None = None


class ImageChanges(Body):
    """What may be changed of a picture; a field that is left out stays."""

    caption: str | None = None
    tags: list[str] | None = None
    favourite: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_nulls_for_lists(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("caption", "") is None:
            return {**value, "caption": ""}
        return value


class Chosen(Body):
    """The ids of what is to be restored or deleted together."""

    ids: Annotated[list[str], Field(min_length=1, max_length=CHOSEN_AT_ONCE)]


class NewShare(Body):
    """A link: ``expires_in`` in seconds (none: it stays), an optional password, live or as it is now."""

    expires_in: Annotated[int, Field(strict=True)] | None = None
    password: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = None
    live: bool = False


class NewPictureLink(Body):
    """A link to one picture: signed for ``expires_in`` seconds (an hour unless told), or permanent with a name."""

    expires_in: Annotated[int, Field(strict=True)] | None = None
    permanent: bool = False
    name: Annotated[str, StringConstraints(max_length=80)] = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.permanent and self.expires_in is not None:
            raise ValueError("A permanent link has no expires_in; leave one of the two out.")
        return self


class NewTask(Body):
    """A restore or a clean-up; without ``apply`` it only says what it would do."""

    kind: TaskKind
    apply: bool = False


class CopyOnHost(Body):
    """The host of a copy."""

    host: Annotated[str, StringConstraints(max_length=100)]


class ConversationPath(BaseModel):
    """A conversation's id."""

    conversation_id: str


class MessagePath(ConversationPath):
    """A message's id within its conversation."""

    message_id: str


class ImagePath(BaseModel):
    """A picture's id."""

    image_id: str


class StoragePath(BaseModel):
    """Where a picture lies under Storage."""

    folder: str
    file: str


class TokenPath(BaseModel):
    """An API token's id."""

    token_id: str


class SharePath(BaseModel):
    """A share's id."""

    share_id: str


class PictureLinkPath(BaseModel):
    """The id of a link to a picture."""

    link_id: str


class LinkPath(BaseModel):
    """A share link's token."""

    token: str


class LinkImagePath(LinkPath, ImagePath):
    """A picture under a share link."""


class Page(Query):
    """Where to go on in a list, and how many items to answer with."""

    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class PicturesQuery(Page):
    """Which of the account's things to list: its pictures, or its files."""

    kind: Kind = "picture"


class SharesQuery(Page):
    """Which links to list: those to one conversation, or all."""

    conversation_id: str | None = None


class Removal(Query):
    """What goes with a conversation: ``revoke_shares`` closes its links, which otherwise go on showing it."""

    revoke_shares: bool = False


class AuditQuery(Page):
    """What to show of the audit log: one action, one outcome, what one account did (its name)."""

    action: Annotated[str, StringConstraints(max_length=100)] | None = None
    outcome: Annotated[str, StringConstraints(max_length=20)] | None = None
    account: Annotated[str, StringConstraints(max_length=200)] | None = None


class After(Query):
    """The number of the last event that was seen."""

    after: Annotated[int, Field(ge=0, lt=10**15)] | None = None


class DiskUseQuery(Query):
    """How many days of disk use, up to the 90 that measurements are kept for."""

    days: Annotated[int, Field(ge=1, le=90)] = 1


class Rendition(Query):
    """``w``: width in pixels of a smaller rendition; ``download``: as a file to keep."""

    w: int | None = None
    download: bool = False
    crop: bool = False
