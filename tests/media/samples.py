"""Pictures made for the tests, and the sums that compare them."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageChops

LIMITS: dict[str, Any] = {"max_pixels": 40_000_000, "max_frames": 1000}


def saved(image: Image.Image, image_format: str, **options: Any) -> bytes:
    """Return the file that Pillow writes for an image."""
    buffer = BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    """Return the decoded picture."""
    image = Image.open(BytesIO(data))
    image.load()
    return image


def noise(size: tuple[int, int], mode: str = "RGB", seed: int = 1) -> Image.Image:
    """Return seeded random pixels."""
    return Image.frombytes(mode, size, random.Random(seed).randbytes(size[0] * size[1] * len(mode)))


def photograph(size: tuple[int, int], seed: int = 1) -> Image.Image:
    """Return soft seeded colours with some grain."""
    soft = noise((12, 9), seed=seed).resize(size, Image.Resampling.BICUBIC)
    return Image.blend(soft, noise(size, seed=seed + 1), 0.1)


def marked() -> Image.Image:
    """Return a landscape picture whose four quarters have four colours, so that turning it shows."""
    image = Image.new("RGB", (48, 32), (255, 0, 0))
    image.paste((0, 255, 0), (24, 0, 48, 16))
    image.paste((0, 0, 255), (0, 16, 24, 32))
    image.paste((255, 255, 255), (24, 16, 48, 32))
    return image


def animation(image_format: str, size: tuple[int, int] = (40, 30), frames: int = 5, **options: Any) -> bytes:
    """Return an animation of noise whose frames last 50, 60, 70 ... milliseconds."""
    pictures = [noise(size, seed=index) for index in range(frames)]
    durations = [50 + 10 * index for index in range(frames)]
    return saved(
        pictures[0],
        image_format,
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=0,
        **options,
    )


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return one PNG chunk with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def largest_difference(first: Image.Image, second: Image.Image) -> int:
    """Return by how much the two differ in any channel of any pixel, 0 to 255."""
    extrema = ImageChops.difference(first, second).getextrema()
    pairs = extrema if isinstance(extrema[0], tuple) else (extrema,)
    return max(int(high) for _, high in pairs)


def pdf(title: str = "hello") -> bytes:
    """Return a PDF with one empty page and a title."""
    objects = (
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>",
        f"<</Title({title})>>",
    )
    body = "".join(f"{number} 0 obj{each}endobj\n" for number, each in enumerate(objects, 1))
    return f"%PDF-1.4\n{body}trailer<</Root 1 0 R/Info 4 0 R>>\nstartxref\n0\n%%EOF\n".encode()
