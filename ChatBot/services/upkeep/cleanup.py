"""Make room on this disk without ever taking the last intact copy of a picture.

Two kinds of files may go: local originals older than the age limit whose cloud copy was fetched and found exact in this
very run, and files that belong to nothing (``debris``). What is to go is written into a plan first; applying it asks
everything again, for each file, and moves the files into quarantine, from where ``Holding`` brings them back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from ChatBot.db.history import NO_HISTORY, Notes
from ChatBot.db.images import Images
from ChatBot.db.messages import Messages
from ChatBot.db.shares import Shares
from ChatBot.errors import ChatBotError
from ChatBot.media.files import FileStore, StoredFile
from ChatBot.models import Image, now
from ChatBot.services.upkeep.debris import Debris
from ChatBot.services.upkeep.holding import GRACE_HOURS, Holding
from ChatBot.services.upkeep.last_copy import InUse, LastCopyRule
from ChatBot.services.upkeep.parallel import in_parallel
from ChatBot.services.upkeep.plans import Plan, PlannedFile, Plans
from ChatBot.services.upkeep.volume import Volume

MOST_EVICTED = 0.2
"""Share of the pictures that may lose their local copy in one run without the operator's explicit word."""
PARALLEL_PROOFS = 8
PROOF_SECONDS = 60.0
"""A copy that was proved in this run is asked again before its file goes when that is longer ago."""

Step = Callable[[int], None]


@dataclass
class CleanupReport:
    """What a clean-up would do, or did: image ids to evict, files without a document, what is kept and why."""

    plan: str = ""
    plan_file: str = ""
    pictures: int = 0
    evict: list[str] = field(default_factory=list)
    debris: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    """What the plan names but is not so any more, with the reason."""
    failed: dict[str, str] = field(default_factory=dict)
    """What the disk did not let go of."""
    returned: list[str] = field(default_factory=list)
    """Pictures that came back from quarantine, because an earlier run was cut short or a copy of them is gone."""
    freed_bytes: int = 0
    applied: bool = False
    stopped: str = ""
    """Why nothing was done, or why stray files were not looked at; empty when all is well."""
    too_many: bool = False
    """It is stopped because too many pictures would go, which ``force`` allows."""


class Cleanup:
    """Evicts old local copies that are safe elsewhere, and takes away files that belong to nothing."""

    def __init__(
        self,
        images: Images,
        messages: Messages,
        shares: Shares,
        files: FileStore,
        rule: LastCopyRule,
        debris: Debris,
        volume: Volume,
        plans: Plans,
        holding: Holding,
        *,
        max_age_days: int,
        history: Notes = NO_HISTORY,
    ) -> None:
        self._images = images
        self._messages = messages
        self._shares = shares
        self._files = files
        self._rule = rule
        self._debris = debris
        self._volume = volume
        self._plans = plans
        self._holding = holding
        self._max_age_days = max_age_days
        self._history = history

    def run(
        self,
        *,
        apply: bool,
        max_age_days: int | None = None,
        force: bool = False,
        plan: str | None = None,
        plan_path: Path | None = None,
        grace_hours: float = GRACE_HOURS,
        on_step: Step = lambda _: None,
    ) -> CleanupReport:
        """Plan, and with ``apply`` carry out: the plan of that name (id or file), else one made now.

        Raises ``SettingsError`` when the storage folder is not ours, ``NotFound`` or ``InputError`` about the plan. The
        report's ``stopped`` says so when too many pictures would go; ``force`` does it all the same.
        """
        volume = self._volume.require()
        returned = self._holding.settle() if apply else []
        proved: dict[str, float] = {}
        drawn = self._holding.usable(plan, volume) if plan else self._draw(volume, max_age_days, proved, on_step)
        too_many = drawn.share > MOST_EVICTED and not force
        if apply and not too_many:
            report = self._apply(drawn, proved, grace_hours, on_step)
        else:
            report = _reported(drawn, applied=False)
        if not apply:
            report.plan_file = str(self._plans.save(drawn, plan_path))
        if too_many:
            report.too_many = True
            report.stopped = (
                f"{len(drawn.evict)} of {drawn.pictures} pictures would lose their local copy, more than "
                f"{MOST_EVICTED:.0%}: only --force does that. Nothing was moved."
            )
        report.returned = returned
        return report

    def _draw(self, volume: str, max_age_days: int | None, proved: dict[str, float], on_step: Step) -> Plan:
        """Write down what may go now. The age of a picture is the document's, never the file's."""
        days = self._max_age_days if max_age_days is None else max_age_days
        in_use = InUse(self._shares, self._messages)
        counted = [0]
        evict, kept = [], {}
        found = in_parallel(
            lambda image: (image, self._why_kept(image, in_use)), self._old(days, counted, on_step), PARALLEL_PROOFS
        )
        for image, reason in found:
            if reason:
                kept[image.id] = reason
            else:
                proved[image.id] = time.monotonic()
                evict.append(
                    PlannedFile(folder=image.folder, filename=image.filename, size=image.size, image_id=image.id)
                )
        sweep = self._debris.sweep()
        debris = [] if sweep.stopped else [_planned(entry) for entry in sweep.strays]
        return Plan(
            volume=volume,
            max_age_days=days,
            pictures=counted[0],
            evict=tuple(evict),
            debris=tuple(debris),
            kept=kept,
            stopped=sweep.stopped,
        )

    def _old(self, days: int, counted: list[int], on_step: Step) -> Iterator[Image]:
        before = now() - timedelta(days=days)
        for done, located in enumerate(self._images.each(), 1):
            image = located.image
            counted[0] += image.trashed_at is None
            if _is_old(image, before) and self._files.exists(image.folder, image.filename):
                yield image
            on_step(done)

    def _why_kept(self, image: Image, in_use: InUse) -> str:
        return in_use.why_kept(image) or self._rule.why_kept(image)

    def _apply(self, plan: Plan, proved: dict[str, float], grace_hours: float, on_step: Step) -> CleanupReport:
        """Ask about each file again, then move it. The plan is on the disk before the first file moves."""
        report = _reported(plan, applied=True)
        report.evict, report.debris, report.freed_bytes = [], [], 0
        applied = plan.model_copy(update={"applied_at": now(), "grace_hours": grace_hours})
        report.plan_file = str(self._plans.save(applied))
        in_use = InUse(self._shares, self._messages)
        done = in_parallel(
            lambda file: (file, self._evict(applied, file, in_use, proved, report)), applied.evict, PARALLEL_PROOFS
        )
        for count, (file, moved) in enumerate(done, 1):
            if moved:
                report.evict.append(file.image_id or "")
                report.freed_bytes += file.size
            on_step(count)
        for file in applied.debris:
            if self._take_debris(applied, file, report):
                report.debris.append(f"{file.folder}/{file.filename}")
                report.freed_bytes += file.size
        self._holding.make_durable(applied)
        return report

    def _evict(
        self, plan: Plan, file: PlannedFile, in_use: InUse, proved: dict[str, float], report: CleanupReport
    ) -> bool:
        image_id = file.image_id or ""
        try:
            image, reason = self._evictable(plan, image_id, in_use, proved)
            if image is None or reason:
                report.skipped[image_id] = reason
                return False
            if not self._images.set_local(image.id, "present", "evicted"):
                report.skipped[image_id] = "it changed just now"
                return False
            self._holding.take(plan, image)
            self._history.note(image.id, "evicted", detail=f"images cleanup, plan {plan.id}")
        except ChatBotError as error:
            report.failed[image_id] = str(error)
            return False
        return True

    def _evictable(
        self, plan: Plan, image_id: str, in_use: InUse, proved: dict[str, float]
    ) -> tuple[Image | None, str]:
        """Return the picture as it is now and why its local copy must stay after all (empty: it may go)."""
        located = self._images.find(image_id)
        if located is None:
            return None, "it was deleted"
        image = located.image
        if not _is_old(image, now() - timedelta(days=plan.max_age_days)):
            return image, "it is no longer an old picture with a local copy"
        if not self._files.exists(image.folder, image.filename):
            return image, "its file is gone"
        if time.monotonic() - proved.get(image_id, float("-inf")) < PROOF_SECONDS:
            return image, in_use.why_kept(image)
        return image, self._why_kept(image, in_use)

    def _take_debris(self, plan: Plan, file: PlannedFile, report: CleanupReport) -> bool:
        name = f"{file.folder}/{file.filename}"
        try:
            entry = self._files.entry(file.folder, file.filename)
            if entry is None or (entry.size, entry.mtime) != (file.size, file.mtime):
                report.skipped[name] = "it is gone or was written again"
            elif not self._debris.among([entry]):
                report.skipped[name] = "it belongs to a document now"
            else:
                self._holding.take_debris(plan, entry)
                return True
        except ChatBotError as error:
            report.failed[name] = str(error)
        return False


def _is_old(image: Image, before: datetime) -> bool:
    return image.trashed_at is None and image.local == "present" and image.created_at < before


def _planned(entry: StoredFile) -> PlannedFile:
    return PlannedFile(folder=entry.folder, filename=entry.filename, size=entry.size, mtime=entry.mtime)


def _reported(plan: Plan, *, applied: bool) -> CleanupReport:
    return CleanupReport(
        plan=plan.id,
        pictures=plan.pictures,
        evict=[file.image_id or "" for file in plan.evict],
        debris=[f"{file.folder}/{file.filename}" for file in plan.debris],
        kept=dict(plan.kept),
        freed_bytes=sum(file.size for file in (*plan.evict, *plan.debris)),
        applied=applied,
        stopped=plan.stopped,
    )
