"""The key by which a repeated request is known to be the same one."""

from __future__ import annotations

from ChatBot.errors import InputError

KEY_CHARACTERS = 200


def checked(key: str | None) -> str | None:
    """Return the key that a request came with, None without one; raises ``InputError`` when it is empty or too long."""
    if key is not None and not 1 <= len(key) <= KEY_CHARACTERS:
        raise InputError(f"An Idempotency-Key has 1 to {KEY_CHARACTERS} characters.")
    return key
