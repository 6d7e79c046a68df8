"""The card that other sites show for a link: 1200 x 630 pixels, a title and, if there is one, a picture."""

from __future__ import annotations

import unicodedata
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from ChatBot.errors import PictureRefused
from ChatBot.media.containers import sniff
from ChatBot.media.encoders import jpeg
from ChatBot.media.inspection import decoding_errors, decoding_slot
from ChatBot.media.pixels import displayable, to_srgb

SIZE = (1200, 630)
"""Pixels, 1.91 : 1: what Open Graph previews are shown at without being cropped."""
QUALITY = 85
MIME_TYPE = "image/jpeg"
FONT = Path(__file__).parent / "fonts" / "be-vietnam-pro-0.4.1" / "BeVietnamPro_600SemiBold.ttf"
"""Stands beside the code, for the font inside Pillow lacks most letters of Vietnamese."""
GROUND, INK, SOFT, ACCENT = "#14181a", "#f3f6f4", "#9fb3ac", "#1f6f62"
MARGIN = 64
LINES = 4
TITLE_SIZE, NAME_SIZE = 54, 34


def draw_card(title: str, name: str, picture: bytes | None = None) -> bytes:
    """Return a JPEG with a title and the name of the site; ``picture`` is one that a picture store could have.

    Letters that the font lacks are left out. Raises ``PictureRefused`` when the picture cannot be decoded.
    """
    with decoding_slot():
        card = Image.new("RGB", SIZE, GROUND)
        width = SIZE[0] - 2 * MARGIN
        if picture is not None:
            side = SIZE[1]
            card.paste(_square(picture, side), (SIZE[0] - side, 0))
            width -= side
        draw = ImageDraw.Draw(card)
        draw.rectangle((MARGIN, MARGIN, MARGIN + 96, MARGIN + 8), fill=ACCENT)
        lines = wrapped(writable(title), width)
        draw.multiline_text((MARGIN, MARGIN + 48), "\n".join(lines), font=_font(TITLE_SIZE), fill=INK, spacing=18)
        draw.text((MARGIN, SIZE[1] - MARGIN), name, font=_font(NAME_SIZE), fill=SOFT, anchor="ls")
        return jpeg(card, QUALITY, full_colour=True)


def writable(text: str) -> str:
    """Return the text on one line, composed, and without the characters that the font has no letter for."""
    composed = unicodedata.normalize("NFC", " ".join(text.split()))
    return " ".join("".join(each for each in composed if each == " " or _has_letter(each)).split())


def wrapped(text: str, width: int) -> list[str]:
    """Break a text into at most ``LINES`` lines of so many pixels; what is too much ends in an ellipsis."""
    font = _font(TITLE_SIZE)
    lines: list[str] = []
    rest = text
    while rest and len(lines) < LINES:
        fits = _longest(rest, width)
        if fits == len(rest):
            lines.append(rest)
            return lines
        space = rest.rfind(" ", 0, fits + 1)
        end = space if space > 0 else fits  # one word longer than a line is cut
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    if rest:
        last = lines.pop()
        while last and font.getlength(f"{last}…") > width:
            last = last[:-1].rstrip()
        lines.append(f"{last}…")
    return lines


def _longest(text: str, width: int) -> int:
    """Return how many characters fit, at least one."""
    font = _font(TITLE_SIZE)
    return next((count for count in range(len(text), 1, -1) if font.getlength(text[:count]) <= width), 1)


def _square(data: bytes, side: int) -> Image.Image:
    picture_format = sniff(data)
    if picture_format is None:
        raise PictureRefused("The file is not a picture.", reason="format")
    with decoding_errors():
        image = Image.open(BytesIO(data), formats=[picture_format])
        image.draft(None, (side, side))
        cropped = ImageOps.fit(displayable(image), (side, side), Image.Resampling.HAMMING)
    if cropped.mode == "RGBA":
        laid = Image.new("RGBA", cropped.size, GROUND)
        laid.alpha_composite(cropped)
        cropped = laid
    return to_srgb(cropped).convert("RGB")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)


@cache
def _missing() -> bytes:
    """Return what is drawn for a character that no font has."""
    return bytes(_font(20).getmask("\uffff"))


def _has_letter(character: str) -> bool:
    return bytes(_font(20).getmask(character)) != _missing()
