"""The server program is found in order, checked, and its absence explained."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ChatBot.db.mongod.binary import find_mongod, why_not
from ChatBot.errors import SettingsError


def program(folder: Path, says: str, exit_code: int = 0) -> Path:
    """Make a ``mongod`` that only prints ``says``."""
    folder.mkdir(exist_ok=True)
    path = folder / "mongod"
    path.write_text(f"#!{sys.executable}\nimport sys\nprint({says!r})\nsys.exit({exit_code})\n")
    path.chmod(0o755)
    return path


def test_the_setting_is_the_only_candidate(tmp_path: Path) -> None:
    chosen = program(tmp_path / "chosen", "db version v7.0.1")
    program(tmp_path / "path", "db version v8.0.0")

    assert find_mongod(str(chosen), search_path=str(tmp_path / "path")) == chosen


def test_a_wrong_setting_is_not_replaced_by_something_else(tmp_path: Path) -> None:
    program(tmp_path / "path", "db version v8.0.0")

    with pytest.raises(SettingsError, match="MONGOD_PATH"):
        find_mongod(str(tmp_path / "absent"), search_path=str(tmp_path / "path"))


def test_path_comes_before_the_wheel(tmp_path: Path) -> None:
    installed = program(tmp_path / "path", "db version v6.0.0")

    assert find_mongod(None, search_path=str(installed.parent)) == installed


def test_an_old_mongod_on_path_gives_way_to_the_wheel(tmp_path: Path) -> None:
    old = program(tmp_path / "path", "db version v5.0.31")

    found = find_mongod(None, search_path=str(old.parent))

    assert found != old
    assert found.name.startswith("mongod")


def test_without_any_mongod_the_sentence_names_the_ways_out(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        find_mongod(None, search_path=str(tmp_path), wheels=("no-such-distribution",))

    for way in ("Install MongoDB", "MONGODB_URI", "compose"):
        assert way in str(caught.value)


def test_an_old_mongod_alone_is_named_with_the_version_needed(tmp_path: Path) -> None:
    old = program(tmp_path / "path", "db version v4.4.6")

    with pytest.raises(SettingsError, match=r"MongoDB 4\.4; 6\.0 is needed.*MONGODB_URI"):
        find_mongod(None, search_path=str(old.parent), wheels=())


@pytest.mark.parametrize(("says", "exit_code"), [("hello", 0), ("db version v8.0.0", 3)])
def test_a_program_that_is_not_a_working_mongod_is_refused(tmp_path: Path, says: str, exit_code: int) -> None:
    odd = program(tmp_path / "path", says, exit_code)

    with pytest.raises(SettingsError, match="does not run"):
        find_mongod(str(odd))


@pytest.mark.parametrize(
    ("stderr", "sentence"),
    [
        (
            "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file: No such file",
            "the shared library libcurl.so.4 is missing; on Debian: apt-get install libcurl4.",
        ),
        (
            "mongod: error while loading shared libraries: libodd.so.1: cannot open shared object file: No such file",
            "the shared library libodd.so.1 is missing.",
        ),
        (
            "mongod: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by mongod)",
            "the shared library libc.so.6 is too old for it (GLIBC_2.34 is needed).",
        ),
        ("Illegal instruction", "Illegal instruction."),
        ("", "it says nothing."),
    ],
)
def test_what_the_linker_says_becomes_advice(stderr: str, sentence: str) -> None:
    assert why_not(stderr) == sentence
