"""What everything else stands on: the settings, the database, the disk, the outside world, and who looks after them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from argon2 import PasswordHasher
from pymongo.database import Database

from ChatBot.assistants import build_assistant
from ChatBot.config import Settings, secret_key_of
from ChatBot.db.embedded import RunningServer
from ChatBot.db.repositories import Repositories
from ChatBot.generators import build_generators
from ChatBot.hosts import build_chain, build_s3_records
from ChatBot.hosts.base import NO_LIMIT, Allowance
from ChatBot.jobs import build_jobs
from ChatBot.logs import hide
from ChatBot.media.decoding import Decoder, DecoderPool
from ChatBot.media.files import FileStore
from ChatBot.media.paths import StoragePaths
from ChatBot.media.records import DiskRecords, record_lock
from ChatBot.media.spool import Spool
from ChatBot.outbound import Gate
from ChatBot.services.audit import Audit
from ChatBot.services.copies.allowance import HourlyAllowance
from ChatBot.services.events import EventLog
from ChatBot.services.records import Records, RecordStore
from ChatBot.services.upkeep.stewardship import Limits, Stewardship


class Ground:
    """The parts that need no other service."""

    def __init__(
        self,
        settings: Settings,
        server: RunningServer,
        database: Database[dict[str, Any]],
        hasher: PasswordHasher,
        decoder: Decoder | None = None,
    ) -> None:
        self.settings = settings
        self.server = server
        self.database = database
        self.hasher = hasher
        self.decoder = decoder or DecoderPool(max_pixels=settings.image_max_pixels)
        self.repositories = Repositories.on(database)
        self.paths = StoragePaths(settings.storage_root)
        self.paths.ensure()
        self.secret_key = secret_key_of(settings)
        hide([self.secret_key])
        self.gate = Gate(settings.fetch_allow_private_hosts)
        self.chain = build_chain(settings, self.gate, self._allowance)
        self.generators = build_generators(settings)
        self.assistant = build_assistant(settings)
        self.files = FileStore(self.paths)
        self.spool = Spool(settings.storage_root / "spool")
        self.jobs = build_jobs(settings)
        self.events = EventLog(self.repositories.events)

    def _allowance(self, host: str) -> Allowance:
        per_hour = self.settings.cloud_uploads_per_hour.get(host)
        return HourlyAllowance(self.repositories.upload_windows, host, per_hour) if per_hour else NO_LIMIT

    @cached_property
    def places(self) -> tuple[RecordStore, ...]:
        return (DiskRecords(self.files), *build_s3_records(self.settings, self.gate))

    @cached_property
    def records(self) -> tuple[Records, ...]:
        ledger = self.repositories.ledger
        return tuple(Records(ledger, place, record_lock(self.paths, place.place)) for place in self.places)

    @cached_property
    def audit(self) -> Audit:
        return Audit(self.repositories.audit, self.repositories.users, days=self.settings.audit_days)

    @cached_property
    def stewardship(self) -> Stewardship:
        limits = Limits.of(self.settings)
        return Stewardship.build(self.repositories, self.paths, self.files, self.chain, limits)
