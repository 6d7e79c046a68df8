"""A second server on the same storage is refused; admin commands use the one that runs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.fixtures.ports import free_port
from tests.fixtures.server import Person, ServerProcess

pytestmark = pytest.mark.server


def start_again(server: ServerProcess, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m ChatBot`` with the server's environment and some changes until it ends."""
    return subprocess.run(
        [sys.executable, "-m", "ChatBot"],
        cwd=server.folder, env={**server.environment, **changes}, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip


def test_a_second_server_says_who_has_the_storage(server: ServerProcess) -> None:
    second = start_again(server, PORT=str(free_port()))

    assert second.returncode == 4
    assert f"ChatBot process {server.process.pid} (serving on port {server.port} since" in second.stderr
    assert "STORAGE_ROOT" in second.stderr
    assert "Traceback" not in second.stderr
    assert server.answers()


def test_a_second_server_does_not_share_the_port_in_silence(server: ServerProcess) -> None:
    second = start_again(server, STORAGE_ROOT=str(server.folder / "elsewhere" / "Storage"))

    assert second.returncode == 4
    assert f"Port {server.port} of 127.0.0.1 cannot be listened on" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_wrong_setting_is_one_sentence(server: ServerProcess) -> None:
    elsewhere = str(server.folder / "another" / "Storage")

    second = start_again(server, PORT="0", STORAGE_ROOT=elsewhere, IMAGE_GENERATOR="nonsense")

    assert second.returncode == 4
    assert second.stderr.splitlines()[-1].startswith("IMAGE_GENERATOR is 'nonsense'")
    assert "Traceback" not in second.stderr


def test_statistics_come_from_the_running_server(server: ServerProcess, person: Person) -> None:
    person.draw()

    answer = server.command("images", "stats", "--json")

    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["totals"]["images"] >= 1
    assert server.answers()


def test_an_account_made_by_a_command_can_log_in(server: ServerProcess) -> None:
    made = server.command("users", "create", "carol", "--password", "correct horse battery", "--json")

    with Person(server) as carol:
        answer = carol.post("/api/auth/login", json={"username": "carol", "password": "correct horse battery"})

    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["username"] == answer.json()["username"] == "carol"
