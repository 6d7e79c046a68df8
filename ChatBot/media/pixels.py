"""Decoded pixels made fit to be shown: upright, eight bits a channel, grey, RGB or RGBA, in sRGB where asked."""

from __future__ import annotations

from functools import cache
from io import BytesIO

from PIL import Image, ImageCms

from ChatBot.errors import TooLarge

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture of each EXIF orientation upright (EXIF 2.32, tag 0x0112)."""

_DEEP_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture turned and mirrored as its EXIF orientation (1 to 8) asks."""
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def displayable(image: Image.Image) -> Image.Image:
    """Return the picture as L, RGB or RGBA; a CMYK one through its colour profile; an unused alpha channel is dropped.

    The colour profile of the others stays in ``info`` and still has to be kept or applied.
    """
    if image.mode in _DEEP_MODES:
        return _eight_bit(image)
    if image.mode == "CMYK":
        return to_srgb(image)
    if image.has_transparency_data:
        with_alpha = image if image.mode == "RGBA" else image.convert("RGBA")
        return with_alpha if _is_used(with_alpha) else with_alpha.convert("RGB")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode in ("1", "LA") else "RGB")


def profile_of(image: Image.Image) -> bytes:
    """Return the embedded ICC profile; empty: none, which means sRGB."""
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) else b""


def smaller(size: tuple[int, int], factor: float) -> tuple[int, int]:
    """Return a size in pixels times ``factor``, at least 1 x 1.

    Raises:
        TooLarge: it is 1 x 1 already.
    """
    if size == (1, 1):
        raise TooLarge("The limit for stored pictures is too small for any picture.")
    return max(1, int(size[0] * factor)), max(1, int(size[1] * factor))


def to_srgb(image: Image.Image) -> Image.Image:
    """Return an L, RGB, RGBA or CMYK picture in sRGB, without a profile; an unusable profile is ignored."""
    target = "RGBA" if image.mode == "RGBA" else "RGB"
    profile = profile_of(image)
    converted = _through_profile(image, profile) if profile else None
    if converted is None:
        converted = image if image.mode in ("L", target) else image.convert(target)
    return without_info(converted)


def without_info(image: Image.Image) -> Image.Image:
    """Return the same pixels with nothing attached, as Pillow's writers put what is attached into files."""
    if not image.info:
        return image
    bare = image.copy()
    bare.info = {}
    return bare


def _through_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    colours = image.convert("RGB") if image.mode == "RGBA" else image
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(colours, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    if converted is not None and image.mode == "RGBA":
        converted.putalpha(image.getchannel("A"))
    return converted


def _is_used(image: Image.Image) -> bool:
    lowest, _ = image.getchannel("A").getextrema()
    return isinstance(lowest, (int, float)) and lowest < 255


def _eight_bit(image: Image.Image) -> Image.Image:
    deep = image.convert("I")
    grey = deep.point(_scaling(), "L")
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        table = [255] * 65_536
        table[clear & 0xFFFF] = 0
        coloured = grey.convert("RGBA")
        coloured.putalpha(deep.point(table, "L"))
        return coloured
    return grey


@cache
def _scaling() -> list[int]:
    return [(value * 255 + 32_767) // 65_535 for value in range(65_536)]
