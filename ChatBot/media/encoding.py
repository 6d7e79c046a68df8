"""From any accepted file to the one byte string that is stored, with everything that is derived from its pixels."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image

from ChatBot.errors import IntegrityError
from ChatBot.media.animation import compress_animation
from ChatBot.media.compression import compress_still
from ChatBot.media.containers import Format
from ChatBot.media.encoders import WEBP_MAX_SIDE, Encoded, lossless_webp, png
from ChatBot.media.inspection import DECODING_ERRORS, Picture, decoding_slot, inspect
from ChatBot.media.paths import THUMBNAIL_WIDTHS
from ChatBot.media.pixels import profile_of
from ChatBot.media.thumbnails import encoded, placeholder, pyramid
from ChatBot.sentence import Sentence

EXTENSIONS: dict[Format, str] = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WEBP": "webp"}

_HOPELESS_PIXELS_PER_BYTE = 5
"""A lossless file rarely needs less than a fifth of a byte per pixel; beyond that the attempt only costs time."""

_CANVAS_SHARE = 4
"""A new animation's canvas may have a still picture's pixels divided by this: Pillow holds several of it at once.

An 11 kB GIF of 808 x 32,806 took 345 MB, 13 bytes for each pixel of its canvas.
"""


@dataclass(frozen=True)
class StoredPicture:
    """The one stored byte string of a picture and what is recorded about it.

    ``width`` and ``height`` in pixels; ``crc32`` as ZIP counts it; ``thumbhash`` in base64; ``metadata`` was taken out
    of the file and is private; ``thumbnails`` are WEBP files by width in pixels.
    """

    data: bytes = field(repr=False)
    format: Format
    width: int
    height: int
    frames: int
    sha256: str
    crc32: int
    thumbhash: str
    metadata: dict[str, str] = field(repr=False)
    thumbnails: dict[int, bytes] = field(repr=False)

    @property
    def mime_type(self) -> str:
        """The media type, as in ``image/png``."""
        return f"image/{self.format.lower()}"

    @property
    def extension(self) -> str:
        """The file extension without the dot: ``png``, ``jpg``, ``gif`` or ``webp``."""
        return EXTENSIONS[self.format]


def encode(
    data: bytes, *, max_bytes: int, max_pixels: int, max_frames: int, widths: Sequence[int] = THUMBNAIL_WIDTHS
) -> StoredPicture:
    """Check a file and make it the picture to store, with a single decode of a still picture.

    A file of at most ``max_bytes`` (0: of any size) keeps its pixels exactly. A larger one gets the best quality that
    fits, and fewer pixels only if no acceptable quality does.

    Raises:
        PictureRefused: the bytes are no picture that can be kept.
        TooLarge: no picture at all fits into ``max_bytes``.
        IntegrityError: what was encoded does not decode to what it should.
    """
    with decoding_slot():
        canvas = max_pixels // _CANVAS_SHARE
        picture = inspect(data, max_pixels=max_pixels, max_frames=max_frames, max_canvas_pixels=canvas)
        stored = _stored(picture, max_bytes)
        frames = picture.frames if stored.data is picture.data else _verified_frames(stored)
        levels = pyramid(picture.shown, widths)
        small = levels[min(levels)] if levels else picture.shown
        return StoredPicture(
            data=stored.data,
            format=stored.format,
            width=stored.size[0],
            height=stored.size[1],
            frames=frames,
            sha256=hashlib.sha256(stored.data).hexdigest(),
            crc32=zlib.crc32(stored.data),
            thumbhash=placeholder(small),
            metadata=picture.metadata,
            thumbnails={width: encoded(level) for width, level in levels.items()},
        )


def _stored(picture: Picture, max_bytes: int) -> Encoded:
    small_enough = max_bytes == 0 or len(picture.data) <= max_bytes
    if small_enough and picture.orientation == 1:
        return Encoded(picture.data, picture.format, picture.size)
    if picture.frames > 1:
        return compress_animation(picture, max_bytes)
    if small_enough:
        lossless = _turned(picture, max_bytes)
        if lossless is not None:
            return lossless
    return compress_still(picture.shown, max_bytes)


def _turned(picture: Picture, max_bytes: int) -> Encoded | None:
    """Return the picture upright without any loss; None: that would not fit."""
    if max_bytes and picture.width * picture.height > _HOPELESS_PIXELS_PER_BYTE * max_bytes:
        return None
    if picture.format == "PNG":
        image = picture.upright
        result = Encoded(png(image, profile_of(image)), "PNG", picture.size)
    elif max(picture.size) > WEBP_MAX_SIDE:
        result = Encoded(png(picture.shown, profile_of(picture.shown)), "PNG", picture.size)
    else:
        result = Encoded(lossless_webp(picture.shown, profile_of(picture.shown)), "WEBP", picture.size)
    return result if not max_bytes or len(result.data) <= max_bytes else None


def _verified_frames(stored: Encoded) -> int:
    """Decode all of what was encoded and return its number of frames."""
    try:
        opened = Image.open(BytesIO(stored.data), formats=[stored.format])
        size, frames = opened.size, getattr(opened, "n_frames", 1)
        opened.draft(None, (1, 1))  # reads the whole JPEG but computes an eighth of each side
        for index in range(frames):
            opened.seek(index)
            opened.load()
    except DECODING_ERRORS as error:
        raise IntegrityError(Sentence("The encoded picture cannot be decoded.")) from error
    if size != stored.size:
        raise IntegrityError(Sentence("The encoded picture does not have the size it should have."))
    return int(frames)
