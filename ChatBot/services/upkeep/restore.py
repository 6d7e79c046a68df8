"""Bring local files back from their cloud copies, byte for byte: many at once, and again from where it stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ChatBot.db.history import NO_HISTORY, Notes
from ChatBot.db.images import Images
from ChatBot.errors import ChatBotError, StorageFull
from ChatBot.media.files import FileStore
from ChatBot.models import Image, LocalState
from ChatBot.services.pictures.resolver import Resolver
from ChatBot.services.upkeep.parallel import in_parallel
from ChatBot.services.upkeep.volume import Volume

PARALLEL_RESTORES = 32
RESERVE_BYTES = 500_000_000
"""Kept free, so that a restore does not stop the server that is to use its pictures."""
AWAY: tuple[LocalState, ...] = ("evicted", "corrupt")
WRITERS = 16
"""Further threads, which write what was fetched, so that no connection waits for the disk."""
BATCH = 64
"""Files whose names are made durable, and whose documents are changed, together."""


@dataclass
class RestoreReport:
    """What a restore found: ids by outcome. ``missing`` before, ``restored`` now, ``lost`` with the reason."""

    checked: int = 0
    missing: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    restored_bytes: int = 0
    lost: dict[str, str] = field(default_factory=dict)
    evicted: int = 0
    """Pictures that are only in the cloud on purpose, and were left so."""
    stopped: str = ""
    """Why it ended early; empty when it did not."""


@dataclass(frozen=True)
class _Outcome:
    image: Image
    missing: bool = False
    restored: bool = False
    reason: str = ""
    host: str | None = None


class Restore:
    """Finds pictures whose local file is missing or damaged and fetches them again."""

    def __init__(
        self, images: Images, files: FileStore, resolver: Resolver, volume: Volume, history: Notes = NO_HISTORY
    ) -> None:
        self._history = history
        self._images = images
        self._files = files
        self._resolver = resolver
        self._volume = volume

    def run(
        self,
        *,
        apply: bool,
        parallel: int = PARALLEL_RESTORES,
        reserve_bytes: int = RESERVE_BYTES,
        evicted: bool = False,
        on_step: Callable[[int], None] = lambda _: None,
    ) -> RestoreReport:
        """Check every untrashed picture's local file by its hash; with ``apply`` bring the missing ones back.

        At most ``parallel`` pictures are fetched at a time. ``evicted`` also brings back those that a clean-up took. A
        picture in the trash is left alone. It ends before less than ``reserve_bytes`` are free. ``on_step`` is told how
        many pictures were looked at so far. Raises ``SettingsError`` when the storage folder is not ours.
        """
        self._volume.require()
        report = RestoreReport()
        room = _Room(self._files, reserve_bytes, connections=parallel)
        batch: list[_Outcome] = []
        pictures = self._pictures(report, room, evicted=evicted)
        for outcome in in_parallel(lambda image: self._one(image, room, apply=apply), pictures, parallel + WRITERS):
            self._note(outcome, report, apply=apply)
            if outcome.restored:
                batch.append(outcome)
            if len(batch) >= BATCH:
                self._settle(batch, report)
                batch = []
            on_step(report.checked + report.evicted)
        self._settle(batch, report)
        report.stopped = room.full
        return report

    def _pictures(self, report: RestoreReport, room: _Room, *, evicted: bool) -> Iterator[Image]:
        for located in self._images.each():
            if room.full:
                return
            image = located.image
            if image.local == "evicted" and not evicted:
                report.evicted += image.trashed_at is None
            elif image.trashed_at is None:
                yield image

    def _one(self, image: Image, room: _Room, *, apply: bool) -> _Outcome:
        try:
            self._files.read(image.folder, image.filename, image.sha256)
        except ChatBotError as error:
            return self._fetch(image, room) if apply else _Outcome(image, missing=True, reason=str(error))
        return _Outcome(image, restored=apply and image.local != "present")

    def _fetch(self, image: Image, room: _Room) -> _Outcome:
        """Bring one file back; its bytes are durable when this returns, its name after the batch."""
        try:
            with room.taken(image.size):
                with room.connections:
                    data, host = self._resolver.fetch(image)
                self._files.write(image.folder, image.filename, data, replace=True, durable_name=False)
        except ChatBotError as error:
            return _Outcome(image, missing=True, reason=str(error))
        return _Outcome(image, missing=True, restored=True, host=host)

    def _note(self, outcome: _Outcome, report: RestoreReport, *, apply: bool) -> None:
        report.checked += 1
        if outcome.missing:
            report.missing.append(outcome.image.id)
            if apply and outcome.reason:
                report.lost[outcome.image.id] = outcome.reason

    def _settle(self, batch: list[_Outcome], report: RestoreReport) -> None:
        """Make the names durable, then say in the documents that the files are there."""
        if not batch:
            return
        self._files.sync_originals()
        for state in AWAY:
            self._images.set_local_many(
                [each.image.id for each in batch if each.image.local == state], state, "present"
            )
        back = self._kept([each.image for each in batch if each.missing])
        hosts = {each.image.id: each.host for each in batch}
        report.restored += [image.id for image in back]
        self._history.note_all("restored", {image.id: hosts[image.id] for image in back})
        report.restored_bytes += sum(image.size for image in back)

    def _kept(self, back: list[Image]) -> list[Image]:
        """Return which pictures are still wanted; the files of those deleted for good meanwhile go again."""
        lasting = self._images.lasting_ids([image.id for image in back]) if back else set()
        for image in back:
            if image.id not in lasting:
                self._files.delete(image.folder, image.filename)
        return [image for image in back if image.id in lasting]


class _Room:
    """The free space and the connections that may be used, shared by all threads."""

    def __init__(self, files: FileStore, reserve_bytes: int, *, connections: int) -> None:
        self.connections = threading.BoundedSemaphore(connections)
        self._files = files
        self._reserve = reserve_bytes
        self._lock = threading.Lock()
        self._promised = 0
        self.full = ""

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Reserve room for ``size`` bytes while they are fetched and written; raises ``StorageFull``."""
        with self._lock:
            if self._files.free_bytes() - self._promised - size < self._reserve:
                self.full = (
                    f"Stopped before less than {self._reserve // 1_000_000} MB were free on the disk; "
                    "make room and run it again, it does only the rest."
                )
                raise StorageFull(self.full)
            self._promised += size
        try:
            yield
        finally:
            with self._lock:
                self._promised -= size
