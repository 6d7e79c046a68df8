"""Animations too large for the limit, or not upright, made into animated WEBP with their timing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO

from PIL import Image

from ChatBot.media.containers import Format
from ChatBot.media.encoders import WEBP_MAX_SIDE, Encoded, animated_webp
from ChatBot.media.fitting import HIGHEST_QUALITY, LOWEST_QUALITY, SizeModel, fit_or_shrink
from ChatBot.media.inspection import Picture
from ChatBot.media.pixels import smaller, upright

_SAMPLE_FRAMES = 8
_MOST_LOOPS = 65_535
"""WEBP counts loops in sixteen bits."""


def compress_animation(picture: Picture, max_bytes: int) -> Encoded:
    """Encode an animation as animated WEBP in at most ``max_bytes`` bytes; 0 keeps the pixels lossless.

    Raises:
        TooLarge: not even frames of a single pixel fit.
    """
    animation = _Animation.of(picture)
    if max(animation.size) > WEBP_MAX_SIDE:
        animation = animation.scaled(WEBP_MAX_SIDE / max(animation.size))
    if max_bytes == 0:
        return Encoded(animation.encoder(lossless=True)(20), "WEBP", animation.size)
    while True:
        scale, data = fit_or_shrink(animation.encoder(), _model(animation), max_bytes)
        if data is not None:
            return Encoded(data, "WEBP", animation.size)
        animation = animation.scaled(scale)


@dataclass(frozen=True)
class _Animation:
    """Frames that are decoded anew for each encode: all of them at once would not fit into memory.

    ``skipped`` frames at the start are only for viewers without animation; ``size`` is what they are encoded at.
    """

    data: bytes
    format: Format
    orientation: int
    durations_ms: tuple[int, ...]
    loop: int
    skipped: int
    size: tuple[int, int]
    as_it_is: bool = True

    @classmethod
    def of(cls, picture: Picture) -> _Animation:
        opened = Image.open(BytesIO(picture.data), formats=[picture.format])
        skipped = 1 if opened.info.get("default_image") else 0
        return cls(
            data=picture.data,
            format=picture.format,
            orientation=picture.orientation,
            durations_ms=picture.durations_ms[skipped:],
            loop=_loops(opened, picture.format),
            skipped=skipped,
            size=picture.size,
            as_it_is=not skipped and picture.orientation == 1,
        )

    def scaled(self, factor: float) -> _Animation:
        return replace(self, size=smaller(self.size, factor), as_it_is=False)

    def open(self) -> Image.Image:
        # Pillow cannot go back to the start of every APNG, so nothing is read twice from one opened file.
        return Image.open(BytesIO(self.data), formats=[self.format])

    def encoder(self, *, lossless: bool = False) -> Callable[[int], bytes]:
        def encode(quality: int) -> bytes:
            frames: Sequence[Image.Image] = [self.open()] if self.as_it_is else self.frames(len(self.durations_ms))
            return animated_webp(frames, quality, durations_ms=self.durations_ms, loop=self.loop, lossless=lossless)

        return encode

    def frames(self, count: int) -> list[Image.Image]:
        opened, frames = self.open(), []
        for index in range(self.skipped, self.skipped + count):
            opened.seek(index)
            frame = upright(opened.convert("RGBA" if opened.has_transparency_data else "RGB"), self.orientation)
            if frame.size != self.size:
                frame = frame.resize(self.size, Image.Resampling.HAMMING, reducing_gap=2.0)
            frames.append(frame)
        return frames


def _model(animation: _Animation) -> SizeModel:
    count = min(_SAMPLE_FRAMES, len(animation.durations_ms))
    frames, share = animation.frames(count), len(animation.durations_ms) / count
    qualities = (LOWEST_QUALITY, 75, HIGHEST_QUALITY)
    durations = animation.durations_ms[:count]
    sizes = [len(animated_webp(frames, quality, durations_ms=durations, loop=0)) for quality in qualities]
    return SizeModel.from_samples(qualities, [size * share for size in sizes])


def _loops(opened: Image.Image, picture_format: Format) -> int:
    """Return how often to play (0: for ever); GIF counts repetitions, and plays once when it says nothing."""
    repeats = opened.info.get("loop")
    if picture_format == "GIF":
        return 1 if repeats is None else 0 if repeats == 0 else min(repeats + 1, _MOST_LOOPS)
    return min(int(repeats or 0), _MOST_LOOPS)
