"""Hard quotas: how many pictures, and how many bytes of them, an account may keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from ChatBot.db.usage import Hold, Usage, Used
from ChatBot.errors import ChatBotError, DatabaseUnavailable, QuotaExceeded
from ChatBot.models import Image, now
from ChatBot.sentence import Sentence

log = structlog.get_logger(__name__)

COUNT_AGE = timedelta(hours=1)
"""How long a count is trusted before it is made anew, whatever else happens."""
RECOUNTS = 20
"""How often a count is repeated when other requests of the same account come in between."""
NO_LIMIT = 2**62


class Room(Protocol):
    """Says whether new pictures may be kept."""

    def require_room(self, owner_id: str, images: int = 1) -> None:
        """Raise ``QuotaExceeded`` when so many more pictures cannot be kept: before anybody draws, or is paid."""

    def room_for(self, images: Sequence[Image]) -> AbstractContextManager[None]:
        """Hold room while the documents of one account's pictures are written inside.

        Raises ``QuotaExceeded`` without room. When the outcome of the write is unknown the room stays held until it
        cannot happen any more.
        """

    def coming_back(self, image: Image) -> AbstractContextManager[None]:
        """Count a picture that is taken out of the trash inside; that is never refused."""


class Unlimited:
    """Room for everything."""

    def require_room(self, owner_id: str, images: int = 1) -> None:
        """Do nothing."""

    def room_for(self, images: Sequence[Image]) -> AbstractContextManager[None]:  # noqa: ARG002 - the interface's own
        """Hold nothing."""
        return nullcontext()

    def coming_back(self, image: Image) -> AbstractContextManager[None]:  # noqa: ARG002 - the interface's own
        """Count nothing."""
        return nullcontext()


UNLIMITED: Room = Unlimited()


class Quota:
    """Limits per account, the same for all; 0 means no limit, and without any nothing is counted."""

    def __init__(self, usage: Usage, *, max_images: int = 0, max_bytes: int = 0) -> None:
        self._usage = usage
        self.max_images = max_images
        self.max_bytes = max_bytes
        self._since = now()  # counts of an earlier process may be from a time without limits

    def used(self, owner_id: str) -> Used:
        """Return what an account keeps now, from its documents."""
        return self._usage.count(owner_id)

    def require_room(self, owner_id: str, images: int = 1) -> None:
        """Raise ``QuotaExceeded`` when so many more pictures cannot be kept: before anybody draws, or is paid."""
        if not self._is_set:
            return
        most = self._most(images, 1)
        if not self._usage.fits(owner_id, most, self._counted_since()):
            self._recount(owner_id)
            if not self._usage.fits(owner_id, most, self._counted_since()):
                raise self._exceeded(owner_id, images)

    @contextmanager
    def room_for(self, images: Sequence[Image]) -> Iterator[None]:
        """Hold room while the documents of one account's pictures are written inside."""
        if not self._is_set or not images:
            yield
            return
        owner_id = images[0].owner_id
        hold = Hold.of({image.id: image.size for image in images})
        self._take(owner_id, hold)
        with self._settling(owner_id, hold):
            yield

    @contextmanager
    def coming_back(self, image: Image) -> Iterator[None]:
        """Count a picture that is taken out of the trash inside; that is never refused."""
        if not self._is_set:
            yield
            return
        hold = Hold.of({image.id: image.size})
        if not self._usage.fits(image.owner_id, self._most_of_all(), self._counted_since()):
            self._recount(image.owner_id)
        self._usage.hold_anyway(image.owner_id, hold)
        with self._settling(image.owner_id, hold):
            yield

    @contextmanager
    def _settling(self, owner_id: str, hold: Hold) -> Iterator[None]:
        try:
            yield
        except DatabaseUnavailable:
            raise
        except ChatBotError:
            self._usage.release(owner_id, hold)
            raise
        try:
            self._usage.keep(owner_id, hold)
        except ChatBotError as error:  # the pictures are written; the hold ends by itself
            log.warning("quota.still_held", owner=owner_id, error=str(error))

    def _take(self, owner_id: str, hold: Hold) -> None:
        most = self._most(hold.images, hold.bytes)
        if self._usage.hold(owner_id, hold, most, self._counted_since()):
            return
        self._recount(owner_id)
        if not self._usage.hold(owner_id, hold, most, self._counted_since()):
            raise self._exceeded(owner_id, hold.images)

    def _recount(self, owner_id: str) -> None:
        """Count from the documents; a refusal is never based on anything older."""
        for _ in range(RECOUNTS):
            if self._usage.recount(owner_id, now()):
                return

    @property
    def _is_set(self) -> bool:
        return bool(self.max_images or self.max_bytes)

    def _most(self, images: int, size: int) -> Used:
        """Return what may be used before so much more is added."""
        return Used(
            images=self.max_images - images if self.max_images else NO_LIMIT,
            bytes=self.max_bytes - size if self.max_bytes else NO_LIMIT,
        )

    def _most_of_all(self) -> Used:
        return Used(images=NO_LIMIT, bytes=NO_LIMIT)

    def _counted_since(self) -> datetime:
        return max(self._since, now() - COUNT_AGE)

    def _exceeded(self, owner_id: str, images: int) -> QuotaExceeded:
        """Return the refusal, which names the limit that is in the way."""
        used = self._usage.count(owner_id)
        if self.max_images and used.images + images > self.max_images:
            return QuotaExceeded(
                Sentence(
                    "Your picture quota is used up: you keep %(kept)s of at most %(most)s pictures "
                    "(IMAGE_PER_USER_LIMIT). Delete some, or ask the administrator for more.",
                    kept=used.images,
                    most=self.max_images,
                )
            )
        return QuotaExceeded(
            Sentence(
                "Your storage quota is used up: your pictures take %(kept)s MB of at most %(most)s MB (USER_QUOTA_MB). "
                "Delete some, or ask the administrator for more.",
                kept=f"{used.bytes / 1e6:,.1f}",
                most=f"{self.max_bytes / 1e6:,.0f}",
            )
        )
