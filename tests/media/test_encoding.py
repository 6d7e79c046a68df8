"""The one stored byte string: exact where it fits, the best that fits where not, right in every mode."""

from __future__ import annotations

import hashlib
import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.ExifTags import Base

from ChatBot.errors import TooLarge
from ChatBot.media.encoding import StoredPicture, encode
from ChatBot.media.pixels import to_srgb
from tests.media.samples import (
    LIMITS,
    animation,
    largest_difference,
    marked,
    noise,
    opened,
    photograph,
    png_chunk,
    saved,
)

ORIENTED = {
    1: ("red", "green"),
    2: ("green", "red"),
    3: ("white", "blue"),
    4: ("blue", "white"),
    5: ("red", "blue"),
    6: ("blue", "red"),
    7: ("white", "green"),
    8: ("green", "white"),
}
"""Colours of the upper left and upper right quarter after the picture was turned upright."""
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def encoded(data: bytes, max_bytes: int = 500_000) -> StoredPicture:
    return encode(data, max_bytes=max_bytes, **LIMITS)


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    return exif


def frames_of(data: bytes) -> tuple[int, int]:
    """Return the number of frames and the milliseconds they take together."""
    image, total = Image.open(BytesIO(data)), 0
    count = getattr(image, "n_frames", 1)
    for index in range(count):
        image.seek(index)
        image.load()
        total += int(image.info["duration"])
    return count, total


@given(
    mode=st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    seed=st.integers(0, 1000),
)
@settings(max_examples=150, deadline=None)
def test_a_small_png_keeps_its_pixels_in_every_mode(mode: str, width: int, height: int, seed: int) -> None:
    source = noise((width, height), "RGBA", seed)
    image = Image.frombytes(mode, source.size, source.tobytes()[: width * height * 2]) if mode == "I;16" else None
    image = image or source.convert(mode)

    stored = encoded(saved(image, "PNG"))

    result = opened(stored.data)
    assert (stored.mime_type, stored.width, stored.height, result.mode) == ("image/png", width, height, image.mode)
    assert result.convert("RGBA").tobytes() == image.convert("RGBA").tobytes()
    assert stored.sha256 == hashlib.sha256(stored.data).hexdigest()
    assert stored.crc32 == zlib.crc32(stored.data)


@given(
    mode=st.sampled_from(["L", "RGB", "CMYK"]),
    progressive=st.booleans(),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
)
@settings(max_examples=60, deadline=None)
def test_a_small_jpeg_keeps_its_pixels(mode: str, progressive: bool, width: int, height: int) -> None:
    data = saved(noise((width, height)).convert(mode), "JPEG", progressive=progressive, comment=b"secret")

    stored = encoded(data)

    assert (stored.mime_type, stored.extension) == ("image/jpeg", "jpg")
    assert opened(stored.data).tobytes() == opened(data).tobytes()
    assert b"secret" not in stored.data


@given(mode=st.sampled_from(["RGB", "RGBA"]), lossless=st.booleans(), width=st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_a_small_webp_keeps_its_pixels(mode: str, lossless: bool, width: int) -> None:
    data = saved(noise((width, 20), mode), "WEBP", lossless=lossless, exif=exif_of(1), xmp=b"<secret/>")

    stored = encoded(data)

    assert opened(stored.data).tobytes() == opened(data).tobytes()
    assert b"secret" not in stored.data
    assert not opened(stored.data).info.get("exif")
    assert stored.metadata["xmp"] == "<secret/>"


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_a_small_animation_is_kept_frame_by_frame(image_format: str) -> None:
    data = animation(image_format)

    stored = encoded(data)

    assert stored.frames == 5
    assert frames_of(stored.data) == (5, 350)
    assert opened(stored.data).info["loop"] == 0


def test_a_gif_loses_its_comment_and_keeps_its_pixels() -> None:
    data = saved(noise((30, 30)).quantize(16), "GIF", comment=b"secret words")

    stored = encoded(data)

    assert b"secret" not in stored.data
    assert stored.metadata == {"comment": "secret words"}
    assert opened(stored.data).convert("RGB").tobytes() == opened(data).convert("RGB").tobytes()


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
def test_the_colour_profile_is_kept(image_format: str) -> None:
    stored = encoded(saved(photograph((50, 50)), image_format, icc_profile=SRGB))

    assert opened(stored.data).info["icc_profile"] == SRGB


@pytest.mark.parametrize("orientation", ORIENTED)
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("max_bytes", [0, 500_000])
def test_a_rotated_picture_is_stored_upright(image_format: str, orientation: int, max_bytes: int) -> None:
    options = {"quality": 95, "subsampling": 0} if image_format == "JPEG" else {}
    if image_format == "WEBP":
        options = {"lossless": 1}
    data = saved(marked(), image_format, exif=exif_of(orientation), **options)

    stored = encoded(data, max_bytes)

    image = opened(stored.data).convert("RGB")
    assert image.size == (stored.width, stored.height) == ((48, 32) if orientation < 5 else (32, 48))
    for corner, colour in zip([(4, 4), (image.width - 5, 4)], ORIENTED[orientation], strict=True):
        found = image.getpixel(corner)
        assert isinstance(found, tuple)
        assert all(abs(got - wanted) <= 4 for got, wanted in zip(found, COLOURS[colour], strict=True))
    assert Base.Orientation not in image.getexif()


def test_turning_a_sixteen_bit_png_keeps_its_depth() -> None:
    image = Image.frombytes("I;16", (3, 2), struct.pack("<6H", 0, 1, 256, 30_000, 65_534, 65_535))
    data = saved(image, "PNG")
    turned = data[:33] + png_chunk(b"eXIf", exif_of(3).tobytes().removeprefix(b"Exif\0\0")) + data[33:]

    stored = encoded(turned)

    assert struct.unpack("<6H", opened(stored.data).tobytes()) == (65_535, 65_534, 30_000, 256, 1, 0)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("max_bytes", [20_000, 60_000, 150_000])
def test_a_large_opaque_picture_becomes_the_best_jpeg_that_fits(max_bytes: int, orientation: int) -> None:
    image = photograph((500, 400))

    stored = encoded(saved(image, "PNG", exif=exif_of(orientation)), max_bytes)

    assert stored.mime_type == "image/jpeg"
    assert 0.75 * max_bytes <= len(stored.data) <= max_bytes
    assert (stored.width, stored.height) == (image.size if orientation == 1 else image.size[::-1])


def test_transparency_survives_the_limit() -> None:
    image = photograph((300, 300))
    image.putalpha(Image.linear_gradient("L").resize((300, 300)))

    stored = encoded(saved(image, "PNG"), 60_000)

    result = opened(stored.data)
    assert (stored.mime_type, result.mode, result.size) == ("image/webp", "RGBA", (300, 300))
    assert len(stored.data) <= 60_000
    assert largest_difference(result.getchannel("A"), image.getchannel("A")) <= 8


def test_an_unused_alpha_channel_does_not_prevent_a_jpeg() -> None:
    image = photograph((300, 300))
    image.putalpha(255)

    assert encoded(saved(image, "PNG"), 20_000).mime_type == "image/jpeg"


def test_a_palette_with_transparency_is_not_flattened() -> None:
    image = noise((200, 200)).quantize(200)
    image.putpixel((0, 0), 7)
    data = saved(image, "PNG", transparency=7)

    stored = encoded(data, 20_000)

    original, result = opened(data).convert("RGBA"), opened(stored.data)
    assert original.getchannel("A").getpixel((0, 0)) == 0
    assert result.mode == "RGBA"


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    image = Image.frombytes("I;16", (256, 256), noise((256, 256), "LA").tobytes())

    stored = encoded(saved(image, "PNG"), 60_000)

    average = opened(stored.data).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert stored.mime_type == "image/jpeg"
    assert average == pytest.approx(127, abs=4)


def test_cmyk_becomes_the_colours_it_stood_for() -> None:
    image = photograph((300, 200)).convert("CMYK")
    data = saved(image, "JPEG", quality=95)

    stored = encoded(data, 20_000)

    result, wanted = opened(stored.data), opened(data).convert("RGB")
    assert result.mode == "RGB"
    assert largest_difference(result.resize((8, 8)), wanted.resize((8, 8))) <= 6


def test_a_profile_that_does_not_fit_the_pixels_is_ignored() -> None:
    image = photograph((30, 20)).convert("CMYK")
    image.info["icc_profile"] = SRGB

    result = to_srgb(image)

    assert (result.mode, result.tobytes(), result.info) == ("RGB", image.convert("RGB").tobytes(), {})


def test_a_profile_larger_than_the_picture_may_be_is_applied_instead() -> None:
    profile = SRGB + bytes(50_000)
    data = saved(photograph((400, 300)), "PNG", icc_profile=profile)

    stored = encoded(data, 30_000)

    assert len(stored.data) <= 30_000
    assert "icc_profile" not in opened(stored.data).info


def test_pixels_are_given_up_when_no_quality_fits() -> None:
    stored = encoded(saved(noise((600, 300)), "PNG"), 10_000)

    assert len(stored.data) <= 10_000
    assert stored.width < 600
    assert abs(stored.width - 2 * stored.height) <= 3


def test_a_limit_below_any_picture_is_said_to_be_too_small() -> None:
    with pytest.raises(TooLarge):
        encoded(saved(noise((60, 60)), "PNG"), 100)


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_a_large_animation_keeps_its_frames_and_timing(image_format: str) -> None:
    data = animation(image_format, (100, 80), frames=12)

    stored = encoded(data, 40_000)

    assert stored.mime_type == "image/webp"
    assert len(stored.data) <= 40_000
    assert frames_of(stored.data) == (12, sum(50 + 10 * index for index in range(12)))


@pytest.mark.parametrize(("options", "plays"), [({}, 1), ({"loop": 0}, 0), ({"loop": 2}, 3)])
def test_a_gif_plays_as_often_as_before(options: dict[str, int], plays: int) -> None:
    pictures = [noise((90, 90), seed=index) for index in range(4)]
    data = saved(pictures[0], "GIF", save_all=True, append_images=pictures[1:], duration=50, **options)

    stored = encoded(data, 15_000)

    assert opened(stored.data).info["loop"] == plays


def test_a_picture_too_tall_for_the_format_is_scaled_into_it() -> None:
    stored = encoded(saved(noise((3, 20_000), "RGBA"), "PNG"), 100_000)

    assert stored.mime_type == "image/webp"
    assert stored.height <= 16_383


def test_no_limit_keeps_any_picture_exactly() -> None:
    data = saved(noise((400, 400)), "PNG")

    stored = encoded(data, 0)

    assert opened(stored.data).tobytes() == opened(data).tobytes()


@given(
    mode=st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"]),
    width=st.integers(1, 90),
    height=st.integers(1, 90),
    max_bytes=st.integers(1500, 9000),
    orientation=st.integers(1, 8),
)
@settings(max_examples=120, deadline=None)
def test_whatever_is_accepted_fits_and_decodes(
    mode: str, width: int, height: int, max_bytes: int, orientation: int
) -> None:
    source = noise((width, height), "RGBA")
    image = Image.frombytes(mode, source.size, source.tobytes()[: width * height * 2]) if mode == "I;16" else None
    image = image or (source.convert("RGB") if mode == "CMYK" else source).convert(mode)
    data = saved(image, "JPEG" if mode == "CMYK" else "PNG", exif=exif_of(orientation))

    stored = encoded(data, max_bytes)

    assert len(stored.data) <= max_bytes
    assert opened(stored.data).size == (stored.width, stored.height)
    assert stored.thumbhash


def test_what_is_stored_is_stored_the_same_again() -> None:
    once = encoded(saved(noise((300, 300)), "PNG"), 30_000)

    again = encoded(once.data, 30_000)

    assert again.data == once.data
