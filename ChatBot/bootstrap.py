"""Builds the services from the settings: the one module that knows every concrete class."""

from __future__ import annotations

from dataclasses import fields
from functools import cached_property
from typing import Any

import structlog
from argon2 import PasswordHasher
from pymongo.database import Database

from ChatBot.assistants import build_assistant
from ChatBot.config import Settings, secret_key_of
from ChatBot.container import Services
from ChatBot.db.connection import connect, ping
from ChatBot.db.embedded import AttachedServer, RunningServer, ensure
from ChatBot.db.repositories import Repositories
from ChatBot.generators import build_generators
from ChatBot.hosts import build_chain, build_s3_records
from ChatBot.media.files import FileStore
from ChatBot.media.paths import StoragePaths
from ChatBot.media.records import DiskRecords, record_lock
from ChatBot.media.spool import Spool
from ChatBot.outbound import Gate
from ChatBot.services.accounts import Accounts
from ChatBot.services.chat import Chat
from ChatBot.services.deletion import Deletion
from ChatBot.services.events import EventLog
from ChatBot.services.gallery import Gallery
from ChatBot.services.generation import Generation
from ChatBot.services.health import Health
from ChatBot.services.image_handler import ImageHandler, IntakeLimits
from ChatBot.services.records import Records, RecordStore
from ChatBot.services.recovery import Recovery
from ChatBot.services.replication import Replicator
from ChatBot.services.resolver import Resolver
from ChatBot.services.running import Running
from ChatBot.services.sharing import Sharing
from ChatBot.services.threads import Threads
from ChatBot.services.upkeep.evidence import Evidence
from ChatBot.services.upkeep.maintenance import Maintenance
from ChatBot.services.upkeep.rebuild import Rebuild
from ChatBot.services.upkeep.stewardship import Limits, Stewardship
from ChatBot.services.upkeep.wiring import Upkeep
from ChatBot.services.worker import Worker

log = structlog.get_logger(__name__)

CHAT_THREADS = 32
"""Answers that stream at the same time in one process; they mostly wait for the model."""
RECOVERY_SECONDS = 15.0
"""Well under the lease of an answer, so that a living process always renews in time."""
PURGE_SECONDS = 600.0


def build(
    settings: Settings, *, purpose: str = "serving", may_attach: bool = True, hasher: PasswordHasher | None = None
) -> Services:
    """Build every service.

    ``may_attach`` lets this process use the embedded database of another one that runs (commands, workers); ``hasher``
    replaces the password hashing, which is slow on purpose.
    Raises ``SettingsError`` or ``DatabaseUnavailable`` with a sentence that says what to do.
    """
    server = _database_server(settings, purpose, may_attach=may_attach)
    try:
        database = connect(server.uri, settings.mongodb_db)
        try:
            ping(database)
            return _Wiring(settings, server, database, hasher or PasswordHasher()).services()
        except BaseException:
            database.client.close()
            raise
    except BaseException:
        server.stop()
        raise


class _Wiring:
    """What each service is made of; a part is built when the first other one asks for it, and once."""

    def __init__(
        self, settings: Settings, server: RunningServer, database: Database[dict[str, Any]], hasher: PasswordHasher
    ) -> None:
        self.settings = settings
        self.server = server
        self.database = database
        self._hasher = hasher
        self.repositories = Repositories.on(database)
        self._paths = StoragePaths(settings.storage_root)
        self._paths.ensure()
        self.secret_key = secret_key_of(settings)
        self.gate = Gate(settings.fetch_allow_private_hosts)
        self.chain = build_chain(settings, self.gate)
        self.generators = build_generators(settings)
        self.assistant = build_assistant(settings)
        self.files = FileStore(self._paths)
        self.spool = Spool(settings.storage_root / "spool")
        self.events = EventLog(self.repositories.events)

    def services(self) -> Services:
        """Build everything that ``Services`` names."""
        self.upkeep.volume.begin()
        return Services(**{part.name: getattr(self, part.name) for part in fields(Services)})

    # People

    @cached_property
    def accounts(self) -> Accounts:
        kept = self.repositories
        return Accounts(
            kept.users,
            kept.tokens,
            kept.sessions,
            allow_registration=self.settings.allow_registration,
            hasher=self._hasher,
        )

    @cached_property
    def sharing(self) -> Sharing:
        kept = self.repositories
        return Sharing(kept.shares, kept.conversations, kept.messages, kept.images, self.threads, hasher=self._hasher)

    # Conversations

    @cached_property
    def threads(self) -> Threads:
        kept = self.repositories
        return Threads(
            kept.conversations, kept.messages, kept.images, kept.shares, self.events, self.stewardship.history
        )

    @cached_property
    def pools(self) -> tuple[Running, Running]:
        """Where pictures are drawn, and where answers are written."""
        drawing = Running(self.repositories.messages, self.settings.generation_threads, "draw")
        return drawing, Running(self.repositories.messages, CHAT_THREADS, "chat", owner=drawing.owner)

    @cached_property
    def generation(self) -> Generation:
        return Generation(
            self.generators,
            self.settings.image_generator,
            self.image_handler,
            self.repositories.messages,
            self.threads,
            self.events,
            self.pools[0],
            self.spool,
            parallel=self.settings.generation_threads,
        )

    @cached_property
    def chat(self) -> Chat:
        kept = self.repositories
        return Chat(
            self.assistant,
            self.generation,
            self.threads,
            kept.messages,
            kept.images,
            self.files,
            self.events,
            self.pools[1],
        )

    @cached_property
    def recovery(self) -> Recovery:
        return Recovery(self.repositories.messages, self.generation, self.chat, self.events, self.pools, self.spool)

    # Pictures and their copies

    @cached_property
    def gallery(self) -> Gallery:
        kept, steward = self.repositories, self.stewardship
        return Gallery(kept.messages, kept.images, self.events, room=steward.quota, history=steward.history)

    @cached_property
    def image_handler(self) -> ImageHandler:
        settings = self.settings
        return ImageHandler(
            self.files,
            self.repositories.messages,
            self.replicator,
            IntakeLimits(settings.image_max_bytes, settings.image_max_pixels, settings.image_max_frames),
            cloud_wait_seconds=settings.cloud_wait_seconds,
            room=self.stewardship.quota,
            history=self.stewardship.history,
        )

    @cached_property
    def replicator(self) -> Replicator:
        return Replicator(
            self.chain,
            self.repositories.images,
            self.files,
            self.gallery.announce,
            history=self.stewardship.history,
            take_in=self.stewardship.orphans.take_in,
        )

    @cached_property
    def resolver(self) -> Resolver:
        return Resolver(self.files, self.repositories.images, self.chain, self.stewardship.history)

    @cached_property
    def deletion(self) -> Deletion:
        return Deletion(
            self.repositories.images,
            self.repositories.tombstones,
            self.files,
            self.chain,
            trash_days=self.settings.trash_days,
            bury=self.records[0].bury,
            history=self.stewardship.history,
        )

    # Records, upkeep, oversight

    @cached_property
    def _places(self) -> tuple[RecordStore, ...]:
        return (DiskRecords(self.files), *build_s3_records(self.settings, self.gate))

    @cached_property
    def records(self) -> tuple[Records, ...]:
        ledger = self.repositories.ledger
        return tuple(Records(ledger, place, record_lock(self._paths, place.place)) for place in self._places)

    @cached_property
    def rebuild(self) -> Rebuild:
        kept, evidence = self.repositories, Evidence(self.files, self.chain)
        return Rebuild(kept.ledger, kept.images, kept.users, evidence, self._places, self.upkeep.volume)

    @cached_property
    def stewardship(self) -> Stewardship:
        limits = Limits.of(self.settings)
        return Stewardship.build(self.repositories, self._paths, self.files, self.chain, limits)

    @cached_property
    def upkeep(self) -> Upkeep:
        return Upkeep.build(
            self._paths,
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
            (PURGE_SECONDS, self.deletion.purge_due),
            (PURGE_SECONDS, self.upkeep.holding.empty_expired),
            *self.stewardship.chores,
        ]
        return Worker([self.replicator.work_once], chores, beside=[each.work_once for each in self.records])


def _database_server(settings: Settings, purpose: str, *, may_attach: bool) -> RunningServer:
    if settings.mongodb_uri:
        return AttachedServer(settings.mongodb_uri)
    return ensure(settings, purpose, may_attach=may_attach)
