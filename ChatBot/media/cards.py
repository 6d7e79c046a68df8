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
COVER_SIZE = (SIZE[1], SIZE[1])
COVER_BYTES = 3 * COVER_SIZE[0] * COVER_SIZE[1]
QUALITY = 85
MIME_TYPE = "image/jpeg"
FONT = Path(__file__).parent / "fonts" / "be-vietnam-pro-0.4.1" / "BeVietnamPro_600SemiBold.ttf"
"""Stands beside the code, for the font inside Pillow lacks most letters of Vietnamese."""
GROUND, INK, SOFT, ACCENT = "#14181a", "#f3f6f4", "#9fb3ac", "#1f6f62"
MARGIN = 64
LINES = 4
TITLE_SIZE, NAME_SIZE = 54, 34


def cover(data: bytes, *, max_pixels: int) -> bytes:
    """Return the middle of a stored picture as a card shows it: a square as high as the card, three bytes a pixel.

    Raises ``PictureRefused`` when it cannot be decoded or has more than ``max_pixels`` pixels.
    """
    picture_format = sniff(data)
    if picture_format is None:
        raise PictureRefused("The file is not a picture.", reason="format")
    with decoding_slot(), decoding_errors():
        image = Image.open(BytesIO(data), formats=[picture_format])
        if image.width * image.height > max_pixels:
            raise PictureRefused(f"The picture has more than {max_pixels:,} pixels.", reason="pixels")
        image.draft(None, COVER_SIZE)
        cropped = ImageOps.fit(displayable(image), COVER_SIZE, Image.Resampling.HAMMING)
        return _opaque(cropped).tobytes()


def draw_card(title: str, name: str, pixels: bytes | None = None) -> bytes:
    """Return a JPEG with a title and the name of the site; ``pixels`` are what ``cover`` made of a picture.

    Letters that the font lacks are left out. Nothing is decoded here.
    """
    with decoding_slot():
        card = Image.new("RGB", SIZE, GROUND)
        width = SIZE[0] - 2 * MARGIN
        if pixels is not None:
            card.paste(Image.frombytes("RGB", COVER_SIZE, pixels), (SIZE[0] - COVER_SIZE[0], 0))
            width -= COVER_SIZE[0]
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


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode == "RGBA":
        laid = Image.new("RGBA", image.size, GROUND)
        laid.alpha_composite(image)
        image = laid
    return to_srgb(image).convert("RGB")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)


@cache
def _missing() -> bytes:
    """Return what is drawn for a character that no font has."""
    return bytes(_font(20).getmask("\uffff"))


def _has_letter(character: str) -> bool:
    return bytes(_font(20).getmask(character)) != _missing()
