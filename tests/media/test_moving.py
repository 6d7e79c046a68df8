"""Files that move between two file systems: whole in the new place before the old one goes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ChatBot.errors import StorageError
from ChatBot.media.moving import move
from ChatBot.media.paths import StoragePaths
from ChatBot.media.quarantine import HeldFile, Quarantine

ELSEWHERE = Path("/dev/shm")  # noqa: S108 - the one other file system that every Linux has
NAME = f"{'a' * 32}.png"
PLAN = "b" * 32


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    if not ELSEWHERE.is_dir() or ELSEWHERE.stat().st_dev == tmp_path.stat().st_dev:
        pytest.fail("This test needs a second file system at /dev/shm: mount a tmpfs there.")
    with tempfile.TemporaryDirectory(dir=ELSEWHERE) as folder:
        yield Path(folder)


@pytest.fixture
def storage(tmp_path: Path, other_disk: Path) -> StoragePaths:
    """Storage whose quarantine is a volume of its own."""
    paths = StoragePaths(tmp_path)
    paths.ensure()
    (tmp_path / "quarantine").symlink_to(other_disk)
    return paths


def test_a_file_goes_into_quarantine_on_another_file_system_and_comes_back(
    storage: StoragePaths, other_disk: Path
) -> None:
    quarantine, path = Quarantine(storage), storage.original("uploads", NAME)
    path.write_bytes(b"picture")
    os.utime(path, (1_000_000, 1_000_000))

    quarantine.hold(PLAN, "uploads", NAME)

    held = [entry for entry in other_disk.rglob("*") if entry.is_file()]
    assert not path.exists()
    assert [(entry.name, entry.read_bytes()) for entry in held] == [(NAME, b"picture")]
    assert quarantine.put_back(HeldFile(PLAN, "uploads", NAME, 7))
    assert path.read_bytes() == b"picture"
    assert path.stat().st_mtime == 1_000_000
    assert not [entry for entry in other_disk.rglob("*") if entry.is_file()]


def test_what_is_no_plain_file_stays_where_it_is_and_the_reason_is_said(storage: StoragePaths) -> None:
    path = storage.leftover("uploads", "pipe")
    os.mkfifo(path)

    with pytest.raises(StorageError, match="another file system"):
        Quarantine(storage).hold(PLAN, "uploads", "pipe")

    assert path.exists()


def test_a_copy_that_fails_leaves_the_old_file_and_no_half_one(tmp_path: Path, other_disk: Path) -> None:
    source, blocked = tmp_path / NAME, other_disk / NAME
    source.write_bytes(b"picture")
    blocked.mkdir()

    with pytest.raises(OSError, match="directory"):
        move(source, blocked)

    assert source.read_bytes() == b"picture"
    assert list(other_disk.iterdir()) == [blocked]
