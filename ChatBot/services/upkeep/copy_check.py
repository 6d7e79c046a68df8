"""Proofs do not last: now and then each verified copy is fetched again, and those in doubt more often.

A bad answer makes a copy suspect, which keeps its URL. When it is bad once more, hours later, and this disk has the
bytes, a fresh copy is put into the outbox beside it; the suspect one goes when the fresh one is proved.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog

from ChatBot.db.copy_checks import CopyChecks
from ChatBot.db.history import NO_HISTORY, Notes, note_copy
from ChatBot.db.images import Images
from ChatBot.errors import BytesMissing, ChatBotError, ProviderError
from ChatBot.hosts.chain import HostChain
from ChatBot.media.decoding import IN_PROCESS, Decoder
from ChatBot.media.files import FileStore
from ChatBot.models import Copy, Image, now
from ChatBot.services.copies.copies import LEASE_SECONDS, after_check, after_no_answer, doubted, lease

log = structlog.get_logger(__name__)

CHECKS_PER_RUN = 10
"""Of each host. With a run a minute 430,000 copies in 30 days, and never more than a host bears."""

Retire = Callable[[Image, Copy, Copy], None]
"""Deletes what is left of a suspect copy (the second argument) whose replacement (the third) is proved."""


class CopyCheck:
    """Reads copies again, those with the oldest proof first."""

    def __init__(
        self,
        checks: CopyChecks,
        images: Images,
        files: FileStore,
        chain: HostChain,
        retire: Retire,
        on_change: Callable[[str], None],
        *,
        days: int,
        decoder: Decoder = IN_PROCESS,
        history: Notes = NO_HISTORY,
    ) -> None:
        """A proof is good for so many ``days``; 0: for ever, and then only copies in doubt are looked at."""
        self._checks = checks
        self._images = images
        self._files = files
        self._chain = chain
        self._retire = retire
        self._on_change = on_change
        self._days = days or 365_000
        self._decoder = decoder
        self._history = history

    def check_due(self) -> int:
        """Read what is due, a few copies of each host; returns how many are proved now."""
        return sum(self._check_host(host.name) for host in self._chain.known)

    def _check_host(self, host: str) -> int:
        """A host that does not answer is left alone until the next run."""
        proved = 0
        moment = now()
        for located, copy in self._checks.due(host, moment - timedelta(days=self._days), moment, CHECKS_PER_RUN):
            seen = self._check(located.image, copy)
            if seen is None:
                break
            proved += seen is not copy and seen.state == "verified"
        return proved

    def _check(self, image: Image, copy: Copy) -> Copy | None:
        """Return the copy after a look; None when its host did not answer."""
        claimed = lease(copy, LEASE_SECONDS, now())
        if not self._images.set_copy(image.id, copy, claimed):
            return copy  # somebody else works on it
        try:
            seen = after_check(
                claimed, image, self._chain.member(copy.host).fetch(copy.url or ""), now(), self._decoder
            )
        except BytesMissing as error:
            seen = doubted(claimed, str(error), now())
        except ProviderError as error:
            self._settle(image, claimed, after_no_answer(claimed, str(error), now()))
            return None
        self._settle(image, claimed, seen)
        if copy.state == seen.state == "suspect":
            self._replace(image, seen)
        return seen

    def _settle(self, image: Image, claimed: Copy, seen: Copy) -> None:
        if self._images.set_copy(image.id, claimed, seen) and seen.state != claimed.state:
            log.info("copy_check.changed", image=image.id, host=seen.host, state=seen.state, error=seen.error)
            note_copy(self._history, image.id, seen)
            self._on_change(image.id)

    def _replace(self, image: Image, bad: Copy) -> None:
        """Ask for a copy in place of one that was bad twice, if there are bytes to send; retire it if there is one."""
        proved = [copy for copy in image.copies if copy.host == bad.host and copy.state == "verified"]
        if proved:
            self._retire(image, bad, proved[-1])
            return
        allowed = {host.name for host in self._chain.open_to(private=image.off_public_hosts)}
        if bad.host in allowed and self._is_here(image):
            self._images.add_replacement(image.id, Copy(host=bad.host, next_at=now()))

    def _is_here(self, image: Image) -> bool:
        try:
            self._files.read(image.folder, image.filename, image.sha256)
        except ChatBotError as error:
            log.warning("copy_check.not_replaced", image=image.id, error=str(error))
            return False
        return True
