"""JPEG, segment by segment (ITU-T T.81): the coded picture and its colour stay, everything else is taken out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ChatBot.media.containers.base import MAX_PARTS, Stripped, corrupt, plain_exif, too_many_parts, truncated

SIGNATURE = b"\xff\xd8\xff"
MAX_SCANS = 500
"""Scans over the whole picture; progressive files have about ten, and each costs the time of a full decode."""

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_JFIF, _APP1, _APP2, _ADOBE, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_EXIF_HEADER = b"Exif\x00\x00"
_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\x00"
_ICC_HEADER = b"ICC_PROFILE\x00"

_PADDING = re.compile(rb"\xff+")
# Inside coded data FF is followed by 00 (a literal FF), by a restart mark, or by another FF (padding).
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def strip(data: bytes) -> Stripped:
    """Take a JPEG apart; what follows the end mark (second pictures of an MPO, hidden archives) is cut off.

    Raises:
        PictureRefused: it ends too early, or does not consist of segments.
    """
    kept, texts, exif, scans = [data[:2]], [], b"", 0
    for marker, body, coded in _segments(data):
        if _is_kept(marker, body):
            content = body[:12] + b"\0\0" if marker == _JFIF else body  # JFIF may carry a thumbnail of its own
            kept.append(b"\xff" + bytes([marker]) + (len(content) + 2).to_bytes(2) + content + coded)
        elif marker == _APP1 and body.startswith(_EXIF_HEADER):
            exif = exif or plain_exif(body)
        elif marker == _APP1 and body.startswith(_XMP_HEADER):
            texts.append(("xmp", body[len(_XMP_HEADER) :].decode("utf-8", "replace")))
        elif marker == _COMMENT:
            texts.append(("comment", body.decode("utf-8", "replace")))
        scans += marker == _SCAN
        if scans > MAX_SCANS:
            raise corrupt(f"it is painted over more than {MAX_SCANS} times")
    kept.append(b"\xff\xd9")
    return Stripped(b"".join(kept), exif, tuple(texts))


def _is_kept(marker: int, body: bytes) -> bool:
    if marker == _JFIF:
        return body.startswith(b"JFIF\x00") and len(body) >= 14
    if marker == _APP2:
        return body.startswith(_ICC_HEADER)
    if marker == _ADOBE:
        return body.startswith(b"Adobe")
    return marker < _JFIF and marker >= 0xC0  # tables, frames and scans


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    position = 2
    for _ in range(MAX_PARTS):
        if position >= len(data):
            raise truncated()
        padding = _PADDING.match(data, position)
        if padding is None:
            raise corrupt("its parts do not follow each other")
        position = padding.end() - 1
        if position + 2 > len(data):
            raise truncated()
        marker = data[position + 1]
        if marker == _END:
            return
        if marker < 0xC0 or 0xD0 <= marker <= _START:
            raise corrupt("it has a part that belongs elsewhere")
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4])
        if end > len(data) or end < position + 4:
            raise truncated()
        after = _end_of_coded_data(data, end) if marker == _SCAN else end
        yield marker, data[position + 4 : end], data[end:after]
        position = after
    raise too_many_parts()


def _end_of_coded_data(data: bytes, start: int) -> int:
    found = _NEXT_MARKER.search(data, start)
    if found is None:
        raise truncated()
    return found.start()
