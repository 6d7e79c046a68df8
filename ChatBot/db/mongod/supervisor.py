"""The thread that starts mongod, waits for its end, and starts it again while its owner lives."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from ChatBot.errors import SettingsError

log = structlog.get_logger(__name__)

MAXIMUM_RESTARTS = 8
"""Restarts in a row before giving up; a server that lived for ``HEALTHY_SECONDS`` starts the count afresh."""
HEALTHY_SECONDS = 60.0
FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 10.0
STOP_SECONDS = 30.0
"""How long a clean stop may take (0.3 s is usual) before mongod is killed; its journal then recovers everything."""

LAUNCHER = Path(__file__).with_name("launch.py")


class Supervisor:
    """One mongod and the thread that keeps it running.

    The thread that spawns is the thread that waits, for as long as there is a server: Linux sends the parent-death
    signal when the spawning *thread* ends, so a short-lived one would take a healthy server with it.
    """

    def __init__(self, command: Sequence[str], *, output: Path, maximum_restarts: int = MAXIMUM_RESTARTS) -> None:
        self._command = list(command)
        self._output = output
        self._maximum_restarts = maximum_restarts
        self._process: subprocess.Popen[bytes] | None = None
        self._problem: OSError | None = None
        self._spawned = threading.Event()
        self._restarting = threading.Event()
        self._stopping = threading.Event()
        self._guard = threading.Lock()
        # A daemon, so that a program which forgets to stop it can still end; the exit hook of the owner stops it.
        self._thread = threading.Thread(target=self._run, name="mongod-supervisor", daemon=True)

    @property
    def pid(self) -> int | None:
        """Process id of the present mongod, or None before the first."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Whether the thread still looks after a server."""
        return self._thread.is_alive()

    @property
    def exit_code(self) -> int | None:
        """What the last mongod ended with, or None while it runs."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start mongod. Until ``keep_running`` is called its end is final.

        Raises:
            SettingsError: the program cannot be started.
        """
        self._thread.start()
        self._spawned.wait()
        if self._problem is not None:
            raise SettingsError(f"{self._command[0]} cannot be started: {self._problem}.") from self._problem

    def keep_running(self) -> None:
        """From now on, start mongod again whenever it ends without being asked to."""
        self._restarting.set()

    def stop(self, *, timeout_seconds: float = STOP_SECONDS) -> None:
        """End mongod cleanly and wait for it; kill it when that takes longer than ``timeout_seconds``."""
        with self._guard:
            self._stopping.set()
            if self._process is not None:
                self._process.terminate()
        self._join(timeout_seconds)
        if self.running and self._process is not None:
            log.warning("mongod.killed", pid=self.pid, waited_seconds=timeout_seconds)
            self._process.kill()
            self._join(timeout_seconds)

    def _join(self, timeout_seconds: float) -> None:
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        restarts = 0
        while (process := self._spawn()) is not None:
            started = time.monotonic()
            code = process.wait()
            if self._stopping.is_set() or not self._restarting.is_set():
                return
            restarts = 1 if time.monotonic() - started > HEALTHY_SECONDS else restarts + 1
            if restarts > self._maximum_restarts:
                log.error("mongod.given_up", exit_code=code, restarts=self._maximum_restarts, see=str(self._output))
                return
            delay = min(FIRST_DELAY_SECONDS * 2 ** (restarts - 1), LONGEST_DELAY_SECONDS)
            log.warning("mongod.restart", exit_code=code, attempt=restarts, delay_seconds=delay)
            self._stopping.wait(delay)

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        with self._guard:
            if self._stopping.is_set():
                return None
            try:
                self._process = self._popen()
            except OSError as error:
                self._problem = error
                log.error("mongod.not_started", error=str(error))  # noqa: TRY400 - the caller of start gets the cause
                return None
            finally:
                self._spawned.set()
            return self._process

    def _popen(self) -> subprocess.Popen[bytes]:
        prefix: list[str] = []
        if sys.platform == "linux":
            prefix = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid())]
        with self._output.open("ab") as output:
            # A session of its own: Ctrl-C in the terminal is for the application, which stops mongod last.
            return subprocess.Popen(
                [*prefix, *self._command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
