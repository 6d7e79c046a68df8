"""A key that an installation makes for itself: a file that is whole or not there, the same for all its processes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ChatBot.errors import SettingsError


def read_or_make(path: Path, make: Callable[[], str]) -> str:
    """Return the key in ``path``; where there is none yet, ``make`` one and keep it.

    Of processes that make one at the same time the first wins, and all return its key. Raises ``SettingsError`` for an
    empty file, and ``OSError`` when the folder cannot be read or written.
    """
    if not path.exists():
        _make(path, make())
    key = path.read_text(encoding="ascii")
    if not key:
        raise SettingsError(f"{path} is empty, and should hold a key: delete it, and a new one is made.")
    return key


def _make(path: Path, key: str) -> None:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
    finally:
        fresh.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    if os.name == "nt":  # folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
