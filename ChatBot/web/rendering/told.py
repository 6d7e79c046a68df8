"""What a redirect tells the page it leads to: how many things were done, as numbers in its address."""

from __future__ import annotations

from flask import request

DIGITS = 6
"""More than there are things to count; a longer number was written by somebody else, for a page to say it."""


def told(name: str) -> int | None:
    """Return the number of that name in the address, None when there is no such or it cannot be one of ours."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else None
