"""PNG, chunk by chunk (W3C PNG, third edition): pixels and colour stay, everything else is taken out."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from ChatBot.media.containers.base import MAX_PARTS, Stripped, corrupt, plain_exif, too_many_parts, truncated

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_TEXT_BYTES = 65_536
"""Longest text that is inflated; a compressed text may claim gigabytes."""

_PIXELS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"fdAT"})
_COLOUR = frozenset({b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"cICP", b"mDCV", b"cLLI"})
_KEPT = _PIXELS | _COLOUR
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples per pixel of each colour type."""
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column, first row, column step and row step of the seven passes of an interlaced picture."""
_INFLATED_AT_ONCE = 1_048_576
_TEXT = frozenset({b"tEXt", b"zTXt", b"iTXt"})


def strip(data: bytes) -> Stripped:
    """Take a PNG or APNG apart.

    Raises:
        PictureRefused: it ends too early, or a checksum of a kept chunk is wrong.
    """
    kept, texts, exif, frames = [SIGNATURE], [], b"", 1
    for kind, start, end in _chunks(data):
        if kind in _KEPT:
            if zlib.crc32(data[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
                raise corrupt("a checksum is wrong")
            kept.append(data[start:end])
        elif kind in _TEXT:
            texts.append(_text(kind, data[start + 8 : end - 4]))
        elif kind == b"eXIf":
            exif = plain_exif(data[start + 8 : end - 4])
        if kind == b"acTL":
            frames = int.from_bytes(data[start + 8 : start + 12])
    return Stripped(b"".join(kept), exif, tuple(texts), max(frames, 1))


def has_all_pixels(data: bytes) -> bool:
    """Return whether the pixel data are as long as the header says.

    Decoders take a stream that ends early, yet properly, for a picture whose rest is black. Inflating everything once
    more costs about as much as decoding, so it should be asked only of pictures that could be such.
    """
    inflater, length = zlib.decompressobj(), 0
    missing = _pixel_bytes(data[16:29])
    for kind, start, end in _chunks(data):
        packed = data[start + 8 : end - 4] if kind == b"IDAT" else b""
        while packed and length < missing and not inflater.eof:
            length += len(inflater.decompress(packed, _INFLATED_AT_ONCE))
            packed = inflater.unconsumed_tail
    return length >= missing


def _pixel_bytes(header: bytes) -> int:
    """Return the length of the filtered rows, each with its filter byte, that an IHDR body announces."""
    width, height = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
    bits = header[8] * _CHANNELS.get(header[9], 1)
    passes = _ADAM7 if header[12] else ((0, 0, 1, 1),)
    total = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * bits // 8))
    return total


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    position = len(SIGNATURE)
    for _ in range(MAX_PARTS):
        kind = data[position + 4 : position + 8]
        end = position + 12 + int.from_bytes(data[position : position + 4])
        if len(kind) < 4 or end > len(data):
            raise truncated()
        yield kind, position, end
        if kind == b"IEND":
            return
        if not kind.isalpha() or (kind[:1].isupper() and kind not in _KEPT):
            raise corrupt("it has an unknown part that is needed to show it")
        position = end
    raise too_many_parts()


def _text(kind: bytes, body: bytes) -> tuple[str, str]:
    keyword, _, rest = body.partition(b"\0")
    packed = False
    if kind == b"zTXt":
        packed, rest = True, rest[1:]
    elif kind == b"iTXt":
        packed, rest = rest[:1] == b"\x01", rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    value = _inflate(rest) if packed else rest[:MAX_TEXT_BYTES]
    return keyword.decode("latin-1"), value.decode("utf-8" if kind == b"iTXt" else "latin-1", "replace")


def _inflate(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, MAX_TEXT_BYTES)
    except zlib.error:
        return b""  # a damaged comment is no reason to refuse the picture
