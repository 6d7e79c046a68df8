"""WEBP, chunk by chunk (RFC 9649): pixels, animation and colour profile stay, everything else is taken out."""

from __future__ import annotations

from collections.abc import Iterator

from ChatBot.media.containers.base import MAX_PARTS, Stripped, corrupt, plain_exif, too_many_parts, truncated

_KEPT = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_FRAME_PARTS = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_FRAME_HEAD_BYTES = 16
_EXIF_AND_XMP_FLAGS = 0x08 | 0x04


def is_webp(data: bytes) -> bool:
    """Return whether the file starts like a WEBP."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def strip(data: bytes) -> Stripped:
    """Take a WEBP apart and mend its header, so that it no longer announces what was taken out.

    Raises:
        PictureRefused: it ends too early, or does not consist of chunks.
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    if len(data) < end or end < 20:
        raise truncated()
    kept, texts, exif, frames = [b"WEBP"], [], b"", 0
    for kind, body in _chunks(data[12:end]):
        if kind in _KEPT:
            kept.append(_chunk(kind, _mended(kind, body)))
            frames += kind == b"ANMF"
        elif kind == b"EXIF":
            exif = plain_exif(body)
        elif kind == b"XMP ":
            texts.append(("xmp", body.decode("utf-8", "replace")))
    return Stripped(_chunk(b"RIFF", b"".join(kept)), exif, tuple(texts), max(frames, 1))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    for _ in range(MAX_PARTS):
        if position >= len(data):
            return
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        body = data[position + 8 : position + 8 + size]
        if position + 8 > len(data) or len(body) < size:
            raise truncated()
        yield data[position : position + 4], body
        position += 8 + size + size % 2
    raise too_many_parts()


def _mended(kind: bytes, body: bytes) -> bytes:
    if kind == b"VP8X":
        if len(body) < 10:
            raise corrupt("its header is too short")
        return bytes([body[0] & ~_EXIF_AND_XMP_FLAGS]) + body[1:10]
    if kind == b"ANMF":
        parts = (_chunk(name, part) for name, part in _chunks(body[_FRAME_HEAD_BYTES:]) if name in _FRAME_PARTS)
        return body[:_FRAME_HEAD_BYTES] + b"".join(parts)
    return body


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)
