"""What taking a picture file apart yields, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass

from ChatBot.errors import PictureRefused
from ChatBot.sentence import Sentence

MAX_PARTS = 250_000
"""Chunks, segments or blocks in one file; a 50 MB GIF in full blocks of 255 bytes has 200,000."""


@dataclass(frozen=True)
class Stripped:
    """A picture file without anything but the picture, and what was taken out of it.

    ``data`` ends with the format's own end mark; ``exif`` is the TIFF structure (empty: none); ``texts`` are keyword
    and value pairs in file order; ``extent`` is the smallest canvas in pixels that holds every frame, where the
    container says so.
    """

    data: bytes
    exif: bytes = b""
    texts: tuple[tuple[str, str], ...] = ()
    frames: int = 1
    extent: tuple[int, int] = (0, 0)


def truncated() -> PictureRefused:
    """Return the error of a file that ends before its end mark."""
    return PictureRefused(Sentence("The picture is cut off: the file ends too early."), reason="truncated")


def corrupt(detail: str) -> PictureRefused:
    """Return the error of a file that is damaged; ``detail`` is a clause like "a checksum is wrong"."""
    return PictureRefused(Sentence("The picture is damaged: %(detail)s.", detail=detail), reason="corrupt")


def too_many_parts() -> PictureRefused:
    """Return the error of a file cut into more parts than any real picture has."""
    return corrupt(f"it consists of more than {MAX_PARTS:,} parts")


def plain_exif(block: bytes) -> bytes:
    """Return the TIFF structure of an EXIF block, whose introduction some writers leave out."""
    return block.removeprefix(b"Exif\x00\x00")
