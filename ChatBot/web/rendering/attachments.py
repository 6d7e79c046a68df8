"""Names of downloads: one plain name on any disk, whatever the text it is made of."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from werkzeug.http import dump_options_header

NAME_CHARACTERS = 60

_UNSPEAKABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, marks that turn the direction of a name (and so hide its ending), and halves of characters."""


def as_a_name(text: str) -> str:
    """Return the beginning of a text as a name without extension: on one line, in no other folder, not hidden by a dot.

    Empty when nothing of the text can stand in a name.
    """
    line = " ".join(_UNSPEAKABLE.sub("", " ".join(text.split())).split())
    return line.replace("/", "_").replace("\\", "_").lstrip(". ")[:NAME_CHARACTERS].strip()


def attachment(name: str) -> str:
    """Return a Content-Disposition that every browser reads, whatever letters are in the name (RFC 6266)."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in " ._-") else "_" for c in name)
    options: dict[str, Any] = {"filename": safe}
    header = dump_options_header("attachment", options)
    return f"{header}; filename*=UTF-8''{quote(name, safe='')}"
