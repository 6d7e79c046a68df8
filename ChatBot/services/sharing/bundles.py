"""Bundles: the pictures and files of a shared conversation as one archive, each asked for and proved in its turn.

The length is promised before the first byte. So whatever stands in the way later breaks the transfer off: a link that
was closed, a picture that was deleted or cannot be had. An archive that arrives whole lacks only what its manifest
names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import structlog

from ChatBot.errors import ChatBotError, NotFound
from ChatBot.media.archives import Archive, Member
from ChatBot.models import Image, Share
from ChatBot.sentence import Sentence
from ChatBot.services.pictures.resolver import Resolver
from ChatBot.services.sharing.sharing import Sharing, Shown

log = structlog.get_logger(__name__)

MANIFEST = "manifest.json"
DIGITS = 3
"""Of the place in a name, so that names sort as the pictures appear; a thousandth picture takes one more for all."""
EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "application/pdf": "pdf",
}
ID_CHARACTERS = 8
"""Of a picture's id in its name: two downloads of one conversation can lie in one folder and be told apart."""


@dataclass(frozen=True)
class Part:
    """A picture or a file of a bundle; ``name`` is what it is called there, None when its bytes are nowhere."""

    image: Image
    name: str | None


class Bundles:
    """Puts what a link shows into archives."""

    def __init__(self, sharing: Sharing, resolver: Resolver, looked_at: Callable[[str], None] = lambda _: None) -> None:
        """``looked_at`` is told the id of each picture that is sent."""
        self._sharing = sharing
        self._resolver = resolver
        self._looked_at = looked_at

    def parts(self, shown: Shown) -> tuple[Part, ...]:
        """Return what goes into a bundle, in the order of appearance; raises ``NotFound`` when that is nothing."""
        images = tuple(shown.pictures.values())
        if not images:
            raise NotFound(Sentence("There are no pictures in this conversation."))
        digits = max(DIGITS, len(str(len(images))))
        return tuple(self._part(image, f"{place:0{digits}d}") for place, image in enumerate(images, start=1))

    def archive(self, share: Share, parts: Sequence[Part], manifest: bytes) -> Archive:
        """Return the archive: the manifest, then each picture, with the bytes that are recorded for it or none.

        While it is read it raises ``NotFound`` once the link is closed, or a picture is deleted or cannot be had.
        """
        pictures = [
            Member(
                part.name, part.image.created_at, part.image.size, part.image.crc32, partial(self._open, share, part)
            )
            for part in parts
            if part.name is not None
        ]
        return Archive([Member.of(MANIFEST, share.created_at, manifest), *pictures])

    def _part(self, image: Image, place: str) -> Part:
        if not self._resolver.may_open(image):
            return Part(image, None)
        return Part(image, f"{place}-{image.id[:ID_CHARACTERS]}.{EXTENSIONS.get(image.mime_type, 'bin')}")

    def _open(self, share: Share, part: Part) -> BinaryIO:
        """Open a picture if the link still shows it."""
        try:
            image = self._sharing.image(self._sharing.again(share), part.image.id)
            opened = self._resolver.open(image)
        except ChatBotError as error:
            log.warning("bundles.broken_off", share=share.id, image=part.image.id, error=str(error))
            raise
        self._looked_at(image.id)
        return opened.file
