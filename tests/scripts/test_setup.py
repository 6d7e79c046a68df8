"""The set-up script, run in an empty folder with a stand-in for the installed environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ChatBot.config import PROJECT_ROOT, Settings

# All that the script may need from the system before it installs anything.
TOOLS = ("sh", "dirname", "id", "cmp", "cp", "rm", "flock")

# Answers like a Python that was found, and makes an environment that holds all requirements.
MAKES_AN_ENVIRONMENT = f"""#!/bin/sh
case "$*" in
*realpath*) echo "$0" ;;
"-m venv "*)
    mkdir -p "$3/bin"
    touch "$3/made-by-the-stand-in"
    cp requirements.txt "$3/installed-requirements.txt"
    cp "$0" "$3/bin/python"
    ;;
*) exec "{sys.executable}" "$@" ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "project with a space"
    (project / "scripts").mkdir(parents=True)
    for name in ("scripts/setup.sh", "requirements.txt", ".env.example"):
        shutil.copy(PROJECT_ROOT / name, project / name)
    return project


def pretend_everything_is_installed(folder: Path) -> None:
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    shutil.copy(folder / "requirements.txt", folder / ".venv" / "installed-requirements.txt")
    (folder / ".venv" / "whole").touch()


def set_up(
    folder: Path, purpose: str = "run", path: str | None = None, python: str = ""
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path or os.environ["PATH"], "PYTHON": python, "LANG": "C.UTF-8"}
    command = ["sh", "scripts/setup.sh", purpose]
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)


def test_settings_file_is_made_private_with_a_fresh_secret_key(folder: Path) -> None:
    pretend_everything_is_installed(folder)

    result = set_up(folder)

    made = folder / ".env"
    settings = Settings(_env_file=made)
    assert result.returncode == 0, result.stderr
    assert made.stat().st_mode & 0o777 == 0o600
    assert settings.secret_key is not None
    assert settings.secret_key not in result.stdout + result.stderr
    assert sorted(path.name for path in folder.glob(".env*")) == [".env", ".env.example"]


def test_two_installations_have_different_secret_keys(folder: Path) -> None:
    pretend_everything_is_installed(folder)

    set_up(folder)
    first = (folder / ".env").read_text()
    (folder / ".env").unlink()
    set_up(folder)

    assert (folder / ".env").read_text() != first


def test_existing_settings_file_is_left_as_it_is(folder: Path) -> None:
    pretend_everything_is_installed(folder)
    (folder / ".env").write_text("PORT=8080\n")

    result = set_up(folder)

    assert (folder / ".env").read_text() == "PORT=8080\n"
    assert (result.returncode, result.stdout) == (0, "")


def test_installation_that_was_cut_off_is_made_again_from_nothing(folder: Path) -> None:
    pretend_everything_is_installed(folder)
    (folder / ".venv" / "whole").unlink()
    python = folder / "stand-in-python"
    python.write_text(MAKES_AN_ENVIRONMENT)
    python.chmod(0o755)

    result = set_up(folder, python=str(python))

    assert result.returncode == 0, result.stderr
    assert (folder / ".venv" / "made-by-the-stand-in").exists()
    assert (folder / ".venv" / "whole").exists()


def test_failed_installation_is_not_taken_for_a_whole_one(folder: Path) -> None:
    pretend_everything_is_installed(folder)
    (folder / "requirements.txt").write_text("./no-such-package\n")

    result = set_up(folder)

    assert result.returncode == 4
    assert "could not install requirements.txt" in result.stderr
    assert not (folder / ".venv" / "whole").exists()


def test_too_old_a_python_is_refused_with_what_to_install(folder: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in TOOLS:
        (programs / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
    old_python = programs / "python3"
    old_python.write_text("#!/bin/sh\nexit 1\n")
    old_python.chmod(0o755)

    result = set_up(folder, path=str(programs))

    assert result.returncode == 4
    assert "Python 3.11 or later is needed" in result.stderr
    assert not (folder / ".venv").exists()


def test_unknown_purpose_is_a_usage_error(folder: Path) -> None:
    result = set_up(folder, purpose="everything")

    assert result.returncode == 2
    assert "usage" in result.stderr
