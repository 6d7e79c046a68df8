"""Cursors: a position in a list that is sorted by (time, id), as opaque text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from ChatBot.errors import InputError

Position = tuple[datetime, str]
Item = TypeVar("Item")


def encode_cursor(position: Position) -> str:
    """Return a position as URL-safe text."""
    moment, item_id = position
    return base64.urlsafe_b64encode(f"{int(moment.timestamp() * 1000)}.{item_id}".encode()).decode().rstrip("=")


def decode_cursor(text: str | None) -> Position | None:
    """Return the position of a cursor; raises ``InputError`` for one that this server did not make."""
    if not text:
        return None
    try:
        milliseconds, item_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split(".")
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC), item_id
    except (ValueError, binascii.Error, OverflowError, OSError) as error:
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
