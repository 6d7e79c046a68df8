"""Whether bytes are a picture that can be kept, found out by decoding all of it once."""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO

from PIL import Image
from PIL.ImageFile import ImageFile

from ChatBot.errors import PictureRefused
from ChatBot.media.containers import STRIPPERS, Format, png, sniff
from ChatBot.media.containers.base import Stripped, corrupt, truncated
from ChatBot.media.metadata import collect, read_exif
from ChatBot.media.pixels import displayable, upright
from ChatBot.sentence import Sentence

ANIMATION_PICTURES = 4
"""All frames of an animation together may have as many pixels as this many of the largest still pictures."""

DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    AttributeError,
    MemoryError,
    struct.error,
    zlib.error,
    Warning,
)
"""What Pillow's decoders are known to raise on damaged files; warnings count where they are turned into errors."""


@dataclass(frozen=True)
class Picture:
    """A picture that was decoded completely.

    ``width`` and ``height`` in pixels, upright; ``durations_ms`` one per frame (empty for a still picture);
    ``metadata`` is private; ``data`` is the file without metadata, not yet upright.
    """

    data: bytes = field(repr=False)
    format: Format
    width: int
    height: int
    frames: int
    orientation: int
    has_alpha: bool
    metadata: dict[str, str] = field(repr=False)
    durations_ms: tuple[int, ...]
    _image: Image.Image = field(repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, upright."""
        return self.width, self.height

    @cached_property
    def shown(self) -> Image.Image:
        """The first frame as it is to be seen: upright, L, RGB or RGBA with eight bits, its colour profile attached."""
        return upright(displayable(self._image), self.orientation)

    @property
    def upright(self) -> Image.Image:
        """The first frame upright, in the mode in which it was stored."""
        return upright(self._image, self.orientation)


class _Slots(threading.local):
    """How deep this thread is inside ``decoding_slot``."""

    depth = 0


_slots = _Slots()
_semaphore = threading.BoundedSemaphore(os.cpu_count() or 1)


@contextmanager
def decoding_slot() -> Iterator[None]:
    """Wait for one of as many slots as there are processors; entering again in the same thread is free.

    A decoded picture takes 5 MB and more: 100 at once took 560 MB where one per processor took 175 MB, no slower.
    """
    if _slots.depth == 0:
        _semaphore.acquire()
    _slots.depth += 1
    try:
        yield
    finally:
        _slots.depth -= 1
        if _slots.depth == 0:
            _semaphore.release()


def inspect(data: bytes, *, max_pixels: int, max_frames: int, max_canvas_pixels: int | None = None) -> Picture:
    """Decode a PNG, JPEG, GIF or WEBP completely and return it; its name and declared type are never asked.

    ``max_canvas_pixels`` bounds animations further (None: no further), where new ones come in.

    Callers that keep several pictures should hold ``decoding_slot`` for as long as they use one.

    Raises:
        PictureRefused: with the reason ``empty``, ``format``, ``truncated``, ``corrupt``, ``pixels`` or ``frames``.
    """
    if not data:
        raise PictureRefused(Sentence("The file is empty."), reason="empty")
    picture_format = sniff(data)
    if picture_format is None:
        raise PictureRefused(Sentence("The file is not a PNG, JPEG, GIF or WEBP picture."), reason="format")
    stripped = STRIPPERS[picture_format](data)
    _check_pixels(stripped.extent, max_pixels)
    _check_frames(stripped.frames, max_frames)
    if stripped.frames > 1 and max_canvas_pixels is not None:
        _check_canvas(stripped.extent, max_canvas_pixels)
    with decoding_slot():
        return _decode(stripped, picture_format, max_pixels)


@contextmanager
def decoding_errors() -> Iterator[None]:
    """Translate what Pillow raises on damaged or oversized files into ``PictureRefused``."""
    try:
        yield
    except PictureRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureRefused(Sentence("The picture has far too many pixels."), reason="pixels") from error
    except DECODING_ERRORS as error:
        raise (truncated() if "truncated" in str(error) else corrupt("it cannot be decoded")) from error


def _decode(stripped: Stripped, picture_format: Format, max_pixels: int) -> Picture:
    orientation, fields = read_exif(stripped.exif)
    with decoding_errors():
        opened = Image.open(BytesIO(stripped.data), formats=[picture_format])
        _check_pixels(opened.size, max_pixels)
        _check_budget(opened.size, stripped.frames, max_pixels)
        image, durations = _load(opened, stripped.frames)
        if picture_format == "PNG" and _may_end_early(image) and not png.has_all_pixels(stripped.data):
            raise truncated()
    width, height = image.size if orientation < 5 else image.size[::-1]
    return Picture(
        data=stripped.data,
        format=picture_format,
        width=width,
        height=height,
        frames=stripped.frames,
        orientation=orientation,
        has_alpha=image.has_transparency_data,
        metadata=collect([*stripped.texts, *fields.items()]),
        durations_ms=durations,
        _image=image,
    )


def _load(opened: ImageFile, frames: int) -> tuple[Image.Image, tuple[int, ...]]:
    """Decode every frame; return the first one and the durations in milliseconds."""
    opened.load()
    if frames == 1:
        return opened, ()
    first, durations = opened.copy(), []
    for index in range(frames):
        opened.seek(index)
        opened.load()
        durations.append(round(opened.info.get("duration", 0)))
    if opened.size != first.size:
        raise ValueError("a frame is larger than the canvas")
    return first, tuple(durations)


def _may_end_early(image: Image.Image) -> bool:
    """Return whether rows may be missing at the end: the decoder leaves them zero, and interlacing hides them."""
    last_row = image.crop((0, image.height - 1, *image.size))
    return bool(image.info.get("interlace")) or not any(last_row.tobytes())


def _check_pixels(size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise PictureRefused(
            Sentence(
                "The picture has %(width)s x %(height)s pixels; at most %(most)s are allowed.",
                width=size[0],
                height=size[1],
                most=max_pixels,
            ),
            reason="pixels",
        )


def _check_canvas(size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise PictureRefused(
            Sentence(
                "The animation has %(width)s x %(height)s pixels; at most %(most)s are allowed in a moving picture.",
                width=size[0],
                height=size[1],
                most=max_pixels,
            ),
            reason="pixels",
        )


def _check_frames(frames: int, max_frames: int) -> None:
    if frames > max_frames:
        raise PictureRefused(
            Sentence(
                "The animation has %(frames)s frames; at most %(most)s are allowed.", frames=frames, most=max_frames
            ),
            reason="frames",
        )


def _check_budget(size: tuple[int, int], frames: int, max_pixels: int) -> None:
    if size[0] * size[1] * frames > max_pixels * ANIMATION_PICTURES:
        raise PictureRefused(
            Sentence(
                "The animation is too large: %(frames)s frames of %(width)s x %(height)s.",
                frames=frames,
                width=size[0],
                height=size[1],
            ),
            reason="frames",
        )
