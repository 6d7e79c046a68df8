"""Deleting for good: after the trash's time, or at the owner's word; first a tombstone, then everything else.

A picture in the trash already answers nobody. Purging it writes the tombstone first, so that whatever happens next
nothing can bring the picture back; then the files go, then the copies. A copy is gone when a GET of its URL says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from time import monotonic

import structlog

from ChatBot.db.history import NO_HISTORY, Notes
from ChatBot.db.images import Images, Located
from ChatBot.db.tombstones import Tombstones
from ChatBot.errors import BytesMissing, ProviderError, StorageError
from ChatBot.hosts.base import DeletionProof, Receipt
from ChatBot.hosts.chain import HostChain
from ChatBot.media.files import FileStore
from ChatBot.models import Copy, Image, now
from ChatBot.services.copies.copies import after_deletion, backoff_seconds

log = structlog.get_logger(__name__)

PURGES_AT_ONCE = 50


class Deletion:
    """Empties the trash."""

    def __init__(
        self,
        images: Images,
        tombstones: Tombstones,
        files: FileStore,
        chain: HostChain,
        *,
        trash_days: int,
        at_once: int = PURGES_AT_ONCE,
        bury: Callable[[str], None] = lambda _: None,
        noted: Callable[[str], None] = lambda _: None,
        history: Notes = NO_HISTORY,
    ) -> None:
        """``bury`` is told the id of a picture that has a tombstone now, before anything of the picture goes.

        ``noted`` is told it once, however often the rest has to be repeated.
        """
        self._images = images
        self._tombstones = tombstones
        self._files = files
        self._chain = chain
        self._trash_days = trash_days
        self._at_once = at_once
        self._bury = bury
        self._noted = noted
        self._history = history

    def purge_due(self) -> int:
        """Purge what has been in the trash long enough; returns how many pictures are gone for good.

        One that cannot go yet has its next turn later, so that it holds up none of the others.
        """
        moment = now()
        due = self._images.due_purges(moment - timedelta(days=self._trash_days), moment, self._at_once)
        return sum(self._is_purged(located) for located in due)

    def purge(self, located: Located) -> DeletionProof:
        """Remove a trashed picture for good.

        ``pending`` means that a copy still has to go and its record is kept, or that the owner took the picture out of
        the trash in time.
        """
        image = self._begin(located)
        if image is None:
            return "pending"
        self._remove_files(image)
        return self._finish(image)

    def purge_now(self, chosen: Sequence[Located], patience_seconds: float) -> dict[str, DeletionProof]:
        """Remove trashed pictures for good without waiting for their time; returns by id what is proved of it.

        This server's part is done for all of them before the first host is asked. Hosts that were not asked within
        ``patience_seconds`` are asked later. What its owner took out of the trash in time is left out.
        """
        begun = [image for image in map(self._begin, chosen) if image is not None]
        proofs: dict[str, DeletionProof] = {image.id: "pending" for image in begun}
        ready = [image for image in begun if self._has_no_files(image)]
        until = monotonic() + patience_seconds
        for image in ready:
            if monotonic() < until:
                proofs[image.id] = self._finish(image)
        return proofs

    def _begin(self, located: Located) -> Image | None:
        """Write the tombstone; None when the owner has taken the picture out of the trash."""
        wait = timedelta(seconds=backoff_seconds(located.image.purge_attempts + 1))
        current = self._images.begin_purge(located.image, now() + wait)
        if current is None:
            return None
        if self._tombstones.add(current.image):
            self._noted(current.image.id)
        self._bury(current.image.id)
        return current.image

    def _remove_files(self, image: Image) -> None:
        self._files.delete(image.folder, image.filename)
        self._files.delete_thumbnails(image.id)

    def _has_no_files(self, image: Image) -> bool:
        """Remove a picture's files; False when the disk does not let them go now."""
        try:
            self._remove_files(image)
        except StorageError as error:
            log.warning("deletion.later", image=image.id, error=str(error))
            return False
        return True

    def _finish(self, image: Image) -> DeletionProof:
        """Remove the copies and then the record."""
        proofs = {self._remove_copy(image.id, copy) for copy in image.copies}
        if "pending" in proofs:
            return "pending"
        self._images.remove(image.id)
        self._history.note(image.id, "purged")
        return "manual" if "manual" in proofs else "confirmed"

    def _is_purged(self, located: Located) -> bool:
        try:
            return self.purge(located) != "pending"
        except StorageError as error:
            log.warning("deletion.later", image=located.image.id, error=str(error))
            return False

    def _remove_copy(self, image_id: str, copy: Copy) -> DeletionProof:
        if not copy.url and copy.state == "leased" and copy.lease_until and copy.lease_until > now():
            return "pending"  # an upload is under way, and only its reply will say where the copy is
        if copy.state == "gone" or not copy.url:
            return "confirmed"
        if copy.state == "delete_manual":
            return "manual"
        try:
            host = self._chain.member(copy.host)
            proof = host.delete(Receipt(copy.host, copy.url, copy.delete_url, copy.page_url))
        except (ProviderError, BytesMissing) as error:
            log.warning("deletion.later", image=image_id, host=copy.host, error=str(error))
            proof = "pending"
        self._images.set_copy(image_id, copy, after_deletion(copy, proof, now()))
        self._history.note(image_id, "copy_deleted", copy.host, proof)
        return proof
