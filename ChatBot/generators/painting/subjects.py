"""The one thing a picture is about, each drawn by its own function into a square of a given side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ChatBot.generators.painting.canvas import Canvas, Point
from ChatBot.generators.painting.palette import Palette, mix
from ChatBot.generators.painting.scene import Rgb, Scene, Subject


@dataclass(frozen=True)
class Place:
    """Where a subject stands: ``x`` its middle, ``ground`` its foot, ``side`` its height, all in pixels."""

    canvas: Canvas
    palette: Palette
    x: float
    ground: float
    side: float
    night: bool

    def at(self, points: Sequence[Point]) -> list[Point]:
        """Turn points of a unit square (x from -0.5 to 0.5, y from 0 at the foot to 1) into pixels."""
        return [(self.x + px * self.side, self.ground - py * self.side) for px, py in points]

    def shape(self, points: Sequence[Point], colour: Rgb, *, smooth: bool = True) -> None:
        """Fill a closed outline given in unit coordinates, in the light of the hour."""
        shaded = mix(colour, self.palette.land, 0.5 if self.night else 0.12)
        if smooth:
            self.canvas.blob(self.at(points), shaded)
        else:
            self.canvas.draw.polygon(self.at(points), fill=shaded)

    def dot(self, point: Point, radius: float, colour: Rgb) -> None:
        """Fill a circle given in unit coordinates."""
        ((x, y),) = self.at([point])
        self.canvas.disc((x, y), radius * self.side, colour)


def paint_subject(canvas: Canvas, scene: Scene, palette: Palette, ground: float) -> None:
    """Paint the scene's subject; ``ground`` is the height of the near ground in pixels."""
    away = 1 - scene.light_x  # opposite the light, so that neither hides the other
    horizon = canvas.height * scene.horizon
    size, foot = {
        "lighthouse": (0.5, ground - canvas.height * 0.02),
        "fox": (0.36, ground + canvas.height * 0.05),
        "cat": (0.32, ground + canvas.height * 0.05),
        "boat": (0.26, horizon + (canvas.height - horizon) * 0.42),
        "house": (0.22, ground + canvas.height * 0.02),
        "balloon": (0.3, canvas.height * 0.45),
        "birds": (0.3, canvas.height * 0.42),
        "tree": (0.44, ground + canvas.height * 0.03),
    }[scene.subject]
    night = scene.hour == "night"
    place = Place(canvas, palette, canvas.width * (0.15 + 0.7 * away), foot, canvas.unit * size, night)
    _PAINTERS[scene.subject](place, scene.colour)


def _paint_lighthouse(place: Place, colour: Rgb | None) -> None:
    rock = mix(place.palette.land, (0, 0, 0), 0.15)
    place.shape([(-0.75, -0.4), (-0.55, -0.02), (-0.2, 0.1), (0.2, 0.09), (0.5, 0.0), (0.8, -0.4)], rock)
    red = colour or (196, 58, 48)
    for stripe in range(5):
        low, high = 0.06 + stripe * 0.13, 0.06 + (stripe + 1) * 0.13
        left, right = 0.1 - 0.05 * stripe / 5, 0.1 - 0.05 * (stripe + 1) / 5
        fill = red if stripe % 2 == 0 else (246, 242, 232)
        place.shape([(-left, low), (left, low), (right, high), (-right, high)], fill, smooth=False)
        place.shape([(left * 0.35, low), (left, low), (right, high), (right * 0.35, high)],
                    mix(fill, (30, 24, 48), 0.22), smooth=False)  # fmt: skip
    place.shape([(-0.075, 0.71), (0.075, 0.71), (0.075, 0.73), (-0.075, 0.73)], (52, 48, 60), smooth=False)
    lamp = (0.0, 0.775)
    ((x, y),) = place.at([lamp])
    place.canvas.glow((x, y), place.side * 0.42, (255, 232, 160), 0.85)
    place.shape([(-0.04, 0.73), (0.04, 0.73), (0.04, 0.82), (-0.04, 0.82)], (60, 54, 66), smooth=False)
    place.dot(lamp, 0.033, (255, 244, 196))
    place.shape([(-0.06, 0.82), (0.06, 0.82), (0.0, 0.9)], red, smooth=False)


def _paint_fox(place: Place, colour: Rgb | None) -> None:
    coat = colour or (222, 110, 44)
    dark, white = mix(coat, (40, 16, 10), 0.35), (250, 240, 226)
    place.shape([(0.12, 0.02), (0.36, 0.0), (0.56, 0.1), (0.6, 0.32), (0.48, 0.46), (0.44, 0.3), (0.3, 0.16)], dark)
    place.shape([(0.53, 0.24), (0.6, 0.32), (0.48, 0.47), (0.45, 0.34)], white)
    place.shape([(-0.17, 0.0), (-0.15, 0.3), (-0.1, 0.52), (0.08, 0.52), (0.26, 0.24), (0.27, 0.02), (0.05, 0.0)], coat)
    place.shape([(-0.13, 0.46), (-0.01, 0.48), (0.0, 0.26), (-0.07, 0.16), (-0.12, 0.28)], white)
    for foot in (-0.12, 0.0):
        place.shape([(foot - 0.045, 0.0), (foot - 0.035, 0.2), (foot + 0.035, 0.2), (foot + 0.045, 0.0)], dark)
    for ear in (-1, 1):
        points = [(-0.06 + ear * 0.17, 0.76), (-0.06 + ear * 0.17, 0.98), (-0.06 + ear * 0.03, 0.8)]
        place.shape(points, dark, smooth=False)
    place.shape([(-0.06, 0.46), (-0.16, 0.55), (-0.28, 0.66), (-0.2, 0.8), (-0.06, 0.84), (0.08, 0.8), (0.16, 0.66),
                 (0.04, 0.55)], coat)  # fmt: skip
    for side in (-1, 1):
        cheek = [(-0.06, 0.47), (-0.06 + side * 0.11, 0.55), (-0.06 + side * 0.21, 0.655), (-0.06 + side * 0.08, 0.64)]
        place.shape(cheek, white)
        place.dot((-0.06 + side * 0.085, 0.69), 0.02, (28, 20, 24))
        place.dot((-0.055 + side * 0.085, 0.696), 0.006, (255, 255, 255))
    place.dot((-0.06, 0.485), 0.025, (28, 20, 24))


def _paint_cat(place: Place, colour: Rgb | None) -> None:
    coat = colour or (92, 86, 104)
    dark = mix(coat, (16, 12, 24), 0.3)
    place.shape([(0.15, 0.02), (0.34, 0.02), (0.46, 0.16), (0.42, 0.42), (0.36, 0.42), (0.38, 0.2), (0.28, 0.1)], dark)
    place.shape([(-0.2, 0.0), (-0.17, 0.32), (-0.08, 0.56), (0.08, 0.56), (0.19, 0.32), (0.24, 0.0)], coat)
    for ear in (-1, 1):
        place.shape([(ear * 0.21, 0.72), (ear * 0.19, 0.97), (ear * 0.04, 0.83)], coat, smooth=False)
        place.shape([(ear * 0.18, 0.76), (ear * 0.17, 0.9), (ear * 0.08, 0.82)], (226, 150, 150), smooth=False)
    place.shape([(0.0, 0.5), (-0.18, 0.54), (-0.24, 0.68), (-0.14, 0.83), (0.14, 0.83), (0.24, 0.68), (0.18, 0.54)],
                coat)  # fmt: skip
    for side in (-1, 1):
        place.dot((side * 0.095, 0.69), 0.042, (226, 206, 92))
        place.shape([(side * 0.095, 0.655), (side * 0.095 + 0.014, 0.69), (side * 0.095, 0.725),
                     (side * 0.095 - 0.014, 0.69)], (20, 16, 24))  # fmt: skip
        place.shape([(side * 0.12 - 0.06, 0.0), (side * 0.1, 0.1), (side * 0.12 + 0.06, 0.0)], dark)
    place.shape([(-0.028, 0.62), (0.028, 0.62), (0.0, 0.59)], (226, 130, 136), smooth=False)


def _paint_boat(place: Place, colour: Rgb | None) -> None:
    reflection = mix(place.palette.land, place.palette.sky[2], 0.25)
    place.canvas.blob(place.at([(-0.4, -0.02), (0.0, -0.1), (0.42, -0.02), (0.0, 0.03)]), reflection)
    place.shape([(0.0, 0.16), (0.02, 0.16), (0.02, 1.0), (0.0, 1.0)], (74, 52, 40), smooth=False)
    place.shape([(0.04, 0.2), (0.04, 0.96), (0.22, 0.6), (0.36, 0.22)], colour or (250, 240, 222))
    place.shape([(-0.02, 0.22), (-0.02, 0.88), (-0.2, 0.5), (-0.3, 0.24)], mix(colour or (250, 240, 222),
                (60, 60, 110), 0.22))  # fmt: skip
    place.shape([(-0.42, 0.16), (0.44, 0.16), (0.3, 0.0), (-0.3, 0.0)], (120, 58, 46), smooth=False)
    place.shape([(-0.42, 0.16), (0.44, 0.16), (0.42, 0.12), (-0.4, 0.12)], (236, 222, 198), smooth=False)


def _paint_house(place: Place, colour: Rgb | None) -> None:
    wall, roof = (244, 232, 210), colour or (168, 66, 52)
    place.shape([(-0.4, 0.0), (0.4, 0.0), (0.4, 0.5), (-0.4, 0.5)], wall, smooth=False)
    place.shape([(0.16, 0.66), (0.28, 0.66), (0.28, 1.0), (0.16, 1.0)], mix(wall, (80, 50, 50), 0.5), smooth=False)
    place.shape([(-0.5, 0.46), (0.5, 0.46), (0.3, 0.88), (-0.3, 0.88)], roof, smooth=False)
    place.shape([(-0.07, 0.0), (0.09, 0.0), (0.09, 0.3), (-0.07, 0.3)], (104, 70, 52), smooth=False)
    for x in (-0.29, 0.19):
        place.canvas.draw.polygon(place.at([(x, 0.17), (x + 0.13, 0.17), (x + 0.13, 0.34), (x, 0.34)]),
                                  fill=(255, 218, 128))  # fmt: skip


def _paint_balloon(place: Place, colour: Rgb | None) -> None:
    first = colour or (220, 82, 66)
    second = mix(first, (255, 236, 190), 0.72)
    outline = [(0.0, 0.24), (-0.2, 0.42), (-0.34, 0.68), (-0.24, 0.93), (0.0, 1.02), (0.24, 0.93), (0.34, 0.68),
               (0.2, 0.42)]  # fmt: skip
    for share, fill in ((1.0, first), (0.72, second), (0.42, first), (0.14, second)):
        place.shape([(x * share, y) for x, y in outline], fill)
    for x in (-0.07, 0.07):
        (ax, ay), (bx, by) = place.at([(x * 0.9, 0.14), (x * 1.2, 0.33)])
        place.canvas.draw.line((ax, ay, bx, by), fill=(70, 54, 48), width=max(1, round(place.side / 150)))
    place.shape([(-0.075, 0.02), (0.075, 0.02), (0.085, 0.15), (-0.085, 0.15)], (130, 88, 54), smooth=False)


def _paint_birds(place: Place, colour: Rgb | None) -> None:
    fill = colour or mix(place.palette.land, (20, 20, 30), 0.4)
    for number in range(7):
        rank = (number + 1) // 2 * (1 if number % 2 else -1)
        x, y, wing = rank * 0.13, 0.75 - abs(rank) * 0.1, 0.075
        points = [(x - wing, y + 0.035), (x - wing * 0.4, y + 0.045), (x, y), (x + wing * 0.4, y + 0.045),
                  (x + wing, y + 0.035), (x + wing * 0.4, y + 0.028), (x, y - 0.022),
                  (x - wing * 0.4, y + 0.028)]  # fmt: skip
        place.shape(points, fill, smooth=False)


def _paint_tree(place: Place, colour: Rgb | None) -> None:
    trunk, leaves = mix(place.palette.land, (70, 44, 30), 0.6), colour or (96, 140, 70)
    place.shape([(-0.06, 0.0), (-0.03, 0.45), (-0.16, 0.62), (0.0, 0.52), (0.14, 0.64), (0.03, 0.45), (0.07, 0.0)],
                trunk, smooth=False)  # fmt: skip
    rng = place.canvas.rng
    for number in range(90):
        lit = number / 90
        x, y = _within(rng.gauss(0, 0.13), 0.3), 0.74 + _within(rng.gauss(0, 0.075), 0.17) * (1.0 - 0.2 * lit)
        fill = mix(mix(leaves, (16, 24, 40), 0.42 * (1 - lit)), place.palette.light, 0.22 * lit * (y - 0.4))
        fill = mix(fill, place.palette.land, 0.5 if place.night else 0.1)
        place.dot((x + 0.03 * lit, y + 0.05 * lit), rng.uniform(0.035, 0.085) * (1.2 - 0.7 * lit), fill)


def _within(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))


_PAINTERS: dict[Subject, Callable[[Place, Rgb | None], None]] = {
    "lighthouse": _paint_lighthouse,
    "fox": _paint_fox,
    "cat": _paint_cat,
    "boat": _paint_boat,
    "house": _paint_house,
    "balloon": _paint_balloon,
    "birds": _paint_birds,
    "tree": _paint_tree,
}
