"""PDFs: known by their first and last bytes, kept as they are, and never opened here.

A parser for them would be the largest thing that strangers reach, and nothing here needs what is inside: they are
handed out as files to keep, in a sandbox. So whatever a PDF carries (its author, scripts, attachments) stays in it.
"""

from __future__ import annotations

import re

from ChatBot.errors import PictureRefused
from ChatBot.sentence import Sentence

MIME_TYPE = "application/pdf"
EXTENSION = "pdf"

END_BYTES = 1024
"""The mark of the end stands within the last so many bytes (Adobe's implementation note 18 on ISO 32000-1, 7.5.5)."""

_BEGINNING = re.compile(rb"%PDF-[12]\.[0-9]")


def is_pdf(data: bytes) -> bool:
    """Say whether bytes begin as a PDF does; what only contains such a beginning further on is not one."""
    return _BEGINNING.match(data) is not None


def require_whole(data: bytes) -> None:
    """Raise ``PictureRefused`` with the reason ``truncated`` when the end of a PDF is not there."""
    if b"%%EOF" not in data[-END_BYTES:]:
        raise PictureRefused(Sentence("The PDF breaks off before its end."), reason="truncated")
