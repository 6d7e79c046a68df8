"""The upper part: sky, sun or moon, stars, clouds, and the weather that falls from them."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFilter

from ChatBot.generators.painting.canvas import Canvas
from ChatBot.generators.painting.palette import Palette, mix
from ChatBot.generators.painting.scene import Scene

_LIGHT_HEIGHTS = {"dawn": 0.8, "day": 0.28, "dusk": 0.84, "night": 0.34}
"""How far down the way from the top to the horizon the sun or the moon stands."""


def paint_sky(canvas: Canvas, scene: Scene, palette: Palette) -> None:
    """Fill everything down to the horizon."""
    horizon = round(canvas.height * scene.horizon)
    canvas.gradient(palette.sky, 0, horizon + 2)
    canvas.draw.rectangle((0, horizon, canvas.width, canvas.height), fill=palette.haze)
    if scene.hour in {"night", "dusk"}:
        _paint_stars(canvas, horizon, 260 if scene.hour == "night" else 50)
    _paint_light(canvas, scene, palette, horizon)
    _paint_clouds(canvas, scene, palette, horizon)


def paint_weather(canvas: Canvas, scene: Scene) -> None:
    """Let it rain or snow over everything."""
    rng, unit = canvas.rng, canvas.unit
    for _ in range(420 if scene.snow else 520 if scene.rain else 0):
        x, y = rng.uniform(0, canvas.width), rng.uniform(0, canvas.height)
        if scene.snow:
            canvas.disc((x, y), unit * rng.choice((0.0012, 0.002, 0.0034)), (250, 252, 255))
        else:
            line = (x, y, x - unit * 0.008, y + unit * 0.035)
            canvas.draw.line(line, fill=(188, 204, 222), width=max(1, round(unit / 900)))


def _paint_stars(canvas: Canvas, horizon: int, count: int) -> None:
    rng = canvas.rng
    for _ in range(count):
        x, y = rng.uniform(0, canvas.width), horizon * rng.random() ** 1.5 * 0.9
        radius = canvas.unit * rng.choice((0.0007, 0.0007, 0.001, 0.0018))
        sky = canvas.image.getpixel((int(x), int(y)))
        assert isinstance(sky, tuple)  # noqa: S101 - an RGB sheet has tuples; this is for the type checker
        canvas.disc((x, y), radius, mix((sky[0], sky[1], sky[2]), (255, 250, 236), rng.uniform(0.4, 1.0)))


def _paint_light(canvas: Canvas, scene: Scene, palette: Palette, horizon: int) -> None:
    unit = canvas.unit
    centre = (canvas.width * scene.light_x, horizon * _LIGHT_HEIGHTS[scene.hour])
    night = scene.hour == "night"
    warm = mix(palette.light, palette.sky[2], 0.35)
    canvas.glow(centre, unit * 0.62, warm, 0.4 if night else 0.75)
    canvas.glow(centre, unit * 0.2, palette.light, 0.45 if night else 0.8)
    radius = unit * (0.05 if night else 0.062)
    canvas.disc(centre, radius, palette.light)
    if night:
        shade = mix(palette.light, palette.sky[2], 0.2)
        for dx, dy, size in ((-0.3, -0.2, 0.26), (0.25, 0.3, 0.2), (0.3, -0.35, 0.13), (-0.1, 0.45, 0.12)):
            canvas.disc((centre[0] + dx * radius, centre[1] + dy * radius), size * radius, shade)


def _paint_clouds(canvas: Canvas, scene: Scene, palette: Palette, horizon: int) -> None:
    rng = canvas.rng
    mask = Image.new("L", (256, 160))
    draw = ImageDraw.Draw(mask)
    flat = scene.hour in {"dusk", "dawn", "night"}
    for _ in range(rng.randint(3, 6)):
        x, y = rng.uniform(0, 256), rng.uniform(12, 120)
        for _ in range(9):
            dx, dy = rng.gauss(0, 22 if flat else 13), rng.gauss(0, 2.5 if flat else 4)
            wide, high = rng.uniform(9, 26) * (1.6 if flat else 1), rng.uniform(1.5, 4) if flat else rng.uniform(4, 9)
            box = (x + dx - wide, y + dy - high, x + dx + wide, y + dy + high)
            draw.ellipse(box, fill=rng.randint(70, 190))
    soft = mask.filter(ImageFilter.GaussianBlur(2.2 if flat else 3.2))
    soft = soft.point(lambda value: value * (0.35 if scene.hour == "night" else 0.72))
    canvas.image.paste(palette.cloud, (0, 0), soft.resize((canvas.width, horizon), Image.Resampling.BICUBIC))
