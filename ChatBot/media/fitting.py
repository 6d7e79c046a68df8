"""The best quality whose file fits into a number of bytes, found in at most three full encodes."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

LOWEST_QUALITY = 50
"""Below it the blocks of JPEG are plainly seen: fewer pixels look better."""
HIGHEST_QUALITY = 95
"""Above it files grow fast and nothing more is seen (libjpeg's own advice)."""
COMFORTABLE_QUALITY = 70
"""Aimed at when pixels have to be given up anyway."""

MAX_ENCODES = 3
GOOD_ENOUGH = 0.92
"""A file that fills this share of the limit is taken: one step of quality more would add about as much."""
AIM = 0.97
"""Share of the limit aimed at, as a prediction is a few per cent off."""
LAST_AIM = 0.88
"""Share aimed at when the last encode must fit."""


@dataclass(frozen=True)
class SizeModel:
    """The file size to expect at each quality: straight lines through (quality, log of bytes)."""

    qualities: tuple[int, ...]
    logs: tuple[float, ...]

    @classmethod
    def from_samples(cls, qualities: Sequence[int], sizes: Sequence[float]) -> SizeModel:
        """Build the model from at least two measured or extrapolated sizes in bytes, by rising quality."""
        return cls(tuple(qualities), tuple(math.log(max(size, 1.0)) for size in sizes))

    def bytes_at(self, quality: float) -> float:
        """Return the bytes expected at ``quality``."""
        return math.exp(self._log_at(quality))

    def quality_for(self, size: float) -> int:
        """Return the highest quality within the model whose file is expected to have at most ``size`` bytes."""
        lowest, highest = self.qualities[0], self.qualities[-1]
        wanted = math.log(max(size, 1.0))
        fitting = [quality for quality in range(lowest, highest + 1) if self._log_at(quality) <= wanted]
        return fitting[-1] if fitting else lowest

    def through(self, quality: int, size: int) -> SizeModel:
        """Return the model moved so that it goes through a size that was really seen."""
        shift = math.log(size) - self._log_at(quality)
        return SizeModel(self.qualities, tuple(log + shift for log in self.logs))

    def _log_at(self, quality: float) -> float:
        right = min(max(bisect_left(self.qualities, quality), 1), len(self.qualities) - 1)
        (x0, x1), (y0, y1) = self.qualities[right - 1 : right + 1], self.logs[right - 1 : right + 1]
        return y0 + (y1 - y0) * (quality - x0) / (x1 - x0)


def best_fit(encode: Callable[[int], bytes], model: SizeModel, max_bytes: int) -> bytes | None:
    """Return the best file of at most ``max_bytes`` found in three encodes; None: not one of them fitted."""
    best: bytes | None = None
    low, high = model.qualities[0], model.qualities[-1]
    for attempt in range(MAX_ENCODES):
        last_chance = best is None and attempt == MAX_ENCODES - 1
        aim = max_bytes * (LAST_AIM if last_chance else AIM)
        quality = min(max(model.quality_for(aim), low), high)
        data = encode(quality)
        model = model.through(quality, len(data))
        if len(data) <= max_bytes:
            best, low = data, quality + 1
            if len(data) >= GOOD_ENOUGH * max_bytes:
                break
        else:
            high = quality - 1
        if low > high:
            break
    return best


def fit_or_shrink(encode: Callable[[int], bytes], model: SizeModel, max_bytes: int) -> tuple[float, bytes | None]:
    """Return the file that fits, or the factor for width and height with which one should."""
    if model.bytes_at(LOWEST_QUALITY) > max_bytes / AIM:
        return min(0.95 * math.sqrt(max_bytes / model.bytes_at(COMFORTABLE_QUALITY)), 0.9), None
    return 0.8, best_fit(encode, model, max_bytes)
