"""What an administrator sees of the whole installation, and what can be done about a copy that failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ChatBot.db.census import Census, Failure
from ChatBot.db.history import Entry, History, without_addresses
from ChatBot.db.images import Images
from ChatBot.db.orphans import Orphans
from ChatBot.db.samples import Sample, Samples
from ChatBot.errors import Conflict, NotFound
from ChatBot.hosts.base import HostCondition
from ChatBot.hosts.chain import HostChain
from ChatBot.media.files import FileStore
from ChatBot.models import Image, now
from ChatBot.sentence import Sentence
from ChatBot.services.copies.copies import asked_again

FAILURES = 20
CHART_POINTS = 96
"""About as many as a chart on a phone can show."""
DAYS = (1, 7, 90)
"""The stretches of time that the page offers; samples are kept for the longest of them."""


@dataclass(frozen=True)
class HostReport:
    """One cloud host: how it is doing in this process, and its copies by state."""

    name: str
    active: bool
    condition: HostCondition
    copies: dict[str, int]


@dataclass(frozen=True)
class OrphanReport:
    """Copies on a host that belong to no picture, by what became of them."""

    host: str
    counts: dict[str, int]
    last_at: datetime


@dataclass(frozen=True)
class Overview:
    """The state of an installation at a moment. Sizes in bytes."""

    at: datetime
    totals: dict[str, int]
    hosts: tuple[HostReport, ...]
    outbox_depth: int
    oldest_owed_at: datetime | None
    failures: tuple[Failure, ...]
    orphans: tuple[OrphanReport, ...]

    @property
    def oldest_owed_seconds(self) -> float | None:
        """How long the oldest copy has been owed; None when none is."""
        return (self.at - self.oldest_owed_at).total_seconds() if self.oldest_owed_at else None


class Oversight:
    """Reads the whole installation for its administrators."""

    def __init__(
        self,
        census: Census,
        images: Images,
        orphans: Orphans,
        samples: Samples,
        history: History,
        files: FileStore,
        chain: HostChain,
    ) -> None:
        self._census = census
        self._images = images
        self._orphans = orphans
        self._samples = samples
        self._history = history
        self._files = files
        self._chain = chain

    def overview(self) -> Overview:
        """Return totals, hosts, outbox, failures and orphans as they are now."""
        depth, oldest = self._census.outbox()
        return Overview(
            at=now(),
            totals={**self._census.totals(), "free_bytes": self._files.free_bytes()},
            hosts=self._hosts(),
            outbox_depth=depth,
            oldest_owed_at=oldest,
            failures=tuple(_shown(failure) for failure in self._census.failures(FAILURES)),
            orphans=self._orphan_reports(),
        )

    def disk_use(self, days: int) -> list[Sample]:
        """Return measurements of the last so many days (at most 90), thinned out to what a chart can show."""
        span = timedelta(days=days)
        return self._samples.since(now() - span, max(600, int(span.total_seconds()) // CHART_POINTS))

    def picture(self, image_id: str) -> tuple[Image | None, list[Entry]]:
        """Return a picture of whatever account, None when it is gone, with its history.

        Raises ``NotFound`` when nothing is known of it.
        """
        located = self._images.find(image_id, trashed=True)
        entries = self._history.of(image_id)
        if located is None and not entries:
            raise NotFound(Sentence("Nothing is known of such a picture."))
        return (located.image if located else None), entries

    def retry(self, image_id: str, host: str) -> None:
        """Make a failed copy due now. Raises ``NotFound``, or ``Conflict`` when it is not one that failed."""
        located = self._images.find(image_id)
        copies = [each for each in located.image.copies if each.host == host] if located else []
        if not copies:
            raise NotFound(Sentence("There is no such copy."))
        for copy in reversed(copies):
            again = asked_again(copy, now())
            if again is not None and self._images.set_copy(image_id, copy, again):
                self._history.note(image_id, "asked_again", host)
                return
        raise Conflict(Sentence("The copy on %(host)s is not one that failed; look at the page again.", host=host))

    def _hosts(self) -> tuple[HostReport, ...]:
        """Return the hosts in use: the active ones, and others that still have copies."""
        copies: dict[str, dict[str, int]] = {}
        for row in self._images.copies_by_state():
            copies.setdefault(row["host"], {})[row["state"]] = row["count"]
        active = {host.name: host for host in self._chain.hosts}
        reports = []
        for name in [*active, *sorted(copies.keys() - active.keys())]:
            member = self._chain.by_name(name)
            condition = member.condition if member else HostCondition()
            reports.append(HostReport(name, name in active, condition, copies.get(name, {})))
        return tuple(reports)

    def _orphan_reports(self) -> tuple[OrphanReport, ...]:
        counts: dict[str, dict[str, int]] = {}
        last: dict[str, datetime] = {}
        for row in self._orphans.counted():
            counts.setdefault(row["host"], {})[row["state"]] = row["count"]
            last[row["host"]] = max(row["last_at"], last.get(row["host"], row["last_at"]))
        return tuple(OrphanReport(host, found, last[host]) for host, found in counts.items())


def _shown(failure: Failure) -> Failure:
    """Leave everything out that could be an address."""
    bare = {"url": None, "delete_url": None, "page_url": None, "error": without_addresses(failure.error)}
    return failure.model_copy(update=bare)
