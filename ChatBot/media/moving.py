"""Moving a file into another folder, so that its name is whole there or absent, on another file system too."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from pathlib import Path

from ChatBot.media.texts import sync_folder


def move(source: Path, target: Path) -> None:
    """Rename a file; where that is impossible (two file systems) copy it durably and then unlink the first one.

    Both exist if it is interrupted in between. Raises ``OSError``; then the source is still there.
    """
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, target)
        source.unlink()
        sync_folder(source.parent)


def _copy(source: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    reading = os.open(source, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        with os.fdopen(reading, "rb") as old, os.fdopen(_created(temporary), "wb") as new:
            _require_plain(old.fileno(), source)
            shutil.copyfileobj(old, new)
            new.flush()
            os.fsync(new.fileno())
        shutil.copystat(source, temporary, follow_symlinks=False)  # a clean-up knows stray files by their time
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _created(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _require_plain(descriptor: int, path: Path) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, "it is not a plain file, and its new place is on another file system", str(path))
