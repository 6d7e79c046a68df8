"""Previews: the card that other sites show for a share link, drawn when somebody asks and remembered for a while.

Cards are kept in memory only. On the disk each would hold pixels of a picture that its owner may delete.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import structlog

from ChatBot.errors import ChatBotError
from ChatBot.media.cards import draw_card
from ChatBot.media.decoding import IN_PROCESS, Decoder
from ChatBot.models import Image
from ChatBot.services.pictures.resolver import Resolver

log = structlog.get_logger(__name__)

NAME = "ChatBot"
COVER_WIDTH = 1024
REMEMBERED = 32
"""Cards; one takes about 100 kB and 30 ms to draw."""


class Previews:
    """Draws cards; the same title and picture are drawn once while they are remembered."""

    def __init__(self, resolver: Resolver, decoder: Decoder = IN_PROCESS) -> None:
        self._resolver = resolver
        self._decoder = decoder
        self._lock = threading.Lock()
        self._cards: OrderedDict[tuple[str, str | None], bytes] = OrderedDict()

    def card(self, title: str, cover: Image | None = None) -> bytes:
        """Return a JPEG card; without its picture when that cannot be had now.

        Whether the one who asks may see title and picture was decided before.
        """
        key = (title, cover.id if cover else None)
        with self._lock:
            if key in self._cards:
                self._cards.move_to_end(key)
                return self._cards[key]
        try:
            card = draw_card(title, NAME, self._pixels(cover) if cover else None)
        except ChatBotError as error:
            log.warning("previews.without_picture", image=cover.id if cover else None, error=str(error))
            return draw_card(title, NAME)
        with self._lock:
            self._cards[key] = card
            if len(self._cards) > REMEMBERED:
                self._cards.popitem(last=False)
        return card

    def _pixels(self, cover: Image) -> bytes:
        """Return what the card shows of a picture; a small one is decoded as it came, by a process without secrets."""
        with self._resolver.open_thumbnail(cover, COVER_WIDTH).file as file:
            return self._decoder.cover(file.read(), max_pixels=cover.width * cover.height)
