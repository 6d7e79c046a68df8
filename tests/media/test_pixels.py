"""Pixel values after every change of mode."""

from __future__ import annotations

import struct

import pytest
from PIL import Image, ImageCms

from ChatBot.errors import TooLarge
from ChatBot.media.pixels import displayable, smaller, to_srgb
from tests.media.samples import noise, opened, saved


def test_sixteen_bits_become_eight_by_scaling() -> None:
    image = Image.frombytes("I;16", (5, 1), struct.pack("<5H", 0, 257, 0x8080, 65_000, 65_535))

    shown = displayable(opened(saved(image, "PNG")))

    assert (shown.mode, list(shown.tobytes())) == ("L", [0, 1, 128, 253, 255])


def test_the_clear_value_of_a_sixteen_bit_picture_is_clear() -> None:
    image = Image.frombytes("I;16", (2, 1), struct.pack("<2H", 500, 501))

    shown = displayable(opened(saved(image, "PNG", transparency=500)))

    assert list(shown.getchannel("A").tobytes()) == [0, 255]


def test_clear_palette_entries_are_clear() -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    image.putpixel((2, 0), 2)

    shown = displayable(opened(saved(image, "PNG", transparency=bytes([255, 0, 128]))))

    assert [shown.getpixel((x, 0)) for x in range(3)] == [(255, 0, 0, 255), (0, 255, 0, 0), (0, 0, 255, 128)]


@pytest.mark.parametrize(
    ("mode", "shown"),
    [("1", "L"), ("L", "L"), ("LA", "RGBA"), ("P", "RGB"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("CMYK", "RGB")],
)
def test_every_mode_becomes_one_that_can_be_shown(mode: str, shown: str) -> None:
    image = noise((9, 9), "RGBA").convert("RGB" if mode in {"CMYK", "P"} else "RGBA").convert(mode)

    assert displayable(image).mode == shown


def test_colours_go_through_their_profile() -> None:
    image = Image.new("RGB", (1, 1), (0, 255, 0))
    image.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    same = to_srgb(image)

    assert same.info == {}
    assert same.getpixel((0, 0)) == pytest.approx((0, 255, 0), abs=2)


def test_a_wrong_profile_is_ignored_and_dropped() -> None:
    image = noise((3, 3), "RGBA")
    image.info["icc_profile"] = b"not a profile"

    result = to_srgb(image)

    assert (result.tobytes(), result.info) == (image.tobytes(), {})


def test_a_single_pixel_cannot_shrink() -> None:
    assert smaller((100, 1), 0.5) == (50, 1)
    with pytest.raises(TooLarge):
        smaller((1, 1), 0.5)
