"""``Services``: everything the web and the commands call, in one frozen value with a beginning and an end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database

from ChatBot.assistants.base import Assistant
from ChatBot.config import Settings
from ChatBot.db.embedded import RunningServer
from ChatBot.db.repositories import Repositories
from ChatBot.generators.base import Generator
from ChatBot.hosts.chain import HostChain
from ChatBot.media.decoding import Decoder
from ChatBot.media.files import FileStore
from ChatBot.media.spool import Spool
from ChatBot.outbound import Gate
from ChatBot.services.accounts import Accounts
from ChatBot.services.audit import Audit
from ChatBot.services.conversations.chat import Chat
from ChatBot.services.conversations.generation import Generation
from ChatBot.services.conversations.recovery import Recovery
from ChatBot.services.conversations.running import Running
from ChatBot.services.conversations.threads import Threads
from ChatBot.services.copies.replication import Replicator
from ChatBot.services.events import EventLog
from ChatBot.services.guessing import Guessing
from ChatBot.services.health import Health
from ChatBot.services.pictures.adoption import Adoption
from ChatBot.services.pictures.deletion import Deletion
from ChatBot.services.pictures.gallery import Gallery
from ChatBot.services.pictures.image_handler import ImageHandler
from ChatBot.services.pictures.privacy import Privacy
from ChatBot.services.pictures.resolver import Resolver
from ChatBot.services.pictures.showing import Showing
from ChatBot.services.pictures.trash import Trash
from ChatBot.services.records import Records
from ChatBot.services.sharing.bundles import Bundles
from ChatBot.services.sharing.continuing import Continuing
from ChatBot.services.sharing.linking import Linking
from ChatBot.services.sharing.previews import Previews
from ChatBot.services.sharing.sharing import Sharing
from ChatBot.services.upkeep.cleanup import Cleanup
from ChatBot.services.upkeep.copy_check import CopyCheck
from ChatBot.services.upkeep.maintenance import Maintenance
from ChatBot.services.upkeep.rebuild import Rebuild
from ChatBot.services.upkeep.restore import Restore
from ChatBot.services.upkeep.stewardship import Stewardship
from ChatBot.services.upkeep.wiring import Upkeep
from ChatBot.services.worker import Worker


@dataclass(frozen=True)
class Services:
    """Everything the web and the commands call."""

    settings: Settings
    secret_key: str
    server: RunningServer
    database: Database[dict[str, Any]]
    repositories: Repositories
    assistant: Assistant
    generators: Mapping[str, Generator]
    chain: HostChain
    gate: Gate
    files: FileStore
    decoder: Decoder
    spool: Spool
    accounts: Accounts
    audit: Audit
    guessing: Guessing
    events: EventLog
    threads: Threads
    gallery: Gallery
    trash: Trash
    sharing: Sharing
    linking: Linking
    previews: Previews
    bundles: Bundles
    showing: Showing
    continuing: Continuing
    image_handler: ImageHandler
    replicator: Replicator
    resolver: Resolver
    privacy: Privacy
    adoption: Adoption
    generation: Generation
    chat: Chat
    records: tuple[Records, ...]
    rebuild: Rebuild
    upkeep: Upkeep
    copy_check: CopyCheck
    stewardship: Stewardship
    maintenance: Maintenance
    deletion: Deletion
    health: Health
    recovery: Recovery
    worker: Worker
    pools: tuple[Running, ...]

    @property
    def restore(self) -> Restore:
        """Brings local files back."""
        return self.upkeep.restore

    @property
    def cleanup(self) -> Cleanup:
        """Makes room on this disk."""
        return self.upkeep.cleanup

    def start(self) -> None:
        """Take over what a process that is gone left behind, and begin the background work.

        With the embedded database there is one serving process, so whatever still runs has lost its process.
        """
        self.upkeep.volume.begin_again()
        self.recovery.sweep(lonely=self.settings.mongodb_uri is None)
        self.worker.start()
        self.decoder.prepare()

    def wind_down(self) -> None:
        """End the open streams and the work behind messages, so that the requests that wait for them are answered."""
        self.events.close()
        for pool in self.pools:
            pool.close()

    def close(self) -> None:
        """Stop in the order of dependence: streams, answers, the worker, uploads, the database."""
        self.wind_down()
        self.maintenance.close()
        self.worker.close()
        self.replicator.close()
        self.decoder.close()
        self.gate.close()
        self.database.client.close()
        self.server.stop()

    def stats(self) -> dict[str, Any]:
        """Return totals for operators."""
        return self.health.stats()

    def readiness(self) -> dict[str, Any]:
        """Return part by part whether a picture could be made and kept now."""
        return self.health.readiness()
