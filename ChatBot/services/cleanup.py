"""Make room on this disk without ever taking the last intact copy of a picture.

Three kinds of files may go: local originals older than the age limit whose cloud copy was fetched and found exact in
this very run; originals that no document knows and that are older than the grace time; thumbnails of pictures that
are gone. Everything is planned first; only ``apply`` touches the disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

from ChatBot.db.images import Images
from ChatBot.errors import ChatBotError
from ChatBot.hosts.chain import HostChain
from ChatBot.media.files import FileStore, StoredFile
from ChatBot.models import Image, now

GRACE_SECONDS = 3600.0
"""A file without a document may belong to a save that is still under way."""
BATCH = 500
ID_CHARACTERS = 32


@dataclass
class CleanupReport:
    """What a clean-up would do, or did: image ids to evict, files without a document, what is kept and why."""

    evict: list[str] = field(default_factory=list)
    debris: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    freed_bytes: int = 0
    applied: bool = False


class Cleanup:
    """Evicts old local copies that are safe elsewhere, and removes files that belong to nothing."""

    def __init__(self, images: Images, files: FileStore, chain: HostChain, *, max_age_days: int) -> None:
        self._images = images
        self._files = files
        self._chain = chain
        self._max_age_days = max_age_days

    def run(
        self, *, apply: bool, max_age_days: int | None = None, on_step: Callable[[int], None] = lambda _: None
    ) -> CleanupReport:
        """Plan, and with ``apply`` carry out. The age of a picture is the document's, never the file's."""
        report = CleanupReport(applied=apply)
        before = now() - timedelta(days=self._max_age_days if max_age_days is None else max_age_days)
        for done, located in enumerate(self._images.each(), 1):
            image = located.image
            if image.trashed_at is None and image.local == "present" and image.created_at < before:
                self._consider(image, report, apply=apply)
            on_step(done)
        self._sweep(report, apply=apply)
        return report

    def _consider(self, image: Image, report: CleanupReport, *, apply: bool) -> None:
        if not self._files.exists(image.folder, image.filename):
            return
        reason = self._why_kept(image)
        if reason:
            report.kept[image.id] = reason
            return
        report.evict.append(image.id)
        report.freed_bytes += image.size
        if apply and self._images.set_local(image.id, "present", "evicted"):
            self._files.delete(image.folder, image.filename)

    def _why_kept(self, image: Image) -> str:
        """Return why the local file must stay; empty when an exact, trusted copy was just fetched and is right."""
        reasons = []
        for copy in image.copies:
            if copy.state != "verified" or copy.fidelity != "exact" or not copy.url:
                continue
            try:
                host = self._chain.member(copy.host)
                if not host.traits.trusted:
                    reasons.append(f"{copy.host} is not trusted to be the only place")
                elif sha256(host.fetch(copy.url)).hexdigest() == image.sha256:
                    return ""
                else:
                    reasons.append(f"{copy.host} returned other bytes")
            except ChatBotError as error:
                reasons.append(f"{copy.host}: {error}")
        return "; ".join(reasons) or "no exact cloud copy"

    def _sweep(self, report: CleanupReport, *, apply: bool) -> None:
        """Find files that no document knows, in batches of one query each."""
        batch: list[StoredFile] = []
        oldest = time.time() - GRACE_SECONDS
        for entry in self._files.list_files():
            if entry.mtime < oldest:
                batch.append(entry)
            if len(batch) >= BATCH:
                self._sweep_batch(batch, report, apply=apply)
                batch = []
        self._sweep_batch(batch, report, apply=apply)

    def _sweep_batch(self, batch: list[StoredFile], report: CleanupReport, *, apply: bool) -> None:
        known = self._images.known_ids([image_id_of(entry) for entry in batch])
        for entry in batch:
            if not entry.temporary and image_id_of(entry) in known:
                continue
            report.debris.append(f"{entry.folder}/{entry.filename}")
            report.freed_bytes += entry.size
            if apply:
                self._files.discard(entry)


def image_id_of(entry: StoredFile) -> str:
    """Return the picture id that a file's name begins with: ``<id>.<extension>`` or ``<id>_<width>.webp``."""
    return entry.filename[:ID_CHARACTERS]
