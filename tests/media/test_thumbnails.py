"""Thumbnails of the right size, shape and colour, and placeholders."""

from __future__ import annotations

import base64

import pytest
from PIL import Image, ImageCms

from ChatBot.errors import PictureRefused
from ChatBot.media.inspection import Picture, inspect
from ChatBot.media.thumbnails import placeholder, render, thumbnails
from tests.media.samples import LIMITS, animation, largest_difference, noise, opened, photograph, saved

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def inspected(data: bytes) -> Picture:
    return inspect(data, **LIMITS)


def test_each_width_has_the_shape_of_the_picture() -> None:
    made = thumbnails(inspected(saved(photograph((1200, 900)), "PNG")))

    assert {width: opened(data).size for width, data in made.items()} == {
        256: (256, 192),
        512: (512, 384),
        1024: (1024, 768),
    }
    assert {opened(data).format for data in made.values()} == {"WEBP"}


def test_nothing_is_enlarged() -> None:
    assert set(thumbnails(inspected(saved(photograph((512, 300)), "PNG")))) == {256}
    assert thumbnails(inspected(saved(photograph((256, 300)), "PNG"))) == {}


def test_a_thumbnail_looks_like_its_picture() -> None:
    image = photograph((700, 500))

    made = thumbnails(inspected(saved(image, "PNG")))

    for data in made.values():
        assert largest_difference(opened(data).resize((16, 12)), image.resize((16, 12))) <= 12


def test_transparency_is_kept() -> None:
    image = photograph((600, 600))
    image.putalpha(Image.linear_gradient("L").resize((600, 600)))

    small = opened(thumbnails(inspected(saved(image, "PNG")))[256])

    assert small.mode == "RGBA"
    assert small.getchannel("A").getpixel((128, 2)) == pytest.approx(2, abs=4)
    assert small.getchannel("A").getpixel((128, 253)) == pytest.approx(253, abs=4)


def test_the_first_frame_stands_for_an_animation() -> None:
    data = animation("GIF", (300, 200), frames=3)

    small = opened(thumbnails(inspected(data))[256])

    assert getattr(small, "n_frames", 1) == 1
    assert largest_difference(small.resize((4, 4)), opened(data).convert("RGB").resize((4, 4))) <= 12


def test_a_strip_too_tall_for_webp_has_no_thumbnail_there() -> None:
    made = thumbnails(inspected(saved(Image.new("L", (300, 30_000)), "PNG")))

    assert made == {}


def test_a_profile_is_applied_and_left_out() -> None:
    small = opened(thumbnails(inspected(saved(photograph((400, 400)), "PNG", icc_profile=SRGB)))[256])

    assert "icc_profile" not in small.info


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_missing_thumbnail_is_made_again(image_format: str) -> None:
    image = photograph((900, 600))

    again = render(saved(image, image_format), 256, max_pixels=1_000_000)

    assert again is not None
    assert opened(again).size == (256, 171)
    assert largest_difference(opened(again).convert("RGB").resize((9, 6)), image.resize((9, 6))) <= 24


def test_no_thumbnail_is_made_of_a_picture_that_is_no_wider() -> None:
    assert render(saved(photograph((256, 100)), "PNG"), 256, max_pixels=1_000_000) is None


def test_making_again_refuses_what_is_no_picture() -> None:
    data = saved(photograph((900, 600)), "JPEG")

    for hostile, reason in [(b"text", "format"), (data[: len(data) // 2], "truncated"), (data, "pixels")]:
        with pytest.raises(PictureRefused) as caught:
            render(hostile, 256, max_pixels=1_000 if reason == "pixels" else 1_000_000)
        assert caught.value.reason == reason


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (300, 200), (200, 300)])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_every_shape_has_a_placeholder(size: tuple[int, int], mode: str) -> None:
    code = base64.b64decode(placeholder(noise(size, mode)))

    assert 5 <= len(code) <= 25


def test_placeholders_tell_pictures_apart() -> None:
    codes = {placeholder(Image.new("RGB", (100, 100), colour)) for colour in ("red", "green", "blue", "white")}

    assert len(codes) == 4
