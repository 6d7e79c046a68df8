"""Keys that an installation makes for itself are whole, the same for everybody, and nobody else's."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from ChatBot.errors import SettingsError
from ChatBot.keyfile import read_or_make

TOGETHER = 8


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "key"


def test_a_key_is_made_once_and_kept(path: Path) -> None:
    made = read_or_make(path, lambda: "first")

    again = read_or_make(path, lambda: "second")

    assert made == again == path.read_text() == "first"
    assert [each.name for each in path.parent.iterdir()] == ["key"]


def test_only_this_account_can_read_it(path: Path) -> None:
    read_or_make(path, lambda: "first")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_all_who_begin_together_have_the_same_key(path: Path) -> None:
    barrier = Barrier(TOGETHER)

    def make(number: int) -> str:
        barrier.wait(60)  # each found no key
        return f"key {number}"

    with ThreadPoolExecutor(TOGETHER) as pool:
        keys = set(pool.map(lambda number: read_or_make(path, lambda: make(number)), range(TOGETHER)))

    assert keys == {path.read_text()}


def test_an_empty_key_is_refused_with_what_to_do(path: Path) -> None:
    path.touch()

    with pytest.raises(SettingsError, match="delete it"):
        read_or_make(path, lambda: "never")
