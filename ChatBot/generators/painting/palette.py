"""The colours of a scene: four hours of the day, leaning warmer or colder from picture to picture."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

from ChatBot.generators.painting.scene import Hour, Rgb, Scene


@dataclass(frozen=True)
class Palette:
    """``sky`` from the zenith to the horizon; ``land`` is the colour of the nearest ground."""

    sky: tuple[Rgb, Rgb, Rgb, Rgb]
    light: Rgb
    cloud: Rgb
    land: Rgb

    @property
    def haze(self) -> Rgb:
        """What far things fade into: the sky just above the horizon."""
        return self.sky[-1]

    def layer(self, depth: float) -> Rgb:
        """Return the colour of ground at ``depth``: 0 is here, 1 is on the horizon."""
        return mix(self.land, self.haze, 0.12 + 0.76 * depth)


_HOURS: dict[Hour, Palette] = {
    "dawn": Palette(
        ((96, 132, 188), (164, 178, 214), (246, 202, 196), (255, 226, 188)),
        (255, 246, 220),
        (255, 238, 228),
        (62, 76, 98),
    ),
    "day": Palette(
        ((38, 108, 190), (92, 160, 222), (160, 206, 238), (222, 238, 244)),
        (255, 252, 232),
        (255, 255, 255),
        (46, 94, 78),
    ),
    "dusk": Palette(
        ((38, 36, 92), (124, 62, 128), (236, 112, 96), (255, 190, 110)), (255, 240, 196), (255, 158, 122), (38, 28, 58)
    ),
    "night": Palette(
        ((8, 12, 36), (18, 30, 72), (38, 62, 116), (84, 116, 160)), (246, 244, 224), (66, 84, 130), (10, 18, 36)
    ),
}


def palette_of(scene: Scene) -> Palette:
    """Return the palette of the scene's hour, leaned by its warmth and by its place."""
    base = _HOURS[scene.hour]
    turn = 0.035 * scene.warmth
    land = base.land
    if scene.place == "desert":
        land = mix(land, (176, 104, 58), 0.55)
    if scene.snow:
        land = mix(land, (214, 226, 240), 0.62 if scene.hour != "night" else 0.35)
    sky0, sky1, sky2, sky3 = (_turned(colour, turn) for colour in base.sky)
    return Palette((sky0, sky1, sky2, sky3), base.light, _turned(base.cloud, turn), _turned(land, turn / 2))


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """Return the colour that is ``share`` (0 to 1) of the way from ``first`` to ``second``."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _turned(colour: Rgb, turn: float) -> Rgb:
    hue, lightness, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in colour))
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb((hue + turn) % 1, lightness, saturation))
    return red, green, blue
