"""The sheet everything is painted on: twice as large as the picture, so that edges come out smooth."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import pairwise

from PIL import Image, ImageDraw

from ChatBot.generators.painting.scene import Rgb

SMOOTHED_PIXELS = 1_600_000
"""Up to this area the sheet is drawn at double size; larger pictures would need too much memory."""

Point = tuple[float, float]


class Canvas:
    """An RGB sheet with a few strokes that Pillow does not have. ``unit`` is its shorter side in pixels."""

    def __init__(self, width: int, height: int, rng: random.Random) -> None:
        self.size = (width, height)
        self.rng = rng
        scale = 2 if width * height <= SMOOTHED_PIXELS else 1
        self.width, self.height = width * scale, height * scale
        self.unit = min(self.width, self.height)
        self.image = Image.new("RGB", (self.width, self.height))
        self.draw = ImageDraw.Draw(self.image)

    def finished(self) -> Image.Image:
        """Return the picture at its real size."""
        return self.image if self.image.size == self.size else self.image.resize(self.size, Image.Resampling.BOX)

    def gradient(self, stops: Sequence[Rgb], top: int, bottom: int) -> None:
        """Fill the full width between two heights with a vertical gradient."""
        strip = vertical(stops, max(1, bottom - top))
        self.image.paste(strip.resize((self.width, strip.height), Image.Resampling.NEAREST), (0, top))

    def veil(self, colour: Rgb, top: float, bottom: float, strength: float) -> None:
        """Lay a haze over the full width that is clear at ``top`` and ``strength`` (0 to 1) at ``bottom``."""
        height = max(1, round(bottom - top))
        mask = Image.linear_gradient("L").resize((self.width, height)).point(lambda value: value * strength)
        self.image.paste(colour, (0, round(top)), mask)

    def glow(self, centre: Point, radius: float, colour: Rgb, strength: float) -> None:
        """Shine: strongest at ``centre``, gone at ``radius``."""
        size = max(2, round(radius * 2))
        table = [round(255 * strength * max(0.0, 1 - value / 181) ** 2.2) for value in range(256)]
        mask = Image.radial_gradient("L").point(table).resize((size, size), Image.Resampling.BILINEAR)
        self.image.paste(colour, (round(centre[0] - radius), round(centre[1] - radius)), mask)

    def disc(self, centre: Point, radius: float, colour: Rgb) -> None:
        """Fill a circle."""
        x, y = centre
        self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    def blob(self, points: Iterable[Point], colour: Rgb) -> None:
        """Fill a closed shape whose outline runs smoothly through ``points``."""
        self.draw.polygon(smooth(list(points)), fill=colour)

    def ridge(self, heights: Sequence[float], colour: Rgb) -> None:
        """Fill everything below a line of evenly spread heights (pixels from the top)."""
        step = self.width / (len(heights) - 1)
        line = [(position * step, height) for position, height in enumerate(heights)]
        self.draw.polygon([(0, self.height), *line, (self.width, self.height)], fill=colour)


def vertical(stops: Sequence[Rgb], height: int) -> Image.Image:
    """Return a strip one pixel wide that runs through ``stops`` from top to bottom."""
    strip = Image.new("RGB", (1, len(stops)))
    strip.putdata(stops)
    return strip.resize((1, height), Image.Resampling.BICUBIC)


def smooth(points: Sequence[Point], steps: int = 8) -> list[Point]:
    """Return a closed Catmull-Rom curve through ``points``."""
    count = len(points)
    curve: list[Point] = []
    for index in range(count):
        p0, p1, p2, p3 = (points[(index + offset) % count] for offset in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            curve.append((_spline(p0[0], p1[0], p2[0], p3[0], t), _spline(p0[1], p1[1], p2[1], p3[1], t)))
    return curve


def fractal_line(rng: random.Random, roughness: float, levels: int = 8) -> list[float]:
    """Return 2**levels + 1 heights from about -1 to 1 by midpoint displacement; ``roughness`` 0 is smooth, 1 jagged."""
    line = [rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6)]
    swing = 0.9
    for _ in range(levels):
        middles = [(a + b) / 2 + rng.uniform(-swing, swing) for a, b in pairwise(line)]
        line = [height for pair in zip(line, middles, strict=False) for height in pair] + [line[-1]]
        swing *= 0.32 + 0.22 * roughness
    return line


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
