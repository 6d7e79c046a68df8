"""Three-way comparison: what the documents say, what lies on the disk, what the hosts give back.

The shallow look costs no download. The deep one hashes every file and fetches every copy, and writes down what it
learnt by compare-and-set; it repairs nothing and erases no reference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from ChatBot.db.images import Images
from ChatBot.errors import BytesMissing, ChatBotError, IntegrityError
from ChatBot.hosts.chain import HostChain
from ChatBot.media.decoding import IN_PROCESS, Decoder
from ChatBot.media.files import FileStore
from ChatBot.media.paths import THUMBNAIL_FOLDER
from ChatBot.models import UNSETTLED_COPY_STATES, Copy, Image, LocalState, now
from ChatBot.services.copies.copies import after_check, doubted
from ChatBot.services.upkeep.debris import Debris
from ChatBot.services.upkeep.orphan_search import OrphanSearchReport
from ChatBot.services.upkeep.parallel import in_parallel
from ChatBot.services.upkeep.volume import Volume

PARALLEL_CHECKS = 16
STUCK_AFTER = timedelta(hours=1)
PROBED_STATES = frozenset({"uploaded", "verified", "suspect"})

Kind = Literal[
    "lost",
    "missing",
    "damaged",
    "wrong_size",
    "unsafe_eviction",
    "stuck",
    "refused",
    "suspect",
    "unreachable",
    "stray_file",
    "stray_thumbnail",
    "leftover",
    "orphan",
    "untidy",
]
"""``lost``: no place is known to have the exact bytes. ``untidy``: nothing is in danger, a record is out of date."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be; ``id`` is the picture's, or the name of a file that belongs to none."""

    id: str
    kind: Kind
    reason: str
    host: str | None = None


@dataclass
class VerifyReport:
    """What was compared, what is wrong, and what is merely worth knowing."""

    deep: bool
    pictures: int = 0
    files: int = 0
    """Local files that are there, as far as was looked."""
    copies: dict[str, int] = field(default_factory=dict)
    """Copies by state, as recorded before."""
    probed: int = 0
    """Copies that were fetched."""
    problems: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)


@dataclass
class _Look:
    image: Image
    found: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    file: bool = False
    intact: bool = False
    """The exact bytes are somewhere, as far as was looked."""
    probed: int = 0

    def say(self, kind: Kind, reason: str, host: str | None = None, *, note: bool = False) -> None:
        (self.notes if note else self.found).append(Finding(self.image.id, kind, reason, host))


class Verify:
    """Compares the three places."""

    def __init__(
        self,
        images: Images,
        files: FileStore,
        chain: HostChain,
        debris: Debris,
        volume: Volume,
        search: Callable[[], OrphanSearchReport],
        decoder: Decoder = IN_PROCESS,
    ) -> None:
        """``search`` finds copies that belong to no picture."""
        self._search = search
        self._decoder = decoder
        self._images = images
        self._files = files
        self._chain = chain
        self._debris = debris
        self._volume = volume

    def run(self, *, deep: bool = False, on_step: Callable[[int], None] = lambda _: None) -> VerifyReport:
        """Look at every picture that is not in the trash, then for files that belong to nothing.

        Raises ``SettingsError`` when the storage folder is not ours.
        """
        self._volume.require()
        report = VerifyReport(deep)
        states: Counter[str] = Counter()
        for look in in_parallel(lambda image: self._look(image, deep), self._pictures(), PARALLEL_CHECKS):
            report.pictures += 1
            report.files += look.file
            report.probed += look.probed
            report.problems += look.found
            report.notes += look.notes
            states.update(copy.state for copy in look.image.copies)
            on_step(report.pictures)
        report.copies = dict(states)
        self._look_for_strays(report)
        self._look_for_orphans(report)
        return report

    def _pictures(self) -> Iterator[Image]:
        return (located.image for located in self._images.each() if located.image.trashed_at is None)

    def _look(self, image: Image, deep: bool) -> _Look:
        look = _Look(image)
        if deep:
            self._hash(look)
            for copy in image.copies:
                self._probe(look, copy)
        else:
            self._measure(look)
            look.intact = look.intact or any(_is_proved(copy) for copy in image.copies)
        for copy in image.copies:
            _judge(look, copy, now())
        if not look.intact:
            look.say("lost", "no place is known to have its exact bytes")
        return look

    def _measure(self, look: _Look) -> None:
        """Compare existence, size and state, without reading."""
        image = look.image
        entry = self._files.entry(image.folder, image.filename)
        plain = self._files.exists(image.folder, image.filename)
        look.file = plain
        if not plain or entry is None:
            self._say_absent(look)
        elif entry.size != image.size:
            look.say("wrong_size", f"its file has {entry.size} bytes, not {image.size}")
        elif image.local == "corrupt":
            look.say("damaged", "its file was found damaged earlier")
        else:
            look.intact = True
            if image.local == "evicted":
                look.say("untidy", "its file is there although it counts as evicted", note=True)

    def _hash(self, look: _Look) -> None:
        """Read the whole file, and write down what is true of it now."""
        image = look.image
        try:
            self._files.read(image.folder, image.filename, image.sha256)
        except IntegrityError as error:
            look.file = True
            look.say("damaged", str(error))
            self._set_local(image, "corrupt")
        except BytesMissing:
            self._say_absent(look)
        except ChatBotError as error:
            look.file = True
            look.say("damaged", str(error))
        else:
            look.file = look.intact = True
            if image.local != "present":
                look.say("untidy", f"its file is intact although it counted as {image.local}", note=True)
                self._set_local(image, "present")

    def _say_absent(self, look: _Look) -> None:
        image = look.image
        if image.local != "evicted":
            look.say("missing", "its file is missing although it counts as present")
        elif not any(_is_proved(copy) for copy in image.copies):
            look.say("unsafe_eviction", "its file was evicted, and no verified copy has its exact bytes")

    def _set_local(self, image: Image, state: LocalState) -> None:
        if image.local != state:
            self._images.set_local(image.id, image.local, state)

    def _probe(self, look: _Look, copy: Copy) -> None:
        """Fetch one copy and write down what it is worth; its URL is kept whatever comes back."""
        if copy.state not in PROBED_STATES or not copy.url:
            return
        look.probed += 1
        try:
            data = self._chain.member(copy.host).fetch(copy.url)
        except BytesMissing as error:
            self._suspect(look, copy, str(error))
            return
        except ChatBotError as error:
            look.say("unreachable", str(error), copy.host)
            return
        seen = after_check(copy, look.image, data, now(), self._decoder)
        if seen.state == "suspect":
            self._suspect(look, copy, f"{copy.host} gave other bytes than were sent ({len(data)} bytes)")
            return
        look.intact = look.intact or seen.fidelity == "exact"
        if copy.state == "suspect":
            look.say(
                "untidy", "a suspect copy gave the right picture and counts as verified again", copy.host, note=True
            )
        self._images.set_copy(look.image.id, copy, seen)

    def _suspect(self, look: _Look, copy: Copy, reason: str) -> None:
        if copy.state != "suspect":
            look.say("suspect", reason, copy.host)
        if copy.state == "verified":
            self._images.set_copy(look.image.id, copy, doubted(copy, reason, now()))

    def _look_for_orphans(self, report: VerifyReport) -> None:
        """Ask the hosts that can say what they have; `images orphans` deletes what is found."""
        search = self._search()
        for host, urls in search.orphans.items():
            report.problems += [Finding(url, "orphan", "no document knows it", host) for url in urls]
        report.problems += [Finding(host, "unreachable", reason, host) for host, reason in search.failed.items()]

    def _look_for_strays(self, report: VerifyReport) -> None:
        sweep = self._debris.sweep()
        if sweep.stopped:
            report.problems.append(Finding("records", "stray_file", sweep.stopped))
            return
        for entry in sweep.strays:
            name = f"{entry.folder}/{entry.filename}"
            if entry.temporary:
                report.problems.append(Finding(name, "leftover", "an interrupted write left it behind"))
            elif entry.folder == THUMBNAIL_FOLDER:
                report.problems.append(Finding(name, "stray_thumbnail", "its picture is gone"))
            else:
                report.problems.append(Finding(name, "stray_file", "no document knows it"))


def _is_proved(copy: Copy) -> bool:
    return copy.state == "verified" and copy.fidelity == "exact"


def _judge(look: _Look, copy: Copy, at: datetime) -> None:
    """Say what the recorded state of a copy means; a host's refusal is harmless once another host has the picture."""
    if copy.state == "suspect":
        if not any(each.kind == "untidy" and each.host == copy.host for each in look.notes):
            replaced = any(each.host == copy.host and each.state == "verified" for each in look.image.copies)
            look.say("suspect", copy.error or "its URL did not give the picture", copy.host, note=replaced)
    elif copy.state == "refused":
        elsewhere = any(each.state == "verified" for each in look.image.copies)
        look.say("refused", copy.error or "the host refused it", copy.host, note=elsewhere)
    elif copy.state in UNSETTLED_COPY_STATES and at - _since(copy, look.image) > STUCK_AFTER:
        reason = f"it is {copy.state} for more than an hour" + (f": {copy.error}" if copy.error else "")
        look.say("stuck", reason, copy.host)


def _since(copy: Copy, image: Image) -> datetime:
    """Return since when a copy is on its way: a new one has its first turn at ``next_at``."""
    if copy.state == "leased" and copy.lease_until is not None:
        return min(copy.lease_until, max(image.created_at, copy.uploaded_at or image.created_at))
    if copy.attempts == 0 and copy.next_at is not None:
        return copy.uploaded_at or copy.next_at
    return copy.uploaded_at or image.created_at
