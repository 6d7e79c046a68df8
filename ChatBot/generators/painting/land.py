"""The ground between here and the horizon: ridges, trees, houses of a city, dunes, and water that mirrors it all."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageFilter

from ChatBot.generators.painting.canvas import Canvas, fractal_line
from ChatBot.generators.painting.palette import Palette, mix
from ChatBot.generators.painting.scene import Rgb, Scene

_RELIEF = {"sea": (0.05, 0.3), "mountain": (0.3, 1.0), "forest": (0.07, 0.6), "city": (0.03, 0.2)}
_FLAT_RELIEF = (0.05, 0.0)
"""Per place: height of the ridges as a share of the sheet, and their roughness."""
_NEAR_RELIEF = {"desert": 0.15, "mountain": 0.08}


def paint_far_land(canvas: Canvas, scene: Scene, palette: Palette) -> None:
    """Paint what stands on the horizon, farthest first."""
    horizon = canvas.height * scene.horizon
    relief, roughness = _RELIEF.get(scene.place, _FLAT_RELIEF)
    layers = 2 if scene.place == "sea" else 3
    for layer in range(layers):
        depth = 1 - layer / layers
        height = relief * (0.25 + 0.75 * depth**2)
        heights = _ridge(canvas, horizon + canvas.height * 0.012 * layer, height, roughness * depth)
        if scene.place == "mountain" and layer == 0:
            _paint_peaks(canvas, heights, palette, horizon)
        else:
            canvas.ridge(heights, palette.layer(depth))
        if scene.place in {"forest", "mountain"} and layer > 0:
            size = 0.045 + 0.035 * layer if scene.place == "forest" else 0.03 + 0.012 * layer
            _paint_conifers(canvas, heights, palette.layer(depth), size)
        if scene.place == "city":
            _paint_buildings(canvas, horizon, palette.layer(depth), layer, lit=scene.hour in {"night", "dusk"})
        canvas.veil(palette.haze, horizon - canvas.height * 0.1, horizon + canvas.height * 0.02, 0.34 * depth)


def paint_water(canvas: Canvas, scene: Scene, palette: Palette) -> None:
    """Mirror the upper part below the horizon, darker, rippled, with a path of light."""
    horizon = round(canvas.height * scene.horizon)
    depth = canvas.height - horizon
    mirrored = canvas.image.crop((0, max(0, horizon - round(depth * 1.5)), canvas.width, horizon))
    small = mirrored.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((canvas.width // 4, max(1, depth // 4)))
    water = small.filter(ImageFilter.GaussianBlur(2)).resize((canvas.width, depth), Image.Resampling.BILINEAR)
    tint = Image.new("RGB", water.size, mix(palette.land, palette.sky[1], 0.5))
    canvas.image.paste(Image.blend(water, tint, 0.34), (0, horizon))
    canvas.draw.line((0, horizon, canvas.width, horizon), fill=mix(palette.haze, palette.light, 0.3), width=2)
    _paint_ripples(canvas, scene, palette, horizon)


def paint_near_land(canvas: Canvas, scene: Scene, palette: Palette) -> float:
    """Paint the ground at the lower edge and return the height (pixels) of its top in the middle."""
    top = canvas.height * (0.9 if scene.has_water else scene.horizon + 0.1)
    rows = 1 if scene.has_water else 3
    heights: list[float] = []
    for row in range(rows):
        share = (row + 1) / rows
        base = top + (canvas.height * 0.9 - top) * row / max(1, rows - 1) if rows > 1 else top
        heights = _ridge(canvas, base, 0.035 if scene.has_water else _NEAR_RELIEF.get(scene.place, 0.055), 0.0)
        colour = mix(palette.layer(0.4 * (1 - share)), palette.light, 0.0 if scene.hour == "night" else 0.06)
        canvas.ridge(heights, colour)
        if scene.place == "meadow" and scene.hour != "night":
            _paint_flowers(canvas, base, share)
        if scene.place == "forest" and row == 0 and not scene.has_water:
            _paint_conifers(canvas, heights, palette.layer(0.2), 0.17, gap=(0.3, 0.75))
    return heights[len(heights) // 2]


def _ridge(canvas: Canvas, base: float, relief: float, roughness: float) -> list[float]:
    line = fractal_line(canvas.rng, roughness)
    low, high = min(line), max(line)
    # Stretched to the full relief: chance alone makes a plain of every third mountain range.
    return [base - relief * canvas.height * (height - low) / (high - low) for height in line]


def _paint_peaks(canvas: Canvas, heights: Sequence[float], palette: Palette, horizon: float) -> None:
    body = palette.layer(0.72)
    canvas.ridge(heights, body)
    step = canvas.width / (len(heights) - 1)
    snow_line = min(heights) + (horizon - min(heights)) * 0.42
    snow = mix(palette.haze, (255, 255, 255), 0.65)
    edge = [min(snow_line, height) if height > snow_line else snow_line for height in heights]
    for position in range(len(heights) - 1):
        if heights[position] < snow_line:
            jag = canvas.rng.uniform(-0.3, 0.25) * (snow_line - heights[position])
            x = position * step
            lower = edge[position] + jag
            canvas.draw.polygon(
                [(x, heights[position]), (x + step + 1, heights[position + 1]), (x + step + 1, lower), (x, lower)],
                fill=snow,
            )


def _paint_conifers(
    canvas: Canvas, heights: Sequence[float], colour: Rgb, size: float, gap: tuple[float, float] = (2, 2)
) -> None:
    rng = canvas.rng
    x = 0.0
    while x < canvas.width:
        tall = canvas.height * size * rng.uniform(0.6, 1.15)
        if not gap[0] < x / canvas.width < gap[1]:
            ground = heights[min(len(heights) - 1, int(x / canvas.width * len(heights)))] + tall * 0.12
            shade = mix(colour, (0, 0, 0), rng.uniform(0, 0.22))
            _paint_conifer(canvas, x, ground, tall, shade)
        x += tall * rng.uniform(0.2, 0.5)


def _paint_conifer(canvas: Canvas, x: float, ground: float, tall: float, colour: Rgb) -> None:
    for tier in range(4):
        top = ground - tall * (1 - tier * 0.22)
        half = tall * (0.09 + 0.05 * tier)
        canvas.draw.polygon([(x, top), (x - half, top + tall * 0.36), (x + half, top + tall * 0.36)], fill=colour)
    canvas.draw.rectangle((x - tall * 0.02, ground - tall * 0.1, x + tall * 0.02, ground), fill=colour)


def _paint_buildings(canvas: Canvas, horizon: float, colour: Rgb, layer: int, *, lit: bool) -> None:
    rng, x = canvas.rng, 0.0
    while x < canvas.width:
        wide = canvas.unit * rng.uniform(0.03, 0.075)
        centre = 1 - abs(x / canvas.width - 0.5) * 1.3
        tall = canvas.height * rng.uniform(0.06, 0.3 - 0.05 * layer) * (0.45 + 0.75 * centre)
        canvas.draw.rectangle((x, horizon - tall, x + wide, canvas.height), fill=colour)
        if tall > canvas.height * 0.2:
            canvas.draw.line((x + wide / 2, horizon - tall * 1.15, x + wide / 2, horizon - tall), fill=colour, width=4)
        if layer > 0:
            _paint_windows(canvas, (x, horizon - tall, wide, tall), colour, lit=lit)
        x += wide * rng.uniform(0.85, 1.25)


def _paint_windows(canvas: Canvas, box: tuple[float, float, float, float], colour: Rgb, *, lit: bool) -> None:
    x, top, wide, tall = box
    side = canvas.unit * 0.0075
    pane = (255, 214, 130) if lit else mix(colour, (255, 255, 255), 0.28)
    for row in range(1, int(tall / (side * 2.2))):
        for column in range(int(wide / (side * 2)) - 1):
            if canvas.rng.random() < 0.42:
                left, upper = x + side * (1 + 2 * column), top + row * side * 2.2
                canvas.draw.rectangle((left, upper, left + side, upper + side * 1.2), fill=pane)


def _paint_flowers(canvas: Canvas, base: float, share: float) -> None:
    rng = canvas.rng
    colours: tuple[Rgb, ...] = ((246, 214, 92), (240, 120, 130), (250, 246, 240), (178, 130, 214), (236, 92, 72))
    for _ in range(260):
        y = base + canvas.height * rng.uniform(0.0, 0.16) * (0.4 + share)
        canvas.disc((rng.uniform(0, canvas.width), y), canvas.unit * (0.0018 + 0.004 * share), rng.choice(colours))


def _paint_ripples(canvas: Canvas, scene: Scene, palette: Palette, horizon: int) -> None:
    rng, depth = canvas.rng, canvas.height - horizon
    light_x = canvas.width * scene.light_x
    for _ in range(300):
        nearness = rng.random() ** 1.3
        y = horizon + depth * nearness
        in_path = rng.random() < 0.55
        x = rng.gauss(light_x, canvas.unit * (0.02 + 0.09 * nearness)) if in_path else rng.uniform(0, canvas.width)
        half = canvas.unit * (0.006 + 0.04 * nearness * rng.random())
        high = max(1.0, canvas.unit * 0.0022 * (0.4 + nearness))
        colour = mix(palette.light, palette.sky[3], 0.25) if in_path else mix(palette.land, palette.sky[2], 0.55)
        canvas.draw.ellipse((x - half, y - high, x + half, y + high), fill=colour)
