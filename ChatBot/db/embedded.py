"""A MongoDB server of our own for when MONGODB_URI is unset: started, owned, kept alive and stopped by one process.

The process that owns it calls ``EmbeddedServer(...).start(purpose)``; its workers and the admin commands ``attach``
to it. Both may happen in one process. A worker must be a new process, not a fork: a fork would share the claim.
"""

from __future__ import annotations

import atexit
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import structlog

from ChatBot.config import Settings
from ChatBot.db.mongod.address import REPLICA_SET, Address, choose_address
from ChatBot.db.mongod.binary import find_mongod
from ChatBot.db.mongod.orphan import stop_orphan
from ChatBot.db.mongod.owner import Claim, describe_owner, living_owner
from ChatBot.db.mongod.replica_set import make_primary
from ChatBot.db.mongod.supervisor import Supervisor
from ChatBot.errors import ChatBotError, DatabaseUnavailable, SettingsError

log = structlog.get_logger(__name__)

CACHE_GIGABYTES = 0.25
READY_SECONDS = 120.0
"""How long a start may take: 0.6 s is usual, replaying a full journal on a slow disk is not."""
POLL_SECONDS = 0.01
FINISHED_NAME = "chatbot.finished"
"""An empty file among mongod's own that says: this data was once ready, so it may hold acknowledged writes."""
ATTACH_ROUNDS = 3
NOT_STARTED = "The embedded database is not started."


class RunningServer(Protocol):
    """A database server that is ready; ``stop`` ends it if it is ours to end."""

    @property
    def uri(self) -> str:
        """The connection string."""

    def stop(self) -> None:
        """Give it back."""


class AttachedServer:
    """A server that another process, or another part of this one, owns."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def stop(self) -> None:
        """Leave it running: it belongs to its owner."""


class EmbeddedServer:
    """A mongod on ``database_root`` that lives as long as this process, or until ``stop``."""

    def __init__(self, database_root: Path, *, mongod_path: str | None = None, address: Address | None = None) -> None:
        self._root = database_root.absolute()
        self._data = self._root / "data"
        self._log_path = self._root / "mongod.log"
        self._mongod_path = mongod_path
        self._address = address
        self._claim: Claim | None = None
        self._supervisor: Supervisor | None = None
        self._process_id = os.getpid()

    @property
    def uri(self) -> str:
        """The connection string; the same after a crash and restart of mongod.

        Raises:
            DatabaseUnavailable: the server is not started.
        """
        if self._address is None or self._supervisor is None:
            raise DatabaseUnavailable(NOT_STARTED)
        return self._address.uri

    @property
    def pid(self) -> int | None:
        """Process id of mongod, or None when it is not started."""
        return self._supervisor.pid if self._supervisor else None

    def start(self, purpose: str) -> EmbeddedServer:
        """Start mongod, wait until it takes writes, and return this server.

        ``purpose`` completes "ChatBot process 1234 (... since 12:00)": for example ``serving on port 5000``.

        Raises:
            SettingsError: another process owns the database, there is no usable mongod, or it does not start.
            DatabaseUnavailable: mongod runs and does not become writable.
        """
        if not self._try_start(purpose):
            raise SettingsError(
                f"{describe_owner(self._root)} already uses the database in {self._root}; "
                "stop it first, or set STORAGE_ROOT to another folder, or MONGODB_URI to a server."
            )
        return self

    def stop(self) -> None:
        """Stop mongod cleanly and give the database up; calling it again does nothing."""
        if os.getpid() != self._process_id:  # a fork inherited this object and its exit hook, not the server
            return
        atexit.unregister(self.stop)
        if self._claim is None:
            return
        self._claim.withdraw()
        if self._supervisor is not None:
            self._supervisor.stop()
            self._supervisor = None
        if self._address is not None:
            self._address.remove()
        self._claim.release()
        self._claim = None

    def _try_start(self, purpose: str) -> bool:
        _own_folder(self._root)
        self._claim = Claim.take(self._root)
        if self._claim is None:
            return False
        try:
            self._bring_up(self._claim, purpose)
        except BaseException:
            self.stop()
            raise
        return True

    def _bring_up(self, claim: Claim, purpose: str) -> None:
        started = time.monotonic()
        claim.publish(purpose, uri=None)
        _own_folder(self._data)
        stop_orphan(self._data)
        mongod = find_mongod(self._mongod_path)
        self._address = self._address or choose_address(self._root)
        command = self._command(mongod, self._address)
        self._keep_previous_log()
        atexit.register(self.stop)
        try:
            self._launch(command, self._address)
        except ChatBotError as error:
            self._set_aside_unfinished(error)
            self._launch(command, self._address)
        _mark_finished(self._data)
        self._supervised().keep_running()
        claim.publish(purpose, uri=self._address.uri)
        log.info("mongod.started", pid=self.pid, seconds=round(time.monotonic() - started, 3))

    def _launch(self, command: list[str], address: Address) -> None:
        self._supervisor = Supervisor(command, output=self._log_path)
        self._supervisor.start()
        self._wait_until_ready(self._supervisor, address)
        make_primary(address)

    def _set_aside_unfinished(self, problem: ChatBotError) -> None:
        # A first start that was killed half-way leaves files no mongod can open, and nothing anybody was told of.
        # Data that once was ready is never touched; and even these are moved, not deleted.
        if (self._data / FINISHED_NAME).exists():
            raise problem
        self._supervised().stop()
        aside = self._root / f"data.unfinished-{time.time_ns()}"
        self._data.rename(aside)
        _own_folder(self._data)
        log.warning("mongod.unfinished", moved_to=str(aside), problem=str(problem))

    def _supervised(self) -> Supervisor:
        if self._supervisor is None:
            raise DatabaseUnavailable(NOT_STARTED)
        return self._supervisor

    def _command(self, mongod: Path, address: Address) -> list[str]:
        return [
            str(mongod),
            *("--dbpath", str(self._data)),
            *address.prepare(),
            *("--replSet", REPLICA_SET),
            *("--logpath", str(self._log_path), "--logappend", "--quiet"),
            *("--networkMessageCompressors", "disabled"),  # the bytes never leave this machine
            *("--wiredTigerCacheSizeGB", str(CACHE_GIGABYTES)),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]

    def _keep_previous_log(self) -> None:
        with suppress(FileNotFoundError):
            self._log_path.replace(self._log_path.with_suffix(".log.1"))

    def _wait_until_ready(self, supervisor: Supervisor, address: Address) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not address.accepts():
            if not supervisor.running:
                raise SettingsError(
                    f"mongod ended at once (exit code {supervisor.exit_code}): {_last_words(self._log_path)} "
                    f"The whole log is {self._log_path}."
                )
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(f"mongod does not get ready; its log is {self._log_path}.")
            time.sleep(POLL_SECONDS)


def attach(database_root: Path, *, wait_seconds: float = READY_SECONDS) -> str | None:
    """Return the connection string of the server that a living process owns on ``database_root``, or None.

    A server that is just starting is waited for.

    Raises:
        DatabaseUnavailable: it is not ready after ``wait_seconds``.
    """
    owner = living_owner(database_root.absolute(), wait_seconds=wait_seconds)
    return owner.uri if owner is not None else None


def ensure(settings: Settings, purpose: str, *, may_attach: bool) -> RunningServer:
    """Return a ready server on the settings' database folder: the running one if allowed, else one of our own.

    Raises:
        SettingsError: another process owns it and attaching is not allowed, or no server can be started.
        DatabaseUnavailable: the owner, or our server, does not get ready.
    """
    server = EmbeddedServer(settings.database_root, mongod_path=settings.mongod_path)
    for _ in range(ATTACH_ROUNDS if may_attach else 0):
        uri = attach(settings.database_root)
        if uri is not None:
            return AttachedServer(uri)
        if server._try_start(purpose):
            return server
    return server.start(purpose)


def _own_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise SettingsError(
            f"{folder} cannot be this account's private database folder ({error.strerror}); set STORAGE_ROOT."
        ) from error


def _mark_finished(data: Path) -> None:
    descriptor = os.open(data / FINISHED_NAME, os.O_WRONLY | os.O_CREAT, 0o600)
    os.fsync(descriptor)
    os.close(descriptor)


def _last_words(log_path: Path) -> str:
    """Return the last error of mongod's log, or its last line, as one sentence."""
    try:
        lines = log_path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "it left no log."
    for line in reversed(lines):
        with suppress(ValueError, KeyError, TypeError):
            entry = json.loads(line)
            if entry["s"] in {"E", "F"}:
                reason = entry.get("attr", {}).get("error", "")
                return f"{entry['msg']} {reason}".strip()[:300] + "."
    return (lines[-1][:300] if lines else "it said nothing") + "."
