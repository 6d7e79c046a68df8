"""What is asked of a decoder, and its plain form, which decodes in this process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from ChatBot.media.cards import cover
from ChatBot.media.containers import Format
from ChatBot.media.encoding import StoredPicture, encode
from ChatBot.media.inspection import inspect
from ChatBot.media.thumbnails import render


@dataclass(frozen=True)
class Facts:
    """What a complete decode says: ``width`` and ``height`` in pixels, upright; ``metadata`` is private."""

    format: Format
    width: int
    height: int
    frames: int
    metadata: dict[str, str] = field(default_factory=dict, repr=False)


class Decoder(ABC):
    """Turns bytes from outside into pictures and facts.

    Every method raises ``PictureRefused`` for bytes that are no picture that can be kept, and ``StorageError`` when
    nothing can be decoded now, whatever the bytes are.
    """

    @abstractmethod
    def encode(self, data: bytes, *, max_bytes: int, max_pixels: int, max_frames: int) -> StoredPicture:
        """Check a file and make it the picture to store; see ``encoding.encode``. Raises ``TooLarge`` as well."""

    @abstractmethod
    def render(self, data: bytes, width: int, *, max_pixels: int) -> bytes | None:
        """Make one thumbnail of a stored picture again; None when the picture is no wider."""

    @abstractmethod
    def cover(self, data: bytes, *, max_pixels: int) -> bytes:
        """Make of a stored picture what its card shows of it; see ``cards.cover``."""

    @abstractmethod
    def examine(self, data: bytes, *, max_pixels: int, max_frames: int) -> Facts:
        """Decode all of a file and say what it is."""

    def prepare(self) -> None:  # noqa: B027 - not every decoder has something to get ready
        """Get ready for the first picture; returns at once."""

    def close(self) -> None:  # noqa: B027 - or to stop
        """Stop; a later call begins anew."""


class InProcess(Decoder):
    """Decodes in the process that asks: for the decoder processes themselves, and for bytes that we made."""

    def encode(self, data: bytes, *, max_bytes: int, max_pixels: int, max_frames: int) -> StoredPicture:
        return encode(data, max_bytes=max_bytes, max_pixels=max_pixels, max_frames=max_frames)

    def render(self, data: bytes, width: int, *, max_pixels: int) -> bytes | None:
        return render(data, width, max_pixels=max_pixels)

    def cover(self, data: bytes, *, max_pixels: int) -> bytes:
        return cover(data, max_pixels=max_pixels)

    def examine(self, data: bytes, *, max_pixels: int, max_frames: int) -> Facts:
        picture = inspect(data, max_pixels=max_pixels, max_frames=max_frames)
        return Facts(picture.format, picture.width, picture.height, picture.frames, picture.metadata)


IN_PROCESS = InProcess()
