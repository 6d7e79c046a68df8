"""What a prompt's words ask for, and what chance adds to it, as one frozen description of a scene."""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, TypeVar

Key = TypeVar("Key", bound=str)
Rgb = tuple[int, int, int]
Hour = Literal["dawn", "day", "dusk", "night"]
Place = Literal["sea", "mountain", "forest", "city", "desert", "meadow"]
Subject = Literal["lighthouse", "fox", "cat", "boat", "house", "balloon", "birds", "tree"]

_HOURS: dict[Hour, str] = {
    "night": "night midnight moon moonlit moonlight star stars starry galaxy aurora neon đêm trăng sao",
    "dusk": "dusk sunset evening twilight golden hoàng hôn chiều",
    "dawn": "dawn sunrise morning mist misty fog foggy bình minh sương",
    "day": "day noon sun sunny summer blue bright spring nắng ngày trưa",
}
_PLACES: dict[Place, str] = {
    "sea": "sea ocean beach coast harbour harbor lake river water island wave waves ship boat lighthouse whale fish "
    "biển hồ sông đảo sóng thuyền đăng",
    "mountain": "mountain mountains peak alps hill hills valley snow snowy glacier dragon castle núi đồi tuyết",
    "forest": "forest wood woods tree trees jungle pine fox bear deer wolf autumn rừng cây cáo",
    "city": "city town street skyline tokyo hanoi london paris skyscraper cyberpunk robot car neon phố",
    "desert": "desert dune dunes sand sahara camel pyramid mars sa mạc cát",
    "meadow": "meadow field garden flower flowers farm village horse cat dog house hoa đồng vườn mèo chó nhà",
}
_SUBJECTS: dict[Subject, str] = {
    "lighthouse": "lighthouse beacon đăng",
    "fox": "fox foxes wolf cáo",
    "cat": "cat cats kitten mèo",
    "boat": "boat ship sail sailboat yacht thuyền",
    "house": "house cottage cabin hut home village castle nhà",
    "balloon": "balloon balloons airship khinh",
    "birds": "bird birds seagull seagulls eagle swan chim",
    "tree": "tree oak cherry blossom willow cây",
}
_COLOURS: dict[str, Rgb] = {
    "red": (206, 66, 48),
    "đỏ": (206, 66, 48),
    "orange": (232, 126, 44),
    "cam": (232, 126, 44),
    "yellow": (240, 196, 64),
    "vàng": (240, 196, 64),
    "green": (74, 142, 84),
    "lục": (74, 142, 84),
    "blue": (58, 108, 190),
    "xanh": (58, 108, 190),
    "purple": (128, 84, 172),
    "violet": (128, 84, 172),
    "tím": (128, 84, 172),
    "pink": (236, 132, 168),
    "hồng": (236, 132, 168),
    "white": (240, 238, 230),
    "trắng": (240, 238, 230),
    "black": (44, 42, 52),
    "đen": (44, 42, 52),
}
_SUBJECTS_BY_CHANCE: dict[Place, tuple[Subject, ...]] = {
    "sea": ("boat", "birds", "lighthouse"),
    "mountain": ("tree", "birds", "balloon", "house"),
    "forest": ("birds", "house", "balloon"),
    "city": ("birds", "balloon"),
    "desert": ("balloon", "birds"),
    "meadow": ("tree", "house", "balloon"),
}
_ON_THE_WATER: frozenset[Subject] = frozenset({"boat"})


@dataclass(frozen=True)
class Scene:
    """Everything that is decided before the first stroke. ``horizon`` and ``light_x`` are shares of height and width."""

    hour: Hour
    place: Place
    subject: Subject
    colour: Rgb | None
    snow: bool
    rain: bool
    lake: bool
    horizon: float
    light_x: float
    warmth: float
    """From -1 (colder) to 1 (warmer): how far the palette leans from its usual colours."""

    @property
    def has_water(self) -> bool:
        """Whether the lower part is water that mirrors the upper one."""
        return self.place == "sea" or self.lake or self.subject in _ON_THE_WATER


def imagine(prompt: str, rng: random.Random) -> Scene:
    """Return the scene that ``prompt`` names; ``rng`` decides what it leaves open."""
    words = re.findall(r"\w+", unicodedata.normalize("NFC", prompt).lower())
    place = _first(_PLACES, words) or rng.choice(list(_PLACES))
    subject = _first(_SUBJECTS, words) or rng.choice(_SUBJECTS_BY_CHANCE[place])
    return Scene(
        hour=_first(_HOURS, words) or rng.choice(list(_HOURS)),
        place="sea" if subject == "lighthouse" else place,
        subject=subject,
        colour=next((_COLOURS[word] for word in words if word in _COLOURS), None),
        snow=any(word in {"snow", "snowy", "winter", "tuyết", "ice"} for word in words),
        rain=any(word in {"rain", "rainy", "storm", "mưa"} for word in words),
        lake=place in {"mountain", "forest", "city"} and rng.random() < 0.6,
        horizon=rng.uniform(0.56, 0.66),
        light_x=rng.choice((rng.uniform(0.16, 0.4), rng.uniform(0.6, 0.84))),
        warmth=rng.uniform(-1, 1),
    )


def _first(table: dict[Key, str], words: list[str]) -> Key | None:
    """Return the key whose words include the earliest matching word of the prompt."""
    lookup = {word: key for key, text in table.items() for word in text.split()}
    return next((lookup[word] for word in words if word in lookup), None)
