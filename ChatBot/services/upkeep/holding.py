"""The quarantine of clean-ups: what was taken stays there for a grace time, can be brought back, and then goes.

A picture is evicted in two steps: its document says ``evicted``, then its file moves. Whatever happens in between, and
in whichever order a disk shows it after a crash, ``settle`` makes document and file agree again, always towards
having the file.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

import structlog

from ChatBot.db.images import Images
from ChatBot.db.tombstones import Tombstones
from ChatBot.errors import BytesMissing, ChatBotError, InputError
from ChatBot.media.files import FileStore, StoredFile
from ChatBot.media.paths import ORIGINAL_FOLDERS
from ChatBot.media.quarantine import HeldFile, Quarantine
from ChatBot.models import Image, now
from ChatBot.services.upkeep.debris import ID_CHARACTERS
from ChatBot.services.upkeep.last_copy import LastCopyRule
from ChatBot.services.upkeep.plans import Plan, Plans
from ChatBot.services.upkeep.volume import Volume

log = structlog.get_logger(__name__)

GRACE_HOURS = 24.0
FORGOTTEN_DAYS = 7
"""A plan that was never applied is removed after that."""


@dataclass
class UndoReport:
    """What an undo brought back, and what it could not, with the reason."""

    plan: str
    returned: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


class Holding:
    """Takes files into quarantine under a plan, brings them back, and deletes what nobody asked for in time."""

    def __init__(
        self,
        images: Images,
        tombstones: Tombstones,
        files: FileStore,
        quarantine: Quarantine,
        rule: LastCopyRule,
        volume: Volume,
        plans: Plans,
    ) -> None:
        self._images = images
        self._tombstones = tombstones
        self._files = files
        self._quarantine = quarantine
        self._rule = rule
        self._volume = volume
        self._plans = plans

    def usable(self, name: str, volume: str) -> Plan:
        """Return a plan that can be applied to this volume; raises ``NotFound`` or ``InputError``."""
        plan = self._plans.load(name)
        if plan.volume != volume:
            raise InputError(f"The plan {plan.id} is about another storage folder.")
        recorded = self._plans.recorded(plan.id)
        if plan.applied_at or (recorded and recorded.applied_at):
            raise InputError(f"The plan {plan.id} was already applied; make a new one.")
        return plan

    def take(self, plan: Plan, image: Image) -> None:
        """Move the file of a picture that was just marked as evicted; when that fails the mark is taken back."""
        try:
            self._quarantine.hold(plan.id, image.folder, image.filename)
        except ChatBotError:
            self._images.set_local(image.id, "evicted", "present")
            raise

    def take_debris(self, plan: Plan, entry: StoredFile) -> None:
        """Move a file that belongs to nothing."""
        self._quarantine.hold(plan.id, entry.folder, entry.filename)

    def make_durable(self, plan: Plan) -> None:
        """Let the moves of a plan survive a power cut."""
        self._quarantine.make_durable(plan.id)

    def settle(self) -> list[str]:
        """Undo what was cut short, and empty what has been held long enough; returns the pictures that came back."""
        return self._mend_evicted() + self._settle_held()

    def _settle_held(self) -> list[str]:
        returned = []
        for plan_id in self._quarantine.plan_ids():
            expired = self._expired(plan_id)
            for held in list(self._quarantine.held(plan_id)):
                if self._settle_one(held, expired=expired):
                    returned.append(held.filename[:ID_CHARACTERS])
            self._close(plan_id)
        self._forget_old_plans()
        return returned

    def empty_expired(self) -> int:
        """Do so for what is held, as a chore; returns how many files are still held."""
        self._volume.require()
        self._settle_held()
        return sum(1 for plan_id in self._quarantine.plan_ids() for _ in self._quarantine.held(plan_id))

    def undo(self, name: str) -> UndoReport:
        """Bring back everything that a plan took and that is still held; raises ``NotFound`` for an unknown plan."""
        self._volume.require()
        plan = self._plans.load(name)
        report = UndoReport(plan.id)
        for held in list(self._quarantine.held(plan.id)):
            try:
                self._bring_back(held)
            except ChatBotError as error:
                report.failed[f"{held.folder}/{held.filename}"] = str(error)
            else:
                report.returned.append(f"{held.folder}/{held.filename}")
        for file in plan.evict:
            self._mend(file.image_id or "")
        self._plans.save(plan.model_copy(update={"undone_at": now()}))
        self._quarantine.close(plan.id)
        return report

    def _bring_back(self, held: HeldFile) -> None:
        image = self._image_of(held)
        if image is None:
            image_id = held.filename[:ID_CHARACTERS]
            if self._tombstones.among([image_id]):
                self._quarantine.drop(held)
                raise BytesMissing("The picture was deleted for good since.")
            self._quarantine.put_back(held)
            return
        if sha256(self._quarantine.read(held)).hexdigest() != image.sha256:
            raise BytesMissing("The file in quarantine is damaged; it stays there.")
        if not self._quarantine.put_back(held):
            self._quarantine.drop(held)
        self._images.set_local(image.id, "evicted", "present")

    def _settle_one(self, held: HeldFile, *, expired: bool) -> bool:
        """Bring a picture's file back when it should never have gone; delete it when its time is over."""
        try:
            image = self._image_of(held)
            missing = image is not None and not self._files.exists(held.folder, held.filename)
            if image is not None and missing and image.local == "present":
                self._bring_back(held)
                return True
            if not expired:
                return False
            if image is not None and missing and self._rule.why_kept(image):
                self._bring_back(held)
                return True
            self._quarantine.drop(held)
        except ChatBotError as error:
            log.warning("holding.kept", file=held.filename, plan=held.plan_id, error=str(error))
        return False

    def _mend_evicted(self) -> list[str]:
        """Find pictures marked as evicted whose file never moved, or came back, and say what is true."""
        return [
            located.image.id
            for located in self._images.each()
            if located.image.local == "evicted" and self._mend(located.image.id)
        ]

    def _mend(self, image_id: str) -> bool:
        located = self._images.find(image_id, trashed=True)
        if located is None or located.image.local != "evicted":
            return False
        image = located.image
        try:
            self._files.read(image.folder, image.filename, image.sha256)
        except ChatBotError:
            return False
        return self._images.set_local(image.id, "evicted", "present")

    def _image_of(self, held: HeldFile) -> Image | None:
        """Return the picture whose original that file is; None for thumbnails, leftovers and files of nothing."""
        located = self._images.find(held.filename[:ID_CHARACTERS], trashed=True)
        if located is None or (held.folder, held.filename) != (located.image.folder, located.image.filename):
            return None
        return located.image if held.folder in ORIGINAL_FOLDERS else None

    def _expired(self, plan_id: str) -> bool:
        plan = self._plans.recorded(plan_id)
        if plan is not None and plan.applied_at is not None:
            return now() >= plan.applied_at + timedelta(hours=plan.grace_hours)
        return time.time() >= self._quarantine.taken_at(plan_id) + GRACE_HOURS * 3600

    def _close(self, plan_id: str) -> None:
        self._quarantine.close(plan_id)
        plan = self._plans.recorded(plan_id)
        if plan is not None and plan.applied_at is not None and plan_id not in self._quarantine.plan_ids():
            self._plans.remove(plan)

    def _forget_old_plans(self) -> None:
        """Remove plans that hold nothing and were never applied, or are done with."""
        holding = set(self._quarantine.plan_ids())
        oldest = now() - timedelta(days=FORGOTTEN_DAYS)
        for plan in self._plans.each():
            if plan.id not in holding and plan.made_at < oldest:
                self._plans.remove(plan)
