"""Cursors: a position in a list that is sorted by (time, id), as opaque text."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from ChatBot.errors import InputError

Position = tuple[datetime, str]
Item = TypeVar("Item")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
"""Whole-number arithmetic: a float of seconds rounds some milliseconds down and would skip their neighbours."""


def encode_cursor(position: Position) -> str:
    """Return a position as URL-safe text."""
    moment, item_id = position
    milliseconds = (moment - EPOCH) // MILLISECOND
    return base64.urlsafe_b64encode(f"{milliseconds}.{item_id}".encode()).decode().rstrip("=")


def decode_cursor(text: str | None) -> Position | None:
    """Return the position of a cursor; raises ``InputError`` for one that this server did not make."""
    if not text:
        return None
    try:
        milliseconds, item_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split(".")
        return EPOCH + int(milliseconds) * MILLISECOND, item_id
    except (ValueError, OverflowError) as error:
        raise InputError("The cursor is not one of ours; leave it out to start from the beginning.") from error


def page_json(
    items: Sequence[Item], limit: int, render: Callable[[Item], Any], position: Callable[[Item], Position]
) -> dict[str, Any]:
    """Return a list answer from at most ``limit + 1`` items: the extra one only tells that there are more."""
    shown = items[:limit]
    more = len(items) > limit and shown
    return {
        "items": [render(item) for item in shown],
        "next_cursor": encode_cursor(position(shown[-1])) if more else None,
    }
