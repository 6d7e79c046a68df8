"""What a cloud host is: three verbs over HTTP, one question, and what is true of the place."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import structlog

from ChatBot.errors import ProviderRefused

log = structlog.get_logger(__name__)

DeletionProof = Literal["confirmed", "pending", "manual"]
"""``confirmed``: a later GET answered 404/410. ``pending``: accepted, still visible. ``manual``: only a person can."""


@dataclass(frozen=True)
class HostTraits:
    """What is true of a host, as numbers and facts the rest of the application can decide by."""

    max_bytes: int
    """Largest file the host takes, in bytes."""
    public: bool
    """Whoever has the URL can see the picture."""
    deletable: bool
    """Software can delete there (as opposed to a person on a web page)."""
    may_recompress: bool
    """What comes back may differ from what was sent."""
    trusted: bool
    """An exact copy there, fetched and compared in the same run, is enough to evict the local file."""
    picture_origins: tuple[str, ...] = ()
    """Where browsers may load this host's pictures from, as in ``https://i.example``; empty for private hosts."""


@dataclass(frozen=True)
class HostCondition:
    """How a host is doing, as this process sees it."""

    state: Literal["ready", "waiting", "left_alone"] = "ready"
    """``waiting``: it asked us to wait. ``left_alone``: it failed too often, and is asked again after a while."""
    next_attempt_seconds: float = 0.0
    """Until the next call may go out; 0: now."""
    uploads_per_hour: int | None = None
    """How many uploads an hour all processes together allow themselves; None: no limit is set."""
    uploads_used: int = 0
    """How many of them went out in this hour."""


class Allowance(Protocol):
    """How many uploads a host may be sent."""

    per_hour: int | None

    def take(self) -> float:
        """Count an upload that is about to begin; return 0, or the seconds until the next may."""

    def used(self) -> int:
        """Return how many uploads of this hour are used up."""


class NoLimit:
    """As many uploads as there are pictures; nobody counts them."""

    per_hour: int | None = None

    def take(self) -> float:
        """Allow it."""
        return 0.0

    def used(self) -> int:
        """Return nothing."""
        return 0


NO_LIMIT: Allowance = NoLimit()


@dataclass(frozen=True)
class Upload:
    """The one stored byte string of a picture, on its way to a host."""

    image_id: str
    data: bytes
    mime_type: str
    sha256: str
    private: bool = False
    """No host whose traits say ``public`` may have it."""

    @property
    def extension(self) -> str:
        """File extension without the dot, from the MIME type: ``png``, ``jpg``, ``gif``, ``webp``, ``pdf``."""
        return {"image/jpeg": "jpg"}.get(self.mime_type, self.mime_type.rpartition("/")[2])


@dataclass(frozen=True)
class Receipt:
    """What a host says after an upload; not yet proof that the picture is there."""

    host: str
    url: str
    delete_url: str | None = None
    page_url: str | None = None


@dataclass(frozen=True)
class Listed:
    """One copy that a host has, and when it was written there."""

    url: str
    changed_at: datetime


class CloudHost(ABC):
    """A place that keeps copies of pictures.

    Every verb raises ``ProviderRefused`` (never send this there again) or ``ProviderUnavailable`` (later may work);
    nothing else leaves a host, and every call ends within its total deadline.
    """

    name: str
    traits: HostTraits

    def upload(self, upload: Upload) -> Receipt:
        """Send the bytes and return where they are said to be. Not idempotent."""
        if not self.may_have(upload):
            raise ProviderRefused(
                "The picture is private, and this host is public", provider=self.name, reason="private"
            )
        started = time.monotonic()
        try:
            receipt = self._upload(upload)
        except Exception as error:
            log.warning("host.upload.failed", host=self.name, image=upload.image_id, error=str(error))
            raise
        log.info("host.upload", host=self.name, image=upload.image_id, seconds=round(time.monotonic() - started, 3))
        return receipt

    def may_have(self, upload: Upload) -> bool:
        """Say whether a picture may be sent here at all: a private one stays off public hosts."""
        return not (upload.private and self.traits.public)

    def fetch(self, url: str) -> bytes:
        """Return the bytes now behind ``url``, at most ``traits.max_bytes`` of them.

        Raises ``BytesMissing`` when the host says there is nothing (404, 410, or a page instead of a picture).
        """
        return self._fetch(url)

    def delete(self, receipt: Receipt) -> DeletionProof:
        """Remove a copy and say what a GET of its URL proved afterwards."""
        proof = self._delete(receipt)
        log.info("host.delete", host=self.name, proof=proof)
        return proof

    def owns(self, url: str) -> bool:
        """Say whether ``url`` is one that this host gives out; asks nobody."""
        return self._owns(url)

    def link(self, url: str) -> str | None:
        """Return an address that a person can open ``url`` at, or None if there is none; asks nobody.

        Private hosts give one that works for a few minutes: make it when it is shown, never store it.
        """
        return self._link(url)

    def listing(self) -> Iterator[Listed] | None:
        """Return every copy that the host has, or None when it cannot say."""
        return self._listing()

    def reference_of(self, image_id: str, extension: str) -> str | None:
        """Return the URL that every upload of a picture gets, or None when each upload gets another; asks nobody."""
        return self._reference_of(image_id, extension)

    def _link(self, url: str) -> str | None:
        return url

    def _listing(self) -> Iterator[Listed] | None:
        return None

    def _reference_of(self, image_id: str, extension: str) -> str | None:  # noqa: ARG002 - for hosts that can say
        return None

    @property
    def condition(self) -> HostCondition:
        """How the host is doing now; asks no host."""
        return HostCondition()

    @abstractmethod
    def _upload(self, upload: Upload) -> Receipt: ...

    @abstractmethod
    def _fetch(self, url: str) -> bytes: ...

    @abstractmethod
    def _delete(self, receipt: Receipt) -> DeletionProof: ...

    @abstractmethod
    def _owns(self, url: str) -> bool: ...
