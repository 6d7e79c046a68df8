"""A mongod that outlived its owner is stopped; nothing else ever is."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ChatBot.db.embedded import EmbeddedServer
from ChatBot.db.mongod.binary import find_mongod
from ChatBot.db.mongod.orphan import stop_orphan


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is no mongod."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "--dbpath", "elsewhere"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def orphan(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A mongod on ``tmp_path``'s data that no owner looks after."""
    data = tmp_path / "data"
    data.mkdir()
    folder = Path(tempfile.mkdtemp(prefix="orphan-"))  # pytest's own folder is too long for a socket
    process = subprocess.Popen(
        [str(find_mongod(None)), "--dbpath", str(data), "--bind_ip", str(folder / "m.sock"), "--nounixsocket"],
        stdout=subprocess.DEVNULL,
    )
    with socket.socket(socket.AF_UNIX) as probe:
        while probe.connect_ex(str(folder / "m.sock")) != 0:
            assert process.poll() is None
            time.sleep(0.02)
    yield process
    process.kill()
    process.wait()
    shutil.rmtree(folder)


def test_a_start_takes_over_from_an_orphan(tmp_path: Path, orphan: subprocess.Popen[bytes]) -> None:
    server = EmbeddedServer(tmp_path).start("taking over")

    assert orphan.wait() == 0
    server.stop()


def test_another_program_with_the_noted_number_is_left_alone(tmp_path: Path, stranger: subprocess.Popen[bytes]) -> None:
    (tmp_path / "mongod.lock").write_text(f"{stranger.pid}\n")

    stop_orphan(tmp_path)

    assert stranger.poll() is None


def test_a_mongod_on_another_folder_is_left_alone(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "theirs").start("living")
    ours = tmp_path / "ours"
    ours.mkdir()
    (ours / "mongod.lock").write_text(f"{server.pid}\n")
    pid = server.pid

    stop_orphan(ours)

    assert server.pid == pid
    assert server._supervisor is not None
    assert server._supervisor.exit_code is None
    server.stop()


@pytest.mark.parametrize("content", [None, "", "0", "nonsense", "999999999"])
def test_a_lock_file_that_names_nobody_is_fine(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "mongod.lock").write_text(content)

    stop_orphan(tmp_path)
