"""Still pictures made to fit the limit: at the best quality that does, with fewer pixels only if none does."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from ChatBot.media.encoders import JPEG_MAX_SIDE, WEBP_MAX_SIDE, Encoded, jpeg, webp
from ChatBot.media.fitting import AIM, HIGHEST_QUALITY, LOWEST_QUALITY, SizeModel, fit_or_shrink
from ChatBot.media.pixels import profile_of, smaller, to_srgb, without_info

Encoder = Callable[[int], bytes]

FULL_COLOUR_QUALITY = 90
"""From here on colours at full resolution are worth more than finer steps."""

_TILE = 64
_TILES_PER_SIDE = 6
_JPEG_HEADER_BYTES = 600


def compress_still(image: Image.Image, max_bytes: int) -> Encoded:
    """Encode an L or RGB picture as JPEG, an RGBA one as WEBP, in at most ``max_bytes`` bytes.

    Raises:
        TooLarge: not even a single pixel fits.
    """
    profile = profile_of(image)
    if len(profile) > max_bytes // 10:
        image, profile = to_srgb(image), b""
    transparent = image.mode == "RGBA"
    image = _within(without_info(image), WEBP_MAX_SIDE if transparent else JPEG_MAX_SIDE)
    plan = _plan_webp if transparent else _plan_jpeg
    while True:
        encode, model = plan(image, profile, max_bytes)
        scale, data = fit_or_shrink(encode, model, max_bytes)
        if data is not None:
            return Encoded(data, "WEBP" if transparent else "JPEG", image.size)
        image = _scaled(image, scale)


def _plan_jpeg(image: Image.Image, profile: bytes, max_bytes: int) -> tuple[Encoder, SizeModel]:
    tiles, area = _sample(image)
    fixed = _JPEG_HEADER_BYTES + len(profile)

    def size_at(quality: int, full_colour: bool) -> float:
        sample = len(jpeg(tiles, quality, full_colour=full_colour)) - _JPEG_HEADER_BYTES
        return fixed + max(sample, 0) * area

    full_colour = size_at(FULL_COLOUR_QUALITY, True) <= AIM * max_bytes
    # With full colours the model reaches below 90: a prediction a little too good must not cost the picture its size.
    qualities = (80, FULL_COLOUR_QUALITY, HIGHEST_QUALITY) if full_colour else (LOWEST_QUALITY, 75, 90, HIGHEST_QUALITY)
    model = SizeModel.from_samples(qualities, [size_at(quality, full_colour) for quality in qualities])
    return lambda quality: jpeg(image, quality, full_colour=full_colour, profile=profile), model


def _plan_webp(image: Image.Image, profile: bytes, max_bytes: int) -> tuple[Encoder, SizeModel]:
    del max_bytes  # WEBP always has its colours at half resolution, so nothing depends on the limit
    tiles, area = _sample(image)
    qualities = (LOWEST_QUALITY, 75, 88, HIGHEST_QUALITY)
    sizes = [len(profile) + len(webp(tiles, quality)) * area for quality in qualities]
    return lambda quality: webp(image, quality, profile=profile), SizeModel.from_samples(qualities, sizes)


def _sample(image: Image.Image) -> tuple[Image.Image, float]:
    """Return tiles spread over the picture as one small picture, and how many times larger the picture is.

    Tiles keep the grain that decides the size of the file; a scaled-down picture would lose it.
    """
    side = _TILE * _TILES_PER_SIDE
    if image.width <= 2 * side or image.height <= 2 * side:
        return image, 1.0
    sample = Image.new(image.mode, (side, side))
    for row in range(_TILES_PER_SIDE):
        top = row * (image.height - _TILE) // (_TILES_PER_SIDE - 1)
        for column in range(_TILES_PER_SIDE):
            left = column * (image.width - _TILE) // (_TILES_PER_SIDE - 1)
            sample.paste(image.crop((left, top, left + _TILE, top + _TILE)), (column * _TILE, row * _TILE))
    return sample, image.width * image.height / side**2


def _within(image: Image.Image, longest: int) -> Image.Image:
    return image if max(image.size) <= longest else _scaled(image, longest / max(image.size))


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    return image.resize(smaller(image.size, factor), Image.Resampling.HAMMING, reducing_gap=2.0)
