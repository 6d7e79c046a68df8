"""What keeps an installation in order by itself and lets its administrators see it, wired together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ChatBot.config import Settings
from ChatBot.db.history import History
from ChatBot.db.repositories import Repositories
from ChatBot.hosts.chain import HostChain
from ChatBot.media.files import FileStore
from ChatBot.media.paths import StoragePaths
from ChatBot.media.volume import VolumeMark
from ChatBot.services.copies.orphans import OrphanCare
from ChatBot.services.housekeeping import Chore
from ChatBot.services.pictures.quota import Quota
from ChatBot.services.pictures.viewing import Viewing
from ChatBot.services.upkeep.disk_use import DiskUse
from ChatBot.services.upkeep.last_copy import LastCopyRule
from ChatBot.services.upkeep.oversight import Oversight
from ChatBot.services.upkeep.retention import Retention
from ChatBot.services.upkeep.volume import Volume

VIEWS_SECONDS = 60.0
ORPHANS_SECONDS = 60.0
SAMPLES_SECONDS = 60.0
"""Measurements are further apart than that; this is how late one can be."""
RETENTION_SECONDS = 600.0


@dataclass(frozen=True)
class Limits:
    """How much may be kept; 0 means as much as there is room for."""

    images_per_user: int = 0
    bytes_per_user: int = 0
    local_bytes: int = 0
    """Soft: local copies of all accounts together; what is safe elsewhere goes first."""

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Return the limits that the settings name."""
        megabyte = 1_000_000
        return cls(settings.image_per_user_limit, settings.user_quota_mb * megabyte, settings.local_max_mb * megabyte)


@dataclass(frozen=True)
class Stewardship:
    """History, quotas, looks, orphans, disk use, and the overview of it all."""

    limits: Limits
    history: History
    quota: Quota
    viewing: Viewing
    orphans: OrphanCare
    disk_use: DiskUse
    oversight: Oversight
    retention: Retention

    @classmethod
    def build(
        cls, repositories: Repositories, paths: StoragePaths, files: FileStore, chain: HostChain, limits: Limits
    ) -> Stewardship:
        """Wire them."""
        kept = repositories
        return cls(
            limits,
            kept.history,
            Quota(kept.usage, max_images=limits.images_per_user, max_bytes=limits.bytes_per_user),
            Viewing(kept.views),
            OrphanCare(kept.orphans, kept.images, chain),
            DiskUse(kept.samples, kept.census, files),
            Oversight(kept.census, kept.images, kept.orphans, kept.samples, kept.history, files, chain),
            Retention(
                kept.census,
                kept.images,
                kept.messages,
                kept.shares,
                files,
                LastCopyRule(chain),
                Volume(VolumeMark(paths.root), kept.marks),
                kept.history,
                local_max_bytes=limits.local_bytes,
            ),
        )

    @property
    def chores(self) -> list[Chore]:
        """What is done now and then for the whole installation."""
        return [
            Chore("orphans", ORPHANS_SECONDS, self.orphans.work_due),
            Chore("samples", SAMPLES_SECONDS, self.disk_use.sample),
            Chore("retention", RETENTION_SECONDS, self.retention.evict_least_viewed),
        ]

    @property
    def duties(self) -> list[tuple[float, Callable[[], int]]]:
        """What each process does for itself: seconds between two times, and the work."""
        return [(VIEWS_SECONDS, self.viewing.flush)]
