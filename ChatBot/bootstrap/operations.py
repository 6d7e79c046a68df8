"""What operators use, and the background work."""

from __future__ import annotations

from functools import cached_property

from ChatBot.bootstrap.conversations import Conversations
from ChatBot.db.connection import ping
from ChatBot.services.copies.outbox import COPIES
from ChatBot.services.health import Health
from ChatBot.services.housekeeping import CHORES, Chore, Housekeeping
from ChatBot.services.pictures.adoption import Adoption
from ChatBot.services.records import RECORDS
from ChatBot.services.upkeep.evidence import Evidence
from ChatBot.services.upkeep.maintenance import Maintenance
from ChatBot.services.upkeep.rebuild import Rebuild
from ChatBot.services.upkeep.wiring import Upkeep
from ChatBot.services.worker import Work, Worker

RECOVERY_SECONDS = 5.0
"""Well under the lease of an answer, so that a living process always renews in time."""
RENEW_SECONDS = 15.0
"""Well under the lease of a chore."""
CHORES_AT_ONCE = 4
"""Some wait for slow hosts, which must not hold up the others."""
PURGE_SECONDS = 600.0
WITHDRAW_SECONDS = 10.0
ADOPTION_SECONDS = 60.0
COPY_CHECK_SECONDS = 60.0


class Operations(Conversations):
    """Upkeep, health and the worker."""

    @cached_property
    def adoption(self) -> Adoption:
        limits = self.settings
        return Adoption(
            self.repositories.originals,
            self.files,
            self.chain,
            self.privacy.required,
            max_pixels=limits.image_max_pixels,
            max_frames=limits.image_max_frames,
            decoder=self.decoder,
        )

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
            decoder=self.decoder,
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
            self.jobs,
        )

    @cached_property
    def worker(self) -> Worker:
        threads = self.settings.worker_threads
        few = min(1, threads)
        works = [
            Work(COPIES, self.replicator.work_on, self.outbox.due, threads),
            *(Work(RECORDS + each.place, each.work_on, each.due, few) for each in self.records),
            Work(CHORES, self.housekeeping.work_on, self.housekeeping.due, few * CHORES_AT_ONCE),
        ]
        duties = [
            (RECOVERY_SECONDS, self.recovery.sweep),
            (RENEW_SECONDS, self.housekeeping.renew),
            *self.stewardship.duties,
        ]
        return Worker(self.jobs, works, duties)

    @cached_property
    def housekeeping(self) -> Housekeeping:
        chores = [
            Chore("withdraw", WITHDRAW_SECONDS, self.privacy.withdraw_due),
            Chore("purge", PURGE_SECONDS, self.deletion.purge_due),
            Chore("drafts", PURGE_SECONDS, self.continuing.tidy),
            Chore("adoption", ADOPTION_SECONDS, self.adoption.adopt_all),
            Chore("copy check", COPY_CHECK_SECONDS, self.copy_check.check_due),
            Chore("quarantine", PURGE_SECONDS, self.upkeep.holding.empty_expired),
            *self.stewardship.chores,
        ]
        return Housekeeping(self.repositories.chores, chores)
