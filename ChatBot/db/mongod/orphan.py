"""Stops a mongod that outlived its owner and still has our data open."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import psutil
import structlog

from ChatBot.errors import SettingsError

log = structlog.get_logger(__name__)

STOP_SECONDS = 10.0
"""Then it is killed, which its journal bears: one that was asked while it replayed its log would never end."""
POLL_SECONDS = 0.02


def stop_orphan(data_folder: Path, *, timeout_seconds: float = STOP_SECONDS) -> None:
    """End the mongod that runs on ``data_folder``, if there is one; call it only while holding the claim.

    Raises:
        SettingsError: it does not end, or belongs to another account.
    """
    process = _find(data_folder)
    if process is None:
        return
    log.warning("mongod.orphan", pid=process.pid)
    try:
        process.terminate()
        if not _ended(process, timeout_seconds):
            process.kill()
            _ended(process, timeout_seconds)
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as error:
        raise SettingsError(
            f"Process {process.pid} of another account uses {data_folder}; stop it, or set STORAGE_ROOT."
        ) from error


def _find(data_folder: Path) -> psutil.Process | None:
    try:
        # mongod writes its pid there and empties the file when it ends cleanly.
        pid = int((data_folder / "mongod.lock").read_text(encoding="ascii").strip() or 0)
        process = psutil.Process(pid)
        words = process.cmdline()
    except (OSError, ValueError, psutil.Error):
        return None
    # The number may belong to any other program by now: only a mongod on this very folder is ours to end.
    ours = any(_is_mongod(word) for word in words[:1]) and _data_folder_of(words) == data_folder.resolve()
    return process if pid and ours else None


def _is_mongod(word: str) -> bool:
    return Path(word).stem == "mongod"


def _data_folder_of(words: list[str]) -> Path | None:
    for option, value in itertools.pairwise(words):
        if option == "--dbpath":
            return Path(value).resolve()
    return None


def _ended(process: psutil.Process, timeout_seconds: float) -> bool:
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        try:
            # A zombie nobody waits for (common in containers) has let go of the data once its threads are gone too.
            if not process.is_running() or (process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1):
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(POLL_SECONDS)
    return False
