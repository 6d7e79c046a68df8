"""Builds the services from the settings: the one module that knows every concrete class."""

from __future__ import annotations

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
            return _wire(settings, server, database, hasher or PasswordHasher())
        except BaseException:
            database.client.close()
            raise
    except BaseException:
        server.stop()
        raise


def _wire(
    settings: Settings, server: RunningServer, database: Database[dict[str, Any]], hasher: PasswordHasher
) -> Services:
    repositories = Repositories.on(database)
    gate = Gate(settings.fetch_allow_private_hosts)
    chain = build_chain(settings, gate)
    generators = build_generators(settings)
    assistant = build_assistant(settings)
    paths = StoragePaths(settings.storage_root)
    paths.ensure()
    files = FileStore(paths)
    spool = Spool(settings.storage_root / "spool")
    events = EventLog(repositories.events)
    messages, images = repositories.messages, repositories.images
    drawing = Running(messages, settings.generation_threads, "draw")
    chatting = Running(messages, CHAT_THREADS, "chat", owner=drawing.owner)
    stewardship = Stewardship.build(repositories, paths, files, chain, Limits.of(settings))
    history, quota = stewardship.history, stewardship.quota
    gallery = Gallery(messages, images, events, room=quota, history=history)
    replicator = Replicator(
        chain,
        images,
        files,
        gallery.announce,
        history=history,
        take_in=stewardship.orphans.take_in,
    )
    handler = ImageHandler(
        files,
        messages,
        replicator,
        IntakeLimits(settings.image_max_bytes, settings.image_max_pixels, settings.image_max_frames),
        cloud_wait_seconds=settings.cloud_wait_seconds,
        room=quota,
        history=history,
    )
    resolver = Resolver(files, images, chain, history)
    threads = Threads(repositories.conversations, messages, images, repositories.shares, events, history)
    generation = Generation(
        generators,
        settings.image_generator,
        handler,
        messages,
        threads,
        events,
        drawing,
        spool,
        parallel=settings.generation_threads,
    )
    chat = Chat(assistant, generation, threads, messages, images, files, events, chatting)
    recovery = Recovery(messages, generation, chat, events, (drawing, chatting), spool)
    ledger = repositories.ledger
    places: tuple[RecordStore, ...] = (DiskRecords(files), *build_s3_records(settings, gate))
    records = tuple(Records(ledger, place, record_lock(paths, place.place)) for place in places)
    deletion = Deletion(
        images,
        repositories.tombstones,
        files,
        chain,
        trash_days=settings.trash_days,
        bury=records[0].bury,
        history=history,
    )
    sharing = Sharing(repositories.shares, repositories.conversations, messages, images, threads, hasher=hasher)
    upkeep = Upkeep.build(
        paths,
        files,
        chain,
        repositories,
        resolver,
        sharing,
        replicator.work_once,
        max_age_days=settings.image_max_age_days,
        history=history,
    )
    upkeep.volume.begin()
    return Services(
        settings=settings,
        secret_key=secret_key_of(settings),
        server=server,
        database=database,
        repositories=repositories,
        assistant=assistant,
        generators=generators,
        chain=chain,
        gate=gate,
        files=files,
        spool=spool,
        accounts=Accounts(
            repositories.users,
            repositories.tokens,
            repositories.sessions,
            allow_registration=settings.allow_registration,
            hasher=hasher,
        ),
        events=events,
        threads=threads,
        gallery=gallery,
        sharing=sharing,
        image_handler=handler,
        replicator=replicator,
        resolver=resolver,
        generation=generation,
        chat=chat,
        recovery=recovery,
        restore=upkeep.restore,
        records=records,
        rebuild=Rebuild(ledger, images, repositories.users, Evidence(files, chain), places, upkeep.volume),
        cleanup=upkeep.cleanup,
        upkeep=upkeep,
        stewardship=stewardship,
        maintenance=Maintenance(repositories.tasks, repositories.census, upkeep.restore, upkeep.cleanup),
        deletion=deletion,
        health=Health(
            messages,
            images,
            files,
            chain,
            generators[settings.image_generator],
            assistant,
            repositories.users,
            lambda: ping(database),
            upkeep.volume.require,
        ),
        worker=Worker(
            [replicator.work_once],
            [
                (RECOVERY_SECONDS, recovery.sweep),
                (PURGE_SECONDS, deletion.purge_due),
                (PURGE_SECONDS, upkeep.holding.empty_expired),
                *stewardship.chores,
            ],
            beside=[each.work_once for each in records],
        ),
        pools=(drawing, chatting),
    )


def _database_server(settings: Settings, purpose: str, *, may_attach: bool) -> RunningServer:
    if settings.mongodb_uri:
        return AttachedServer(settings.mongodb_uri)
    return ensure(settings, purpose, may_attach=may_attach)
