"""The label that says a picture is a demo, and what was asked for."""

from __future__ import annotations

from functools import cache

from PIL import Image, ImageDraw, ImageFont

LABEL = "demo"
PROMPT_CHARACTERS = 48


def label(image: Image.Image, prompt: str) -> None:
    """Write the label into the lower left corner; a prompt with letters that the font lacks is left out, not boxed."""
    size = max(10, round(min(image.size) / 42))
    font = _font(size)
    text = LABEL
    if is_writable(prompt):
        short = " ".join(prompt.split())
        short = short if len(short) <= PROMPT_CHARACTERS else short[: PROMPT_CHARACTERS - 3].rstrip() + "..."
        longer = f"{LABEL}  {short}" if short else LABEL
        text = longer if font.getlength(longer) < image.width - 4 * size else LABEL
    _write(image, text, font, size)


def is_writable(text: str) -> bool:
    """Say whether the built-in font, the one that is there on every machine, has all letters of ``text``."""
    return all(_has_glyph(character) for character in set(text) if not character.isspace())


def _write(image: Image.Image, text: str, font: ImageFont.FreeTypeFont, size: int) -> None:
    width, margin = round(font.getlength(text)), round(size * 0.9)
    box = (margin, image.height - margin - 2 * size, margin + width + 2 * size, image.height - margin)
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius=size, fill=120)
    image.paste((12, 14, 24), (0, 0), mask)
    draw = ImageDraw.Draw(image)
    draw.text((box[0] + size, (box[1] + box[3]) / 2), text, font=font, fill=(255, 255, 255), anchor="lm")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType")  # its wheels never are
    return font


@cache
def _has_glyph(character: str) -> bool:
    font = _font(20)
    # U+FFFF is no character in any font: what is drawn for it is what stands for every missing letter.
    return bytes(font.getmask(character)) != bytes(font.getmask("\uffff"))
