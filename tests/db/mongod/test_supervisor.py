"""A server that ends is started again, but not for ever, and not before it once worked."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from ChatBot.db.mongod.supervisor import Supervisor
from ChatBot.errors import SettingsError

LIVES = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)",
]
PATIENCE_SECONDS = 60.0


def wait_for_end(supervisor: Supervisor) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while supervisor.running:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_program_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    supervisor = Supervisor(["/nowhere/mongod"], output=tmp_path / "absent" / "log")

    with pytest.raises(SettingsError, match="cannot be started"):
        supervisor.start()


def test_an_end_before_it_worked_is_final(tmp_path: Path) -> None:
    supervisor = Supervisor([sys.executable, "-c", "raise SystemExit(7)"], output=tmp_path / "log")

    supervisor.start()
    wait_for_end(supervisor)

    assert supervisor.exit_code == 7


def test_it_gives_up_after_the_restarts_allowed(tmp_path: Path) -> None:
    counter = tmp_path / "starts"
    code = f"import time; open({str(counter)!r}, 'a').write('x'); time.sleep(0.05)"
    supervisor = Supervisor([sys.executable, "-c", code], output=tmp_path / "log", maximum_restarts=3)

    supervisor.start()
    supervisor.keep_running()
    wait_for_end(supervisor)

    assert counter.read_text() == "x" * 4


def test_a_killed_program_gets_a_new_process(tmp_path: Path) -> None:
    supervisor = Supervisor(LIVES, output=tmp_path / "log")
    supervisor.start()
    supervisor.keep_running()
    first = supervisor.pid
    assert first is not None

    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while supervisor.pid == first:
        assert time.monotonic() < deadline
        time.sleep(0.01)

    assert supervisor.running
    supervisor.stop()
    assert not supervisor.running


def test_a_stop_while_waiting_to_restart_starts_nothing(tmp_path: Path) -> None:
    supervisor = Supervisor([sys.executable, "-c", ""], output=tmp_path / "log", maximum_restarts=1000)
    supervisor.start()
    supervisor.keep_running()

    supervisor.stop()
    last = supervisor.pid

    assert not supervisor.running
    assert supervisor.pid == last


def test_a_program_that_ignores_the_polite_stop_is_killed(tmp_path: Path) -> None:
    output = tmp_path / "log"
    supervisor = Supervisor(STUBBORN, output=output)
    supervisor.start()
    while "ready" not in output.read_text():
        time.sleep(0.01)

    supervisor.stop(timeout_seconds=0.2)

    assert not supervisor.running
    assert supervisor.exit_code == -signal.SIGKILL
