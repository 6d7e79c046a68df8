"""Pixels into file bytes, one function per format; nothing but pixels and the colour profile gets in.

Each raises ``StorageError`` when the encoder fails, as when memory is short.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

from PIL import Image

from ChatBot.errors import StorageError
from ChatBot.media.containers import Format
from ChatBot.sentence import Sentence

JPEG_MAX_SIDE = 65_500
WEBP_MAX_SIDE = 16_383
"""Longest side in pixels that the format (libjpeg's limit, for JPEG) can hold."""


@dataclass(frozen=True)
class Encoded:
    """File bytes, and the format and size in pixels that they must turn out to have."""

    data: bytes
    format: Format
    size: tuple[int, int]


def jpeg(image: Image.Image, quality: int, *, full_colour: bool, profile: bytes = b"") -> bytes:
    """Encode an L or RGB picture as baseline JPEG; ``full_colour`` keeps the colours at full resolution (4:4:4).

    Huffman optimisation is off: it took three times as long for 5 % of the size, about one and a half steps of
    quality, and Pillow's buffer for it is too small for noisy pictures.
    """
    subsampling = 0 if full_colour else 2
    return _written(
        lambda file: image.save(file, "JPEG", quality=quality, subsampling=subsampling, icc_profile=profile or None)
    )


def webp(image: Image.Image, quality: int, *, method: int = 2, profile: bytes = b"") -> bytes:
    """Encode a picture as lossy WEBP.

    ``method`` trades time for size: 0 stores alpha uncompressed, 4 took half as long again as 2 for 2 % of the size.
    """
    alpha_quality = min(100, quality + 20)
    return _written(
        lambda file: image.save(
            file, "WEBP", quality=quality, alpha_quality=alpha_quality, method=method, icc_profile=profile
        )
    )


def lossless_webp(image: Image.Image, profile: bytes = b"") -> bytes:
    """Encode a picture as lossless WEBP; the colour of fully clear pixels is kept too."""
    return _written(
        lambda file: image.save(file, "WEBP", lossless=True, quality=20, method=1, exact=True, icc_profile=profile)
    )


def png(image: Image.Image, profile: bytes = b"") -> bytes:
    """Encode a picture of any mode as PNG."""
    return _written(lambda file: image.save(file, "PNG", icc_profile=profile or None))


def animated_webp(
    frames: Sequence[Image.Image], quality: int, *, durations_ms: Sequence[int], loop: int, lossless: bool = False
) -> bytes:
    """Encode frames, or one open animation, as animated WEBP; ``loop`` 0 repeats for ever.

    Equal neighbours may become one longer frame; the time they take together stays.
    """
    first, *others = frames
    return _written(
        lambda file: first.save(
            file,
            "WEBP",
            save_all=True,
            append_images=others,
            duration=list(durations_ms),
            loop=loop,
            quality=quality,
            alpha_quality=min(100, quality + 20),
            lossless=lossless,
            method=1,
            background=(0, 0, 0, 0),
        )
    )


def _written(save: Callable[[IO[bytes]], None]) -> bytes:
    """Return what ``save`` writes into a real file: Pillow keeps other threads waiting for a JPEG into a BytesIO."""
    try:
        with _memory_file() as file:
            save(file)
            file.seek(0)
            return file.read()
    except (OSError, ValueError, MemoryError) as error:
        raise StorageError(Sentence("The picture could not be encoded.")) from error


def _memory_file() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("picture", os.MFD_CLOEXEC), "w+b")
    return tempfile.TemporaryFile()
