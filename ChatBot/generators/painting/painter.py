"""Paints a whole picture, stage by stage."""

from __future__ import annotations

import random
from collections.abc import Callable

from PIL import Image

from ChatBot.generators.painting.canvas import Canvas
from ChatBot.generators.painting.land import paint_far_land, paint_near_land, paint_water
from ChatBot.generators.painting.lettering import label
from ChatBot.generators.painting.palette import palette_of
from ChatBot.generators.painting.scene import imagine
from ChatBot.generators.painting.sky import paint_sky, paint_weather
from ChatBot.generators.painting.subjects import paint_subject

STAGES = 4
"""How often ``on_stage`` is called."""


def paint(prompt: str, seed: int, size: tuple[int, int], on_stage: Callable[[], None]) -> Image.Image:
    """Return an RGB picture of ``size`` pixels; the same prompt, seed and size give the same picture.

    ``on_stage`` is called after each stage; what it raises ends the painting.
    """
    rng = random.Random(f"{seed}:{prompt}")  # noqa: S311 - chance for a picture, not for a secret
    scene = imagine(prompt, rng)
    palette = palette_of(scene)
    canvas = Canvas(*size, rng)
    paint_sky(canvas, scene, palette)
    on_stage()
    paint_far_land(canvas, scene, palette)
    if scene.has_water:
        paint_water(canvas, scene, palette)
    on_stage()
    ground = paint_near_land(canvas, scene, palette)
    paint_subject(canvas, scene, palette, ground)
    on_stage()
    paint_weather(canvas, scene)
    picture = canvas.finished()
    label(picture, prompt)
    on_stage()
    return picture
