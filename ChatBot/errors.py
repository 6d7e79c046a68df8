"""Every error this application raises, as one tree; the class says what the caller should do.

ChatBotError
├── SettingsError              the start stops; the text says what to set
├── InputError                 the request is at fault: mend it, then send it again
│   ├── PictureRefused         the bytes are not a picture we can keep (``reason`` says which check failed)
│   ├── TooLarge               more bytes, pixels or frames than the limits allow
│   └── TooLongToKeep          no link can keep so much text as it is now
├── NotAuthenticated           log in, then send it again
├── Forbidden                  this account may not do that; asking again changes nothing
├── NotFound                   absent, deleted or somebody else's: the answer is the same for all three
├── Conflict                   it clashes with what is stored: read it again first
├── QuotaExceeded              a limit of this account or server is used up
├── RateLimited                too much at once: send it again after ``retry_after_seconds``
├── ServerBusy                 the server has its hands full with what others sent: the same
├── ProviderError              an outside service did not do its work (``provider`` names it)
│   ├── ProviderRefused        never send this to that provider again; try the next one
│   └── ProviderUnavailable    the same request may pass later (``retry_after_seconds`` if it said when)
├── StorageError               this disk cannot keep or give the bytes
│   ├── StorageFull            no room (or no inodes, or the quota of the volume)
│   └── BytesMissing           no file of that name, or it is not a plain file
├── IntegrityError             the bytes are not the recorded ones; they must not be served
├── DatabaseUnavailable        MongoDB does not answer; try again later
├── QueueUnavailable           the job queue does not answer; the work stands in MongoDB and is found again there
└── Cancelled                  the person asked to stop; nothing is wrong
"""

from __future__ import annotations

from typing import Literal

RefusalReason = Literal["too_large", "type", "auth", "quota", "moderation", "input", "private"]


class ChatBotError(Exception):
    """The root of the tree; ``str(error)`` is a sentence a person can act on."""


class SettingsError(ChatBotError):
    """A setting is missing or wrong; the text names it and says what to set."""


class InputError(ChatBotError):
    """The request is at fault and would fail again unchanged."""


class PictureRefused(InputError):
    """The bytes are not a picture that can be kept.

    ``reason`` is a stable word for programs: ``empty``, ``format``, ``truncated``, ``corrupt``, ``pixels``,
    ``frames``, ``memory`` (it needs more to decode than there is), ``time`` (it takes longer).
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class TooLarge(InputError):
    """More bytes than the limit that the text names."""


class TooLongToKeep(InputError):
    """A conversation has more text than a link can keep: it is shared as it grows, and deleted with its links."""


class NotAuthenticated(ChatBotError):
    """Nobody is logged in, or the credentials are wrong."""


class Forbidden(ChatBotError):
    """The account is known and may not do this."""


class NotFound(ChatBotError):
    """Absent, deleted, or not visible to the one who asks."""


class Conflict(ChatBotError):
    """The request clashes with what is stored."""


class QuotaExceeded(ChatBotError):
    """A limit is used up; the text names it."""


class RateLimited(ChatBotError):
    """Too many requests or guesses in a short time; nothing of this one was done."""

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ServerBusy(ChatBotError):
    """There is no room for this request beside those under way; nothing of it was done."""

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ProviderError(ChatBotError):
    """An outside service (cloud host, generator, chat model) failed; ``provider`` is its short name.

    ``failures`` holds what each member of a group of providers said, by name; it is empty for a single one.
    """

    def __init__(self, message: str, *, provider: str) -> None:
        super().__init__(message)
        self.provider = provider
        self.failures: dict[str, ProviderError] = {}


class ProviderRefused(ProviderError):
    """The provider will never take this request: do not retry it there, try the next provider."""

    def __init__(self, message: str, *, provider: str, reason: RefusalReason) -> None:
        super().__init__(message, provider=provider)
        self.reason: RefusalReason = reason


class ProviderUnavailable(ProviderError):
    """The provider failed for now: try the next provider at once, or this one later."""

    def __init__(self, message: str, *, provider: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message, provider=provider)
        self.retry_after_seconds = retry_after_seconds


class StorageError(ChatBotError):
    """The local disk cannot keep or give the bytes."""


class StorageFull(StorageError):
    """The disk has no room for the file."""


class BytesMissing(StorageError):
    """There is no plain file of that name."""


class IntegrityError(ChatBotError):
    """Bytes differ from the recorded SHA-256 and must not be used."""


class DatabaseUnavailable(ChatBotError):
    """MongoDB cannot be reached or did not answer in time."""


class QueueUnavailable(ChatBotError):
    """The job queue cannot be reached: nothing is lost, for what is owed stands in MongoDB."""


class Cancelled(ChatBotError):
    """The work was stopped on request."""
