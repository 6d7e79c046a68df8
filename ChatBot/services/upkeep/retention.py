"""Keeps the local originals within their soft limit: what nobody looked at for longest goes, if it is safe elsewhere.

A local file is evicted only when an exact copy on a trusted host was fetched and compared just before (the last-copy
rule that clean-ups follow); the picture itself stays, and comes back to this disk when somebody opens it.
"""

from __future__ import annotations

import structlog

from ChatBot.db.census import Census
from ChatBot.db.history import NO_HISTORY, Notes
from ChatBot.db.images import Images
from ChatBot.db.messages import Messages
from ChatBot.db.shares import Shares
from ChatBot.media.files import FileStore
from ChatBot.models import Image
from ChatBot.services.upkeep.disk_use import bytes_by_folder, originals_bytes
from ChatBot.services.upkeep.last_copy import InUse, LastCopyRule
from ChatBot.services.upkeep.volume import Volume

log = structlog.get_logger(__name__)

KEPT_IN_A_ROW = 20
"""After so many pictures in a row that had to stay, a host is likely down: the rest waits for the next time."""


class Retention:
    """Evicts local copies, the longest unseen first, until the originals fit; 0 bytes mean no limit."""

    def __init__(
        self,
        census: Census,
        images: Images,
        messages: Messages,
        shares: Shares,
        files: FileStore,
        rule: LastCopyRule,
        volume: Volume,
        history: Notes = NO_HISTORY,
        *,
        local_max_bytes: int,
    ) -> None:
        self._census = census
        self._images = images
        self._messages = messages
        self._shares = shares
        self._files = files
        self._rule = rule
        self._volume = volume
        self._history = history
        self._local_max_bytes = local_max_bytes

    def evict_least_viewed(self) -> int:
        """Make the originals fit again; returns how many files went.

        Raises ``SettingsError`` when the storage folder is not this database's.
        """
        if not self._local_max_bytes:
            return 0
        surplus = originals_bytes(bytes_by_folder(self._files)) - self._local_max_bytes
        if surplus <= 0:
            return 0
        self._volume.require()
        in_use = InUse(self._shares, self._messages)
        evicted, kept = 0, 0
        for image_id in self._census.least_viewed():
            if surplus <= 0 or kept >= KEPT_IN_A_ROW:
                break
            freed, wasted = self._try(image_id, in_use)
            surplus -= freed
            evicted += freed > 0
            kept = kept + 1 if wasted else 0
        log.info("retention.evicted", files=evicted, surplus_bytes=max(0, surplus))
        return evicted

    def _try(self, image_id: str, in_use: InUse) -> tuple[int, bool]:
        """Return the bytes that were freed, and whether a host was asked in vain."""
        located = self._images.find(image_id)
        if located is None or in_use.why_kept(located.image):
            return 0, False
        image = located.image
        if image.local != "present" or not self._files.exists(image.folder, image.filename):
            return 0, False
        reason = self._rule.why_kept(image)
        if reason:
            log.info("retention.kept", image=image.id, reason=reason)
            return 0, True
        return self._evict(image), False

    def _evict(self, image: Image) -> int:
        """The document says so first: a file that is still there then is counted as present again by a clean-up."""
        if not self._images.set_local(image.id, "present", "evicted"):
            return 0
        self._files.delete(image.folder, image.filename)
        self._history.note(image.id, "evicted", detail="LOCAL_MAX_MB")
        return image.size
