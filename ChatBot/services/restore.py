"""Bring local files back from their cloud copies, byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ChatBot.db.images import Images
from ChatBot.errors import ChatBotError
from ChatBot.media.files import FileStore
from ChatBot.models import Image
from ChatBot.services.resolver import Resolver

PARALLEL_RESTORES = 16


@dataclass
class RestoreReport:
    """What a restore found: ids by outcome. ``missing`` before, ``restored`` now, ``lost`` with the reason."""

    checked: int = 0
    missing: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)


class Restore:
    """Finds pictures whose local file is missing or damaged and fetches them again."""

    def __init__(self, images: Images, files: FileStore, resolver: Resolver) -> None:
        self._images = images
        self._files = files
        self._resolver = resolver

    def run(self, *, apply: bool, on_step: Callable[[int], None] = lambda _: None) -> RestoreReport:
        """Check every untrashed picture's local file by its hash; with ``apply`` bring the missing ones back.

        A picture in the trash is left alone. ``on_step`` is told how many pictures were looked at so far.
        """
        report = RestoreReport()
        with ThreadPoolExecutor(PARALLEL_RESTORES, thread_name_prefix="restore") as pool:
            for image, outcome in pool.map(lambda image: (image, self._one(image, apply)), self._pictures()):
                report.checked += 1
                if outcome is not None:
                    report.missing.append(image.id)
                    if outcome == "":
                        report.restored.append(image.id)
                    elif apply:
                        report.lost[image.id] = outcome
                on_step(report.checked)
        return report

    def _pictures(self) -> Iterator[Image]:
        return (located.image for located in self._images.each() if located.image.trashed_at is None)

    def _one(self, image: Image, apply: bool) -> str | None:
        """Return None when the file is fine, an empty text when it was restored, else why it was not."""
        try:
            self._files.read(image.folder, image.filename, image.sha256)
        except ChatBotError as error:
            if not apply:
                return str(error)
        else:
            return None
        try:
            self._resolver.restore(image)
        except ChatBotError as error:
            return str(error)
        return ""
