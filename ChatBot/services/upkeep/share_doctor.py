"""Whether every open share still shows its pictures: asked as a viewer would, without changing anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ChatBot.db.shares import Shares
from ChatBot.errors import ChatBotError, NotFound
from ChatBot.models import Image, Share, now
from ChatBot.services.sharing.sharing import Sharing
from ChatBot.services.upkeep.evidence import Evidence
from ChatBot.services.upkeep.parallel import in_parallel

PARALLEL_CHECKS = 16


@dataclass
class ShareReport:
    """How many shares are open, how many pictures they show, and what a viewer would not see, by share, with why."""

    shares: int = 0
    pictures: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    """Shares that show nothing at all, by id."""
    unservable: dict[str, dict[str, str]] = field(default_factory=dict)
    """By share, its pictures that cannot be served."""


class ShareDoctor:
    """Opens the shares one by one; also what an operator needs to list and to close them."""

    def __init__(self, shares: Shares, sharing: Sharing, evidence: Evidence) -> None:
        self._shares = shares
        self._sharing = sharing
        self._evidence = evidence

    def listed(self, *, closed: bool = False) -> list[Share]:
        """Return the open shares of all accounts, newest first; with ``closed`` the others as well."""
        return list(self._shares.each()) if closed else list(self._shares.each_open(now()))

    def revoke(self, share_id: str) -> None:
        """Close a share at once, whoever made it; raises ``NotFound``."""
        if not self._shares.close(share_id):
            raise NotFound("There is no open share of that id.")

    def examine(self, on_step: Callable[[int], None] = lambda _: None) -> ShareReport:
        """Check every picture that an open share shows: its local file, or a copy that was fetched and is right."""
        report = ShareReport()
        shown: dict[str, list[str]] = {}
        images: dict[str, Image] = {}
        for share in self._shares.each_open(now()):
            report.shares += 1
            try:
                for image in self._pictures(share, report):
                    images[image.id] = image
                    shown.setdefault(image.id, []).append(share.id)
            except NotFound as error:
                report.broken[share.id] = str(error)
        report.pictures = len(images)
        checked = in_parallel(lambda image: (image.id, self._why_not(image)), images.values(), PARALLEL_CHECKS)
        for done, (image_id, reason) in enumerate(checked, 1):
            for share_id in shown[image_id] if reason else ():
                report.unservable.setdefault(share_id, {})[image_id] = reason
            on_step(done)
        return report

    def _pictures(self, share: Share, report: ShareReport) -> list[Image]:
        """Return the pictures a viewer gets; one in the trash is not shown, so it is not missing either."""
        found = []
        for image_id in self._sharing.content(share).pictures:
            try:
                found.append(self._sharing.image(share, image_id))
            except NotFound as error:
                report.unservable.setdefault(share.id, {})[image_id] = str(error)
        return found

    def _why_not(self, image: Image) -> str:
        try:
            self._evidence.local_state(image)
        except ChatBotError as error:
            return str(error)
        return ""
