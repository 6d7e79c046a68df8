"""Small versions of a picture, all from one decode, and the placeholder shown until one has loaded."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from io import BytesIO

import thumbhash
from PIL import Image

from ChatBot.errors import PictureRefused
from ChatBot.media.containers import sniff
from ChatBot.media.encoders import WEBP_MAX_SIDE, webp
from ChatBot.media.inspection import Picture, decoding_errors, decoding_slot
from ChatBot.media.paths import THUMBNAIL_WIDTHS
from ChatBot.media.pixels import displayable, profile_of, to_srgb, without_info

THUMBNAIL_QUALITY = 75
PLACEHOLDER_SIDE = 16
"""Pixels along the longer side: 0.7 ms of pure Python, where the algorithm's maximum of 100 takes over 25 ms."""


def thumbnails(picture: Picture, widths: Sequence[int] = THUMBNAIL_WIDTHS) -> dict[int, bytes]:
    """Return sRGB WEBP files by width in pixels; a width that is not below the picture's own is left out."""
    return {width: encoded(level) for width, level in pyramid(picture.shown, widths).items()}


def render(data: bytes, width: int, *, max_pixels: int) -> bytes | None:
    """Make one thumbnail of a stored picture again; None: the picture is no wider, so show the picture itself.

    Raises:
        PictureRefused: the bytes are no picture or have more than ``max_pixels`` pixels.
    """
    picture_format = sniff(data)
    if picture_format is None:
        raise PictureRefused("The file is not a PNG, JPEG, GIF or WEBP picture.", reason="format")
    with decoding_slot(), decoding_errors():
        image = Image.open(BytesIO(data), formats=[picture_format])
        full = image.size
        if full[0] * full[1] > max_pixels:
            raise PictureRefused(f"The picture has more than {max_pixels:,} pixels.", reason="pixels")
        if (size := _fitting(full, width)) is None:
            return None
        image.draft(None, size)  # a JPEG decodes at a half, quarter or eighth for a fraction of the time
        return encoded(_level(displayable(image), size))


def pyramid(image: Image.Image, widths: Sequence[int]) -> dict[int, Image.Image]:
    """Return the picture at each width below its own, each made from the next larger one, without a profile."""
    levels: dict[int, Image.Image] = {}
    source = image
    for width in sorted(widths, reverse=True):
        size = _fitting(image.size, width)
        if size is not None:
            source = levels[width] = _level(source, size)
    return levels


def encoded(level: Image.Image) -> bytes:
    """Return a level of the pyramid as WEBP; method 0 is the fastest, but would store alpha uncompressed."""
    return webp(level, THUMBNAIL_QUALITY, method=1 if level.mode == "RGBA" else 0)


def placeholder(image: Image.Image) -> str:
    """Return the ThumbHash of a picture in base64, without its transparency.

    The library cannot hash transparent pictures (version 0.1.2), so they are laid on their own average colour.
    """
    image.load()
    scale = PLACEHOLDER_SIDE / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    tiny = image.resize(size, Image.Resampling.BOX, reducing_gap=2.0).convert("RGBA")
    average = tiny.resize((1, 1), Image.Resampling.BOX)
    average.putalpha(255)
    laid = Image.alpha_composite(average.resize(size), tiny)
    return base64.b64encode(bytes(thumbhash.rgba_to_thumb_hash(*size, list(laid.tobytes())))).decode("ascii")


def _fitting(size: tuple[int, int], width: int) -> tuple[int, int] | None:
    """Return the size at ``width``; None where it would not be smaller, or WEBP could not hold its height."""
    height = max(1, round(size[1] * width / size[0]))
    return (width, height) if width < size[0] and height <= WEBP_MAX_SIDE else None


def _level(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == (2 * size[0], 2 * size[1]):
        smaller = image.reduce(2)  # a sixth of the time of any filter, and the same as the box filter
    else:
        smaller = image.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)
    # A profile is applied here, where there are few pixels: a thumbnail carries none.
    return to_srgb(smaller) if profile_of(image) else without_info(smaller)
