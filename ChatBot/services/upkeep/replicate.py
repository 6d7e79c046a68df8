"""Give pictures the cloud copies they lack: put them into the outbox, from where the workers send them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ChatBot.db.images import Images
from ChatBot.errors import ChatBotError, InputError
from ChatBot.hosts.chain import HostChain
from ChatBot.media.files import FileStore
from ChatBot.models import UNSETTLED_COPY_STATES, Copy, Image, now

POLL_SECONDS = 0.2
WORKERS = 4
WAIT_SECONDS = 600.0


@dataclass
class ReplicateReport:
    """What is to be sent where, by picture, and what cannot be, with the reason."""

    applied: bool = False
    checked: int = 0
    queued: dict[str, str] = field(default_factory=dict)
    """The host that each picture is to be sent to."""
    under_way: dict[str, str] = field(default_factory=dict)
    """Pictures whose copy is on its way already, with its state."""
    impossible: dict[str, str] = field(default_factory=dict)
    verified: list[str] = field(default_factory=list)
    """After waiting: what is proved."""
    unsettled: dict[str, str] = field(default_factory=dict)
    """After waiting: what is not, with its state and reason."""


class Replicate:
    """Finds pictures without a verified copy and asks for one."""

    def __init__(self, images: Images, files: FileStore, chain: HostChain, work_once: Callable[[], bool]) -> None:
        """``work_once`` does one due piece of the outbox and says whether there was any."""
        self._images = images
        self._files = files
        self._chain = chain
        self._work_once = work_once

    def run(
        self, *, apply: bool, host: str | None = None, on_step: Callable[[int], None] = lambda _: None
    ) -> ReplicateReport:
        """Look at every untrashed picture: it should have a verified copy, on ``host`` if one is named.

        Raises ``InputError`` when there is no such host, or none at all.
        """
        names = [each.name for each in self._chain.hosts]
        private = [each.name for each in self._chain.open_to(private=True)]
        if not names:
            raise InputError("No cloud host is set up; see CLOUD_HOSTS and the keys in .env.example.")
        if host is not None and host not in names:
            raise InputError(f"The host {host} is not set up; there is: {', '.join(names)}.")
        report = ReplicateReport(applied=apply)
        for located in self._images.each():
            image = located.image
            if image.trashed_at is None:
                report.checked += 1
                if not _has_verified(image, host):
                    allowed = private if image.off_public_hosts else names
                    self._consider(image, [each for each in allowed if host in (None, each)], bool(host), report)
                on_step(report.checked)
        return report

    def wait(
        self,
        report: ReplicateReport,
        *,
        seconds: float = WAIT_SECONDS,
        on_step: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Work on the outbox, beside whoever else does, until everything queued is settled or the time is up."""
        end = time.monotonic() + seconds
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="replicate") as pool:
            while True:
                open_ones = self._unsettled(report)
                on_step(len(report.queued) - len(open_ones))
                if not open_ones or time.monotonic() >= end:
                    break
                if not any(pool.map(lambda _: self._work_once(), range(WORKERS))):
                    time.sleep(POLL_SECONDS)
        report.verified = [each for each in report.queued if each not in report.unsettled]

    def _unsettled(self, report: ReplicateReport) -> list[str]:
        """Return what is still on its way, and note how everything that is not proved stands."""
        report.unsettled = {}
        open_ones = []
        for located in self._images.find_many(list(report.queued)):
            image, host = located.image, report.queued[located.image.id]
            if _has_verified(image, host):
                continue
            copies = [copy for copy in image.copies if copy.host == host]
            report.unsettled[image.id] = "; ".join(f"{copy.state}: {copy.error or 'not yet proved'}" for copy in copies)
            if any(copy.state in UNSETTLED_COPY_STATES for copy in copies):
                open_ones.append(image.id)
        return open_ones

    def _consider(self, image: Image, hosts: list[str], explicit: bool, report: ReplicateReport) -> None:
        moving = [copy for copy in image.copies if copy.host in hosts and copy.state in UNSETTLED_COPY_STATES]
        if moving:
            report.under_way[image.id] = f"{moving[0].host}: {moving[0].state}"
            return
        chosen = next(self._usable(image, hosts, explicit), None)
        if chosen is None:
            reasons = (f"{copy.host}: {copy.error or copy.state}" for copy in image.copies if copy.host in hosts)
            nobody = (
                "it stays off public hosts, and only those are set up" if image.off_public_hosts else "no host takes it"
            )
            report.impossible[image.id] = "; ".join(reasons) or nobody
            return
        try:
            self._files.read(image.folder, image.filename, image.sha256)
        except ChatBotError as error:
            report.impossible[image.id] = f"its local file cannot be sent: {error}"
            return
        if not report.applied or self._queue(image, chosen):
            report.queued[image.id] = chosen
        else:
            report.under_way[image.id] = f"{chosen}: it changed just now"

    def _usable(self, image: Image, hosts: list[str], explicit: bool) -> Iterator[str]:
        """Yield hosts worth a try: those without a copy, those whose copy is suspect, and a refusing one if named."""
        states = {host: {copy.state for copy in image.copies if copy.host == host} for host in hosts}
        yield from (host for host in hosts if not states[host] - {"gone"})
        yield from (host for host in hosts if "suspect" in states[host])
        if explicit:
            yield from (host for host in hosts if "refused" in states[host])

    def _queue(self, image: Image, host: str) -> bool:
        """Ask for a copy. A suspect one stays beside it, with its URL, until the new one is verified."""
        fresh = Copy(host=host, next_at=now())
        old = next((copy for copy in image.copies if copy.host == host), None)
        if old is not None and old.state in ("refused", "gone"):
            return self._images.set_copy(image.id, old, fresh)
        return self._images.add_replacement(image.id, fresh) if old else self._images.add_copy(image.id, fresh)


def _has_verified(image: Image, host: str | None) -> bool:
    return any(copy.state == "verified" and host in (None, copy.host) for copy in image.copies)
