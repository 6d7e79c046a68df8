"""Deletes copies that belong to no picture: what was uploaded for one that then was not kept."""

from __future__ import annotations

from datetime import timedelta

import structlog

from ChatBot.db.images import Images
from ChatBot.db.orphans import Orphan, Orphans
from ChatBot.errors import BytesMissing, ProviderError, ProviderRefused
from ChatBot.hosts.base import DeletionProof, Receipt
from ChatBot.hosts.chain import HostChain
from ChatBot.models import UNSETTLED_COPY_STATES, now
from ChatBot.services.copies.copies import backoff_seconds

log = structlog.get_logger(__name__)

CLAIM = timedelta(minutes=10)
"""Longer than one deletion takes; after that another worker may try."""
AT_ONCE = 20
LAST_ATTEMPT = 200
"""At one attempt in 15 minutes about two days; then it is left to a person."""


class OrphanCare:
    """Counts orphans and deletes them when their host lets it."""

    def __init__(self, orphans: Orphans, images: Images, chain: HostChain) -> None:
        self._orphans = orphans
        self._images = images
        self._chain = chain

    def take_in(self, image_id: str, receipt: Receipt) -> None:
        """Note a copy that nobody wants any more and that could not be deleted at once."""
        self._orphans.add(
            image_id, receipt.host, url=receipt.url, delete_url=receipt.delete_url, page_url=receipt.page_url
        )

    def work_due(self) -> int:
        """Try to delete those whose turn it is; returns how many are gone now."""
        gone = 0
        for _ in range(AT_ONCE):
            orphan = self._orphans.claim(now(), CLAIM)
            if orphan is None:
                break
            gone += self._delete(orphan)
        return gone

    def _delete(self, orphan: Orphan) -> bool:
        proof = self._proof(orphan)
        if proof == "confirmed":
            self._orphans.settle(orphan.id, "gone")
        elif proof == "manual" or orphan.attempts >= LAST_ATTEMPT:
            self._orphans.settle(orphan.id, "manual")
        else:
            self._orphans.postpone(orphan.id, now() + timedelta(seconds=backoff_seconds(orphan.attempts)))
        return proof == "confirmed"

    def _proof(self, orphan: Orphan) -> DeletionProof:
        """Delete it, unless a picture has come to use that very copy (hosts may give one address twice)."""
        located = self._images.find(orphan.image_id, trashed=True)
        copies = [copy for copy in located.image.copies if copy.host == orphan.host] if located else []
        if any(copy.url == orphan.url for copy in copies):
            return "confirmed"
        if any(copy.state in UNSETTLED_COPY_STATES for copy in copies):
            return "pending"
        try:
            host = self._chain.member(orphan.host)
            return host.delete(Receipt(orphan.host, orphan.url or "", orphan.delete_url, orphan.page_url))
        except BytesMissing:
            return "confirmed"
        except ProviderRefused as error:
            log.warning("orphan.refused", host=orphan.host, error=str(error))
            return "manual"
        except ProviderError as error:
            log.warning("orphan.later", host=orphan.host, error=str(error))
            return "pending"
