"""Who owns the embedded database: a lock that dies with its process, and a note that says who holds it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import psutil
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from ChatBot.errors import DatabaseUnavailable, SettingsError
from ChatBot.models import now

LOCK_NAME = "owner.lock"
NOTE_NAME = "owner.json"
CLAIM_SECONDS = 1.0
"""How long a claim insists: whoever only asks for the owner holds the lock for less than a millisecond."""
POLL_SECONDS = 0.02


class Owner(BaseModel):
    """The process that has the database open. ``uri`` is None while its server is still starting.

    The note on disk can hold a password (where there are no unix sockets), hence its mode 0600.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    purpose: str
    started_at: datetime
    uri: str | None = None

    def describe(self) -> str:
        """Return ``ChatBot process 1234 (serving on port 5000 since 2026-01-31 12:00 UTC)``."""
        return f"ChatBot process {self.pid} ({self.purpose} since {self.started_at:%Y-%m-%d %H:%M} UTC)"


class Claim:
    """The sole right to run a server on ``database_root``; the system ends it with the process."""

    def __init__(self, database_root: Path, lock: FileLock) -> None:
        self._note = database_root / NOTE_NAME
        self._lock = lock

    @classmethod
    def take(cls, database_root: Path, *, timeout_seconds: float = CLAIM_SECONDS) -> Claim | None:
        """Return the claim, or None when another one is held for longer than ``timeout_seconds``.

        Raises:
            SettingsError: the folder cannot be written.
        """
        lock = FileLock(database_root / LOCK_NAME, mode=0o600, thread_local=False)
        try:
            lock.acquire(timeout=timeout_seconds, poll_interval=POLL_SECONDS)
        except Timeout:
            return None
        except OSError as error:
            raise SettingsError(f"{database_root} cannot be written: {error.strerror}.") from error
        return cls(database_root, lock)

    def publish(self, purpose: str, uri: str | None) -> None:
        """Note who has the claim; the note appears whole or not at all."""
        owner = Owner(pid=os.getpid(), purpose=purpose, started_at=now(), uri=uri)
        fresh = self._note.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(owner.model_dump_json())
        fresh.replace(self._note)

    def withdraw(self) -> None:
        """Take the note away, so that nobody attaches any more."""
        with suppress(OSError):
            self._note.unlink()

    def release(self) -> None:
        """Give the claim up."""
        self._lock.release()


def read_owner(database_root: Path) -> Owner | None:
    """Return what the note says, or None when there is no readable one. It may be about a dead process."""
    try:
        return Owner.model_validate_json((database_root / NOTE_NAME).read_bytes())
    except (OSError, ValidationError):
        return None


def living_owner(database_root: Path, *, wait_seconds: float) -> Owner | None:
    """Return the owner whose server is ready, or None when nobody holds the claim.

    An owner that is still starting, or just stopping, is waited for.

    Raises:
        DatabaseUnavailable: neither happened within ``wait_seconds``.
    """
    deadline = time.monotonic() + wait_seconds
    while (database_root / LOCK_NAME).exists():
        claim = Claim.take(database_root, timeout_seconds=0)
        if claim is not None:
            claim.release()
            return None
        owner = read_owner(database_root)
        # The lock may be held by another process that merely asks, and the note be a dead owner's: hence the pid.
        if owner is not None and owner.uri is not None and psutil.pid_exists(owner.pid):
            return owner
        if time.monotonic() > deadline:
            raise DatabaseUnavailable(f"{describe_owner(database_root)} does not get its database ready.")
        time.sleep(POLL_SECONDS)
    return None


def describe_owner(database_root: Path) -> str:
    """Return who holds the claim as the subject of a sentence."""
    owner = read_owner(database_root)
    return owner.describe() if owner is not None else "Another ChatBot process"
