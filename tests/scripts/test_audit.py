"""``make audit``: a planted key fails it, stand-ins do not, and an unreachable database is said."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from ChatBot.config import PROJECT_ROOT


def script(name: str) -> ModuleType:
    """Load one of the project's scripts."""
    spec = importlib.util.spec_from_file_location(name, PROJECT_ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def git(folder: Path, *arguments: str) -> None:
    """Run git there."""
    subprocess.run([shutil.which("git") or "git", *arguments], cwd=folder, check=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with a baseline."""
    git(tmp_path, "init", "-q")
    shutil.copy(PROJECT_ROOT / ".secrets.baseline", tmp_path)
    return tmp_path


def planted(project: Path, name: str, text: str) -> int:
    """Return the exit code after a file was added."""
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text(text)
    git(project, "add", "-A")
    code: int = script("secrets_scan").main(project)
    return code


# Put together here, so that this very file holds no key.
KEYS = {
    "AWS": 'key = "AKIA' + 'IOSFODNN7EXAMPLQ"\n',
    "private key": "-----BEGIN " + "RSA PRIVATE KEY-----\nabc\n",
    "entropy": 'value = "' + "9f86d081884c7d659a2f" + 'eaa0c55ad015a3bf4f1b"\n',
}


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("ChatBot", "AWS"),
        ("ChatBot", "private key"),
        ("ChatBot", "entropy"),
        ("tests", "AWS"),
        ("tests", "private key"),
    ],
)
def test_a_planted_key_is_found(project: Path, capsys: pytest.CaptureFixture[str], folder: str, kind: str) -> None:
    assert planted(project, f"{folder}/settings.py", KEYS[kind]) == 1

    assert f"{folder}/settings.py:1" in capsys.readouterr().err


def test_a_stand_in_of_the_tests_is_none(project: Path) -> None:
    assert planted(project, "tests/test_it.py", 'password = "correct horse"\n') == 0


def test_this_project_holds_no_secret_that_nobody_has_looked_at() -> None:
    assert script("secrets_scan").main() == 0


def test_an_unreachable_database_is_said_and_fails_nothing() -> None:
    code, lines = script("advisories").verdict(None)

    assert code == 0
    assert "NOT checked" in lines[0]


def test_libraries_without_an_answer_are_named() -> None:
    report = {"dependencies": [{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "unknown"}]}

    code, lines = script("advisories").verdict(report)

    assert code == 0
    assert lines == [
        "Checked 1 of 2 libraries for known holes: 0.",
        "The advisory database gave no answer about: b.",
    ]


def test_a_known_hole_fails() -> None:
    hole = {"id": "PYSEC-1", "fix_versions": ["1.1"]}

    code, lines = script("advisories").verdict({"dependencies": [{"name": "a", "version": "1", "vulns": [hole]}]})

    assert code == 1
    assert lines[0] == "a 1: PYSEC-1; mended in 1.1"
