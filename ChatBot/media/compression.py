"""Pictures too large for the limit made to fit: the best quality first, fewer pixels only when no quality is enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from ChatBot.errors import TooLarge
from ChatBot.media.containers import Format
from ChatBot.media.encoders import JPEG_MAX_SIDE, WEBP_MAX_SIDE, animated_webp, jpeg, webp
from ChatBot.media.fitting import AIM, SizeModel, best_fit
from ChatBot.media.inspection import Picture
from ChatBot.media.pixels import profile_of, to_srgb, upright, without_info

Encoder = Callable[[int], bytes]

LOWEST_QUALITY = 50
HIGHEST_QUALITY = 95
"""Above it files grow fast and nothing more is seen (libjpeg's own advice)."""
FULL_COLOUR_QUALITY = 90
"""From here on colours at full resolution are worth more than finer steps."""
COMFORTABLE_QUALITY = 70
"""Aimed at when pixels have to be given up anyway."""

_TILE = 32
_TILES_PER_SIDE = 12
_JPEG_HEADER_BYTES = 600
_SAMPLE_FRAMES = 8


@dataclass(frozen=True)
class Encoded:
    """File bytes, and the format and size in pixels that they must turn out to have."""

    data: bytes
    format: Format
    size: tuple[int, int]


def compress_still(image: Image.Image, max_bytes: int) -> Encoded:
    """Encode an L or RGB picture as JPEG, an RGBA one as WEBP, in at most ``max_bytes`` bytes.

    Raises:
        TooLarge: not even a single pixel fits.
    """
    profile = profile_of(image)
    if len(profile) > max_bytes // 10:
        image, profile = to_srgb(image), b""
    transparent = image.mode == "RGBA"
    image = _within(without_info(image), WEBP_MAX_SIDE if transparent else JPEG_MAX_SIDE)
    plan = _plan_webp if transparent else _plan_jpeg
    while True:
        encode, model = plan(image, profile, max_bytes)
        scale, data = _attempt(encode, model, max_bytes)
        if data is not None:
            return Encoded(data, "WEBP" if transparent else "JPEG", image.size)
        image = _scaled(image, scale)


def compress_animation(picture: Picture, max_bytes: int) -> Encoded:
    """Encode an animation as animated WEBP with its timing; ``max_bytes`` 0 keeps the pixels lossless.

    Raises:
        TooLarge: not even frames of a single pixel fit.
    """
    opened = Image.open(BytesIO(picture.data), formats=[picture.format])
    loop, durations = _loop(opened, picture.format), picture.durations_ms
    frames: Sequence[Image.Image] = [opened]
    if opened.info.get("default_image") or picture.orientation != 1 or max(opened.size) > WEBP_MAX_SIDE:
        skipped = 1 if opened.info.get("default_image") else 0  # what a viewer without APNG shows is no frame
        frames = [_within(upright(frame, picture.orientation), WEBP_MAX_SIDE) for frame in _copies(opened)[skipped:]]
        durations = durations[skipped:]
    if max_bytes == 0:
        data = animated_webp(frames, 20, durations_ms=durations, loop=loop, lossless=True)
        return Encoded(data, "WEBP", frames[0].size)
    while True:

        def encode(quality: int, frames: Sequence[Image.Image] = frames) -> bytes:
            return animated_webp(frames, quality, durations_ms=durations, loop=loop)

        scale, fitting = _attempt(encode, _animation_model(frames, durations), max_bytes)
        if fitting is not None:
            return Encoded(fitting, "WEBP", frames[0].size)
        frames = [_scaled(frame, scale) for frame in (_copies(frames[0]) if len(frames) == 1 else frames)]


def _attempt(encode: Encoder, model: SizeModel, max_bytes: int) -> tuple[float, bytes | None]:
    """Return the file that fits, or the factor for width and height with which one should."""
    if model.bytes_at(LOWEST_QUALITY) > max_bytes / AIM:
        return min(0.95 * math.sqrt(max_bytes / model.bytes_at(COMFORTABLE_QUALITY)), 0.9), None
    return 0.8, best_fit(encode, model, max_bytes)


def _plan_jpeg(image: Image.Image, profile: bytes, max_bytes: int) -> tuple[Encoder, SizeModel]:
    tiles, area = _sample(image)
    fixed = _JPEG_HEADER_BYTES + len(profile)

    def model(qualities: tuple[int, ...], full_colour: bool) -> SizeModel:
        sizes = (len(jpeg(tiles, quality, full_colour=full_colour)) - _JPEG_HEADER_BYTES for quality in qualities)
        return SizeModel.from_samples(qualities, [fixed + max(size, 0) * area for size in sizes])

    # The model reaches below 90, so that a prediction a little too good does not cost the picture its size.
    rich = model((80, FULL_COLOUR_QUALITY, HIGHEST_QUALITY), True)
    full_colour = rich.bytes_at(FULL_COLOUR_QUALITY) <= AIM * max_bytes
    chosen = rich if full_colour else model((LOWEST_QUALITY, 70, 85, 92, HIGHEST_QUALITY), False)
    return lambda quality: jpeg(image, quality, full_colour=full_colour, profile=profile), chosen


def _plan_webp(image: Image.Image, profile: bytes, max_bytes: int) -> tuple[Encoder, SizeModel]:
    del max_bytes  # WEBP always has its colours at half resolution, so nothing depends on the limit
    tiles, area = _sample(image)
    qualities = (LOWEST_QUALITY, 75, 88, HIGHEST_QUALITY)
    sizes = [len(profile) + len(webp(tiles, quality)) * area for quality in qualities]
    return lambda quality: webp(image, quality, profile=profile), SizeModel.from_samples(qualities, sizes)


def _animation_model(frames: Sequence[Image.Image], durations: Sequence[int]) -> SizeModel:
    few = _copies(frames[0], _SAMPLE_FRAMES) if len(frames) == 1 else frames[:_SAMPLE_FRAMES]
    qualities = (LOWEST_QUALITY, 75, HIGHEST_QUALITY)
    share = len(durations) / len(few)
    sizes = (len(animated_webp(few, quality, durations_ms=durations[: len(few)], loop=0)) for quality in qualities)
    return SizeModel.from_samples(qualities, [size * share for size in sizes])


def _sample(image: Image.Image) -> tuple[Image.Image, float]:
    """Return tiles spread over the picture as one small picture, and how many times larger the picture is.

    Tiles keep the grain that decides the size of the file; a scaled-down picture would lose it.
    """
    side = _TILE * _TILES_PER_SIDE
    if image.width <= 2 * side or image.height <= 2 * side:
        return image, 1.0
    sample = Image.new(image.mode, (side, side))
    for row in range(_TILES_PER_SIDE):
        top = row * (image.height - _TILE) // (_TILES_PER_SIDE - 1)
        for column in range(_TILES_PER_SIDE):
            left = column * (image.width - _TILE) // (_TILES_PER_SIDE - 1)
            sample.paste(image.crop((left, top, left + _TILE, top + _TILE)), (column * _TILE, row * _TILE))
    return sample, image.width * image.height / side**2


def _copies(animation: Image.Image, count: int | None = None) -> list[Image.Image]:
    frames, total = [], getattr(animation, "n_frames", 1)
    for index in range(min(count or total, total)):
        animation.seek(index)
        frames.append(animation.convert("RGBA" if animation.has_transparency_data else "RGB"))
    return frames


def _loop(animation: Image.Image, picture_format: Format) -> int:
    """Return how often to play (0: for ever); GIF counts repetitions, and plays once when it says nothing."""
    repeats = animation.info.get("loop")
    if picture_format == "GIF":
        return 1 if repeats is None else 0 if repeats == 0 else min(repeats + 1, 65_535)
    return min(int(repeats or 0), 65_535)


def _within(image: Image.Image, longest: int) -> Image.Image:
    return image if max(image.size) <= longest else _scaled(image, longest / max(image.size))


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    if image.size == (1, 1):
        raise TooLarge("The limit for stored pictures is too small for any picture.")
    size = max(1, int(image.width * factor)), max(1, int(image.height * factor))
    return image.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)
