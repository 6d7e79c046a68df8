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
    "night": "night midnight moon moonlit moonlight star stars starry galaxy aurora đêm trăng sao",
    "dusk": "dusk sunset evening twilight golden hoàng hôn chiều",
    "dawn": "dawn sunrise morning mist misty fog foggy bình minh sương",
    "day": "day noon sun sunny summer blue bright spring nắng ngày trưa",
}
_PLACES: dict[Place, str] = {
    "sea": "sea ocean beach coast harbour harbor island wave waves ship whale fish biển đảo sóng",
    "mountain": "mountain mountains peak alps hill hills valley glacier dragon núi đồi",
    "forest": "forest wood woods trees jungle pine bear deer wolf autumn rừng",
    "city": "city town street skyline tokyo hanoi london paris skyscraper cyberpunk robot car neon phố",
    "desert": "desert dune dunes sand sahara camel pyramid mars mạc cát",
    "meadow": "meadow field garden flower flowers farm village horse dog hoa đồng vườn chó",
}
_WATER = frozenset({"lake", "river", "water", "pond", "hồ", "sông"})
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
_HOMES: dict[Subject, Place] = {"lighthouse": "sea", "boat": "sea", "fox": "forest", "cat": "meadow", "house": "meadow"}
"""Where a subject stands when the prompt names it and no place."""
_HOURS_BY_CHANCE: tuple[Hour, ...] = ("dawn", "day", "day", "dusk", "dusk", "night")


@dataclass(frozen=True)
class Scene:
    """Everything that is decided before the first stroke.

    ``horizon`` and ``light_x`` are shares of the height and the width.
    """

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
        return self.place == "sea" or self.lake or self.subject == "boat"


def imagine(prompt: str, rng: random.Random) -> Scene:
    """Return the scene that ``prompt`` names; ``rng`` decides what it leaves open."""
    words = re.findall(r"\w+", unicodedata.normalize("NFC", prompt).lower())
    named = _named(_SUBJECTS, words)
    homes = [_HOMES[subject] for subject in named if subject in _HOMES]
    place = (_named(_PLACES, words) + homes + [rng.choice(list(_PLACES))])[0]
    subject = [*named, rng.choice(_SUBJECTS_BY_CHANCE[place])][0]
    lake_by_chance = place == "city" or (place in {"mountain", "forest"} and rng.random() < 0.5)
    return Scene(
        hour=[*_named(_HOURS, words), rng.choice(_HOURS_BY_CHANCE)][0],
        place="sea" if subject == "lighthouse" else place,
        subject=subject,
        colour=next((_COLOURS[word] for word in words if word in _COLOURS), None),
        snow=any(word in {"snow", "snowy", "winter", "tuyết", "ice"} for word in words),
        rain=any(word in {"rain", "rainy", "storm", "mưa"} for word in words),
        lake=lake_by_chance or not _WATER.isdisjoint(words),
        horizon=rng.uniform(0.56, 0.66),
        light_x=rng.choice((rng.uniform(0.16, 0.4), rng.uniform(0.6, 0.84))),
        warmth=rng.uniform(-1, 1),
    )


def _named(table: dict[Key, str], words: list[str]) -> list[Key]:
    """Return the keys whose words the prompt has, in the prompt's order."""
    lookup = {word: key for key, text in table.items() for word in text.split()}
    return [lookup[word] for word in words if word in lookup]
