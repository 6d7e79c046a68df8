"""The words a picture file carries: EXIF fields and text parts as a small, private dictionary."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

MAX_VALUE_CHARACTERS = 65_536
MAX_TOTAL_CHARACTERS = 262_144
"""All values of one picture together; a MongoDB document holds 16 MB and several pictures."""
MAX_KEY_CHARACTERS = 79
"""The longest keyword that PNG allows."""

_FIELDS = {
    Base.ImageDescription: "description",
    Base.Software: "software",
    Base.DateTime: "date",
    Base.Artist: "artist",
    Base.Copyright: "copyright",
}
# Pillow reads EXIF lazily and lets every kind of error of a malformed block through, warnings included.
_MALFORMED = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, struct.error, Warning)


def read_exif(block: bytes) -> tuple[int, dict[str, str]]:
    """Return the orientation (1 to 8; 1: upright) and the selected fields of a TIFF structure.

    A malformed block is no reason to refuse a picture: it reads as upright and without fields.
    """
    if not block:
        return 1, {}
    try:
        exif = Image.Exif()
        exif.load(b"Exif\x00\x00" + block)
        orientation = exif.get(Base.Orientation, 1)
        fields = dict(_fields(exif))
    except _MALFORMED:
        return 1, {}
    return orientation if orientation in range(1, 9) else 1, fields


def collect(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the pairs as a dictionary that fits into a document: capped values, keys that MongoDB takes.

    The first value of a key wins.
    """
    collected: dict[str, str] = {}
    room = MAX_TOTAL_CHARACTERS
    for raw_key, raw_value in pairs:
        key = raw_key.replace("\0", "").replace(".", "_").replace("$", "_").strip()[:MAX_KEY_CHARACTERS]
        value = raw_value.replace("\0", "").strip()[: min(room, MAX_VALUE_CHARACTERS)]
        if key and value and key not in collected:
            collected[key] = value
            room -= len(key) + len(value)
        if room <= 0:
            break
    return collected


def _fields(exif: Image.Exif) -> Iterator[tuple[str, str]]:
    for tag, name in _FIELDS.items():
        if tag in exif:
            yield name, _text(exif[tag])
    camera = " ".join(_text(exif[tag]) for tag in (Base.Make, Base.Model) if tag in exif)
    if camera:
        yield "camera", camera
    details = exif.get_ifd(IFD.Exif)
    if Base.DateTimeOriginal in details:
        yield "taken", _text(details[Base.DateTimeOriginal])
    if Base.UserComment in details:
        yield "user_comment", _comment(details[Base.UserComment])
    position = _position(exif.get_ifd(IFD.GPSInfo))
    if position:
        yield "gps", position


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _comment(value: Any) -> str:
    """Decode a user comment, whose first eight bytes name its encoding."""
    if not isinstance(value, bytes):
        return str(value)
    encoding, text = value[:8], value[8:]
    if encoding.startswith(b"UNICODE"):
        # The standard leaves the byte order open: Western text has its zero bytes first when it is big-endian.
        return text.decode("utf-16-be" if text[:1] == b"\0" else "utf-16-le", "replace")
    return text.decode("utf-8", "replace")


def _position(gps: dict[int, Any]) -> str:
    if GPS.GPSLatitude not in gps or GPS.GPSLongitude not in gps:
        return ""
    latitude = _degrees(gps[GPS.GPSLatitude]) * (-1 if gps.get(GPS.GPSLatitudeRef) == "S" else 1)
    longitude = _degrees(gps[GPS.GPSLongitude]) * (-1 if gps.get(GPS.GPSLongitudeRef) == "W" else 1)
    return f"{latitude:.6f},{longitude:.6f}"


def _degrees(parts: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600
