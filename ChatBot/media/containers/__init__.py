"""Picture files taken apart without decoding them, one module per format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from ChatBot.media.containers import gif, jpeg, png, webp
from ChatBot.media.containers.base import Stripped

Format = Literal["PNG", "JPEG", "GIF", "WEBP"]

STRIPPERS: dict[Format, Callable[[bytes], Stripped]] = {
    "PNG": png.strip,
    "JPEG": jpeg.strip,
    "GIF": gif.strip,
    "WEBP": webp.strip,
}


def sniff(data: bytes) -> Format | None:
    """Return the format whose signature the bytes start with; None: none that we keep."""
    if data.startswith(png.SIGNATURE):
        return "PNG"
    if data.startswith(jpeg.SIGNATURE):
        return "JPEG"
    if data.startswith(gif.SIGNATURES):
        return "GIF"
    return "WEBP" if webp.is_webp(data) else None
