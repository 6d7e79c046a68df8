"""The card that other sites show for a link."""

from __future__ import annotations

import unicodedata
from io import BytesIO

import pytest
from PIL import Image

from ChatBot.errors import PictureRefused
from ChatBot.media.cards import LINES, SIZE, cover, draw_card, wrapped, writable
from tests.media.samples import photograph, saved

VIETNAMESE = "ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ"
RED = (200, 30, 30)
PIXELS = 1_000_000


def opened(card: bytes) -> Image.Image:
    """Decode a card."""
    image = Image.open(BytesIO(card))
    image.load()
    return image


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_card_has_the_size_that_sites_ask_for_with_any_picture(form: str) -> None:
    card = opened(draw_card("A lighthouse", "ChatBot", cover(saved(photograph((1024, 300)), form), max_pixels=PIXELS)))

    assert (card.format, card.size) == ("JPEG", SIZE)


def pixel(image: Image.Image, place: tuple[int, int]) -> tuple[int, ...]:
    """Return the channels of one pixel."""
    return tuple(image.crop((*place, place[0] + 1, place[1] + 1)).tobytes())


def test_the_picture_is_on_the_card_without_being_squeezed() -> None:
    picture = Image.new("RGB", (900, 300), RED)
    picture.paste((30, 30, 200), (0, 0, 150, 300))

    card = opened(draw_card("", "", cover(saved(picture, "PNG"), max_pixels=PIXELS)))

    assert all(abs(a - b) < 12 for a, b in zip(pixel(card, (700, 300)), RED, strict=True))


def test_a_transparent_picture_is_not_laid_on_white() -> None:
    card = opened(
        draw_card("", "", cover(saved(Image.new("RGBA", (300, 300), (0, 0, 0, 0)), "PNG"), max_pixels=PIXELS))
    )

    assert max(pixel(card, (900, 300))) < 60


def test_the_font_has_every_letter_of_vietnamese() -> None:
    letters = VIETNAMESE + VIETNAMESE.upper()

    assert writable(letters) == letters
    assert writable(unicodedata.normalize("NFD", letters)) == letters


def test_letters_that_the_font_lacks_are_left_out() -> None:
    assert writable(" a \N{FOX FACE} fox\n\N{CJK UNIFIED IDEOGRAPH-65E5} runs ") == "a fox runs"


@pytest.mark.parametrize("text", ["word " * 60, "w" * 300, "two words"])
def test_a_title_is_broken_into_lines_that_fit(text: str) -> None:
    lines = wrapped(text.strip(), 440)

    assert 0 < len(lines) <= LINES
    assert (lines[-1][-1] == "…") is (len(text) > 20)
    assert wrapped(lines[0], 440) == [lines[0]]


def test_more_pixels_than_the_picture_has_by_its_record_are_refused() -> None:
    with pytest.raises(PictureRefused) as refused:
        cover(saved(photograph((64, 64)), "PNG"), max_pixels=64 * 64 - 1)

    assert refused.value.reason == "pixels"


def test_bytes_that_are_no_picture_are_refused() -> None:
    for data in (b"", b"<svg/>", saved(photograph((64, 64)), "PNG")[:200]):
        with pytest.raises(PictureRefused):
            cover(data, max_pixels=PIXELS)
