"""What operators use, and the background work."""

from __future__ import annotations

from functools import cached_property

from ChatBot.bootstrap.conversations import Conversations
from ChatBot.db.connection import ping
from ChatBot.services.health import Health
from ChatBot.services.upkeep.evidence import Evidence
from ChatBot.services.upkeep.maintenance import Maintenance
from ChatBot.services.upkeep.rebuild import Rebuild
from ChatBot.services.upkeep.wiring import Upkeep
from ChatBot.services.worker import Worker

RECOVERY_SECONDS = 15.0
"""Well under the lease of an answer, so that a living process always renews in time."""
PURGE_SECONDS = 600.0
WITHDRAW_SECONDS = 10.0
COPY_CHECK_SECONDS = 60.0


class Operations(Conversations):
    """Upkeep, health and the worker."""

    @cached_property
    def upkeep(self) -> Upkeep:
        return Upkeep.build(
            self.paths,
            self.files,
            self.chain,
            self.repositories,
            self.resolver,
            self.sharing,
            self.replicator.work_once,
            max_age_days=self.settings.image_max_age_days,
            history=self.stewardship.history,
        )

    @cached_property
    def rebuild(self) -> Rebuild:
        kept, evidence = self.repositories, Evidence(self.files, self.chain)
        return Rebuild(kept.ledger, kept.images, kept.users, evidence, self.places, self.upkeep.volume)

    @cached_property
    def maintenance(self) -> Maintenance:
        return Maintenance(self.repositories.tasks, self.repositories.census, self.upkeep.restore, self.upkeep.cleanup)

    @cached_property
    def health(self) -> Health:
        return Health(
            self.repositories.messages,
            self.repositories.images,
            self.files,
            self.chain,
            self.generators[self.settings.image_generator],
            self.assistant,
            self.repositories.users,
            lambda: ping(self.database),
            self.upkeep.volume.require,
        )

    @cached_property
    def worker(self) -> Worker:
        chores = [
            (RECOVERY_SECONDS, self.recovery.sweep),
            (WITHDRAW_SECONDS, self.privacy.withdraw_due),
            (PURGE_SECONDS, self.deletion.purge_due),
            (COPY_CHECK_SECONDS, self.copy_check.check_due),
            (PURGE_SECONDS, self.upkeep.holding.empty_expired),
            *self.stewardship.chores,
        ]
        return Worker([self.replicator.work_once], chores, beside=[each.work_once for each in self.records])
