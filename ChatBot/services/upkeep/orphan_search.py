"""Copies on hosts that belong to no picture, found by asking the host for all it has; only some hosts can say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from ChatBot.db.images import Images
from ChatBot.errors import ChatBotError
from ChatBot.hosts.base import CloudHost, Receipt
from ChatBot.hosts.chain import HostChain
from ChatBot.models import now
from ChatBot.services.upkeep.volume import Volume

GRACE = timedelta(hours=1)
"""A copy without a document may belong to a save that is still under way."""
MOST_ORPHANS = 0.2
"""Share of what a host has; more of them rather mean that the database is not the one that this place belongs to."""


@dataclass
class OrphanSearchReport:
    """What belongs to no picture, by host, and what became of it."""

    applied: bool = False
    listed: dict[str, int] = field(default_factory=dict)
    """How many copies each host has that can say so."""
    orphans: dict[str, list[str]] = field(default_factory=dict)
    """References, by host; they open nothing by themselves."""
    silent: list[str] = field(default_factory=list)
    """Hosts that cannot say what they have."""
    deleted: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """What could not be deleted, or the host that could not be asked, with the reason."""
    stopped: str = ""


class OrphanSearch:
    """Compares what the hosts have with the documents."""

    def __init__(self, images: Images, chain: HostChain, volume: Volume) -> None:
        self._images = images
        self._chain = chain
        self._volume = volume

    def run(
        self, *, apply: bool = False, force: bool = False, on_step: Callable[[int], None] = lambda _: None
    ) -> OrphanSearchReport:
        """Find what is older than the grace time and belongs to nothing, and with ``apply`` delete it.

        Raises ``SettingsError`` when the storage folder is not this database's. The report's ``stopped`` says so when
        so much of a host's copies would go that the database is doubtful; ``force`` does it all the same.
        """
        self._volume.require()
        report = OrphanSearchReport()
        for host in self._chain.hosts:
            try:
                self._search(host, report, on_step)
            except ChatBotError as error:
                report.failed[host.name] = str(error)
        doubtful = [name for name, found in report.orphans.items() if len(found) > report.listed[name] * MOST_ORPHANS]
        if doubtful and not force:
            report.stopped = (
                f"More than {MOST_ORPHANS:.0%} of what {' and '.join(doubtful)} has belongs to no picture. Is it "
                "shared with another installation, or has the database lost something (`images rebuild`)? "
                "Only --force deletes it. Nothing was deleted."
            )
        elif apply:
            self._delete(report)
        return report

    def _search(self, host: CloudHost, report: OrphanSearchReport, on_step: Callable[[int], None]) -> None:
        found = host.listing()
        if found is None:
            report.silent.append(host.name)
            return
        # Listed first: whatever gets its document meanwhile is then known.
        listed = list(found)
        on_step(len(listed))
        report.listed[host.name] = len(listed)
        oldest = now() - GRACE
        old = [each.url for each in listed if each.changed_at < oldest]
        known = self._known(host)
        if orphans := [url for url in old if url not in known]:
            report.orphans[host.name] = orphans

    def _known(self, host: CloudHost) -> set[str]:
        """Return what documents name, and what an upload that is still owed to one of them would be named."""
        known: set[str] = set()
        for located in self._images.each():
            image = located.image
            known |= {copy.url for copy in image.copies if copy.host == host.name and copy.url}
            known.add(host.reference_of(image.id, image.filename.rpartition(".")[2]) or "")
        return known

    def _delete(self, report: OrphanSearchReport) -> None:
        report.applied = True
        for name, urls in report.orphans.items():
            host = self._chain.member(name)
            known = self._known(host)
            for url in urls:
                if url in known:
                    report.failed[url] = "it belongs to a picture now"
                    continue
                try:
                    proof = host.delete(Receipt(name, url))
                except ChatBotError as error:
                    report.failed[url] = str(error)
                    continue
                if proof == "confirmed":
                    report.deleted.append(url)
                else:
                    report.failed[url] = "the deletion was accepted, but nothing proves that it is gone"
