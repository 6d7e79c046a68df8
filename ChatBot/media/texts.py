"""Small text files that are whole or absent: marks and plans."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ChatBot.errors import BytesMissing, StorageError

LARGEST_BYTES = 256_000_000
"""A plan names every file it is about in some 150 bytes; this is more than a million of them."""


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        BytesMissing: there is no such file.
        StorageError: it cannot be read, or is no text.
    """
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_BYTES).decode()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise BytesMissing(f"There is no file {path.name}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path.name} cannot be read: {error}.") from error


def write_text(path: Path, text: str) -> None:
    """Write a text durably in one step, for this account only; raises ``StorageError``."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(f"{path.name} cannot be written: {error.strerror or error}.") from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; raises ``OSError``."""
    if os.name == "nt":
        return  # Windows cannot open a folder for fsync
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
