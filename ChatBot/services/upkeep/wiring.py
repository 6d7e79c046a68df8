"""What operators look after the stored pictures with, wired together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ChatBot.db.history import NO_HISTORY, Notes
from ChatBot.db.repositories import Repositories
from ChatBot.hosts.chain import HostChain
from ChatBot.media.decoding import IN_PROCESS, Decoder
from ChatBot.media.files import FileStore
from ChatBot.media.paths import StoragePaths
from ChatBot.media.quarantine import Quarantine
from ChatBot.media.volume import VolumeMark
from ChatBot.services.pictures.resolver import Resolver
from ChatBot.services.sharing.sharing import Sharing
from ChatBot.services.upkeep.cleanup import Cleanup
from ChatBot.services.upkeep.debris import Debris
from ChatBot.services.upkeep.evidence import Evidence
from ChatBot.services.upkeep.holding import Holding
from ChatBot.services.upkeep.last_copy import LastCopyRule
from ChatBot.services.upkeep.orphan_search import OrphanSearch
from ChatBot.services.upkeep.plans import Plans
from ChatBot.services.upkeep.replicate import Replicate
from ChatBot.services.upkeep.restore import Restore
from ChatBot.services.upkeep.share_doctor import ShareDoctor
from ChatBot.services.upkeep.verify import Verify
from ChatBot.services.upkeep.volume import Volume


@dataclass(frozen=True)
class Upkeep:
    """The services behind ``images`` and ``shares`` on the command line; all of them ask ``volume`` first."""

    volume: Volume
    holding: Holding
    cleanup: Cleanup
    restore: Restore
    verify: Verify
    replicate: Replicate
    share_doctor: ShareDoctor
    orphan_search: OrphanSearch

    @classmethod
    def build(
        cls,
        paths: StoragePaths,
        files: FileStore,
        chain: HostChain,
        repositories: Repositories,
        resolver: Resolver,
        sharing: Sharing,
        work_once: Callable[[], bool],
        *,
        max_age_days: int,
        history: Notes = NO_HISTORY,
        decoder: Decoder = IN_PROCESS,
    ) -> Upkeep:
        """Wire them; ``work_once`` does a piece of the outbox."""
        images, messages, shares = repositories.images, repositories.messages, repositories.shares
        volume = Volume(VolumeMark(paths.root), repositories.marks)
        plans = Plans(paths.root / "plans")
        rule = LastCopyRule(chain)
        search = OrphanSearch(images, chain, volume)
        debris = Debris(images, files, repositories.ledger.known, repositories.originals.named)
        holding = Holding(images, repositories.tombstones, files, Quarantine(paths), rule, volume, plans)
        age = max_age_days
        return cls(
            volume,
            holding,
            Cleanup(
                images, messages, shares, files, rule, debris, volume, plans, holding, max_age_days=age, history=history
            ),
            Restore(images, files, resolver, volume, history),
            Verify(images, files, chain, debris, volume, search.run, decoder),
            Replicate(images, files, chain, work_once),
            ShareDoctor(shares, sharing, Evidence(files, chain)),
            search,
        )
