"""Files on a good disk, on a bad one, and in the hands of somebody hostile."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ChatBot.errors import BytesMissing, IntegrityError, StorageError, StorageFull
from ChatBot.media.files import FileStore, StoredFile, Syscalls
from ChatBot.media.paths import StoragePaths

ID = "0123456789abcdef" * 2
NAME = f"{ID}.png"
DATA = bytes(range(256)) * 100


@pytest.fixture
def paths(tmp_path: Path) -> StoragePaths:
    paths = StoragePaths(tmp_path / "Storage")
    paths.ensure()
    return paths


@pytest.fixture
def store(paths: StoragePaths) -> FileStore:
    return FileStore(paths)


def failing(number: int) -> Callable[..., Any]:
    def call(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


def test_what_was_written_is_read_back(store: FileStore) -> None:
    store.write("Image_Gen", NAME, DATA)

    assert store.read("Image_Gen", NAME, hashlib.sha256(DATA).hexdigest()) == DATA
    assert store.exists("Image_Gen", NAME)
    assert not store.exists("uploads", NAME)


def test_a_written_file_is_readable_by_this_account_only(store: FileStore, paths: StoragePaths) -> None:
    store.write("uploads", NAME, DATA)

    assert paths.original("uploads", NAME).stat().st_mode & 0o777 == 0o600


def test_the_same_bytes_may_be_written_twice(store: FileStore) -> None:
    store.write("Image_Gen", NAME, DATA)
    store.write("Image_Gen", NAME, DATA)

    assert store.read("Image_Gen", NAME) == DATA


def test_a_different_picture_is_never_overwritten(store: FileStore) -> None:
    store.write("Image_Gen", NAME, DATA)

    with pytest.raises(StorageError):
        store.write("Image_Gen", NAME, b"another picture")

    assert store.read("Image_Gen", NAME) == DATA


def test_healing_replaces_damaged_bytes(store: FileStore, paths: StoragePaths) -> None:
    paths.original("Image_Gen", NAME).write_bytes(b"damaged")

    store.write("Image_Gen", NAME, DATA, replace=True)

    assert store.read("Image_Gen", NAME) == DATA


def test_healing_replaces_a_symlink_and_leaves_its_target_alone(
    store: FileStore, paths: StoragePaths, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    paths.original("Image_Gen", NAME).symlink_to(target)

    store.write("Image_Gen", NAME, DATA, replace=True)

    assert target.read_bytes() == b"precious"
    assert store.read("Image_Gen", NAME) == DATA


def test_changed_bytes_are_not_given_out(store: FileStore, paths: StoragePaths) -> None:
    store.write("Image_Gen", NAME, DATA)
    path = paths.original("Image_Gen", NAME)
    path.write_bytes(DATA[:-1] + b"!")

    with pytest.raises(IntegrityError):
        store.read("Image_Gen", NAME, hashlib.sha256(DATA).hexdigest())


def test_symlink_is_no_picture(store: FileStore, paths: StoragePaths) -> None:
    paths.original("Image_Gen", NAME).symlink_to("/etc/passwd")

    with pytest.raises(BytesMissing):
        store.read("Image_Gen", NAME)
    with pytest.raises(BytesMissing):
        store.open("Image_Gen", NAME)
    with pytest.raises(StorageError):
        store.write("Image_Gen", NAME, DATA)
    assert not store.exists("Image_Gen", NAME)


def test_fifo_is_no_picture_and_does_not_block(store: FileStore, paths: StoragePaths) -> None:
    os.mkfifo(paths.original("Image_Gen", NAME))

    with pytest.raises(BytesMissing):
        store.read("Image_Gen", NAME)


def test_a_folder_is_no_picture(store: FileStore, paths: StoragePaths) -> None:
    paths.original("Image_Gen", NAME).mkdir()

    with pytest.raises(BytesMissing):
        store.read("Image_Gen", NAME)
    with pytest.raises(StorageError):
        store.delete("Image_Gen", NAME)


def test_an_absent_file_is_missing_bytes(store: FileStore) -> None:
    with pytest.raises(BytesMissing):
        store.read("Image_Gen", NAME)


def test_an_open_file_streams_with_its_size(store: FileStore) -> None:
    store.write("uploads", NAME, DATA)

    file, status = store.open("uploads", NAME)

    with file:
        assert file.read(10) == DATA[:10]
        assert status.st_size == len(DATA)


def test_deleting_twice_is_fine(store: FileStore) -> None:
    store.write("uploads", NAME, DATA)

    store.delete("uploads", NAME)
    store.delete("uploads", NAME)

    assert not store.exists("uploads", NAME)


def test_a_deletion_is_durable(paths: StoragePaths) -> None:
    synced: list[Path] = []

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").resolve())

    FileStore(paths).write("uploads", NAME, DATA)
    FileStore(paths, Syscalls(fsync=fsync)).delete("uploads", NAME)

    assert synced == [(paths.root / "uploads").resolve()]


def test_thumbnails_come_and_go(store: FileStore) -> None:
    store.write_thumbnail(ID, 256, b"small")
    store.write_thumbnail(ID, 256, b"newer")
    store.write_thumbnail(ID, 512, b"large")

    assert store.read_thumbnail(ID, 256) == b"newer"
    store.delete_thumbnails(ID)
    with pytest.raises(BytesMissing):
        store.read_thumbnail(ID, 512)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
def test_a_full_disk_leaves_nothing_behind(paths: StoragePaths, call: str, number: int) -> None:
    store = FileStore(paths, Syscalls(**{call: failing(number)}))

    with pytest.raises(StorageFull):
        store.write("Image_Gen", NAME, DATA)

    assert list(store.list_files()) == []


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.EMFILE, errno.EACCES])
@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
def test_a_bad_disk_is_a_storage_error_and_leaves_nothing_behind(paths: StoragePaths, call: str, number: int) -> None:
    store = FileStore(paths, Syscalls(**{call: failing(number)}))

    with pytest.raises(StorageError) as caught:
        store.write("Image_Gen", NAME, DATA)

    assert type(caught.value) is StorageError
    assert list(store.list_files()) == []


def test_a_failed_heal_keeps_the_old_file(paths: StoragePaths) -> None:
    FileStore(paths).write("Image_Gen", NAME, DATA)
    broken = FileStore(paths, Syscalls(fsync=failing(errno.EIO)))

    with pytest.raises(StorageError):
        broken.write("Image_Gen", NAME, b"new", replace=True)

    assert FileStore(paths).read("Image_Gen", NAME) == DATA


def test_short_writes_are_continued(paths: StoragePaths) -> None:
    store = FileStore(paths, Syscalls(write=lambda descriptor, data: os.write(descriptor, data[:1000])))

    store.write("Image_Gen", NAME, DATA)

    assert store.read("Image_Gen", NAME) == DATA


def test_the_bytes_are_durable_before_they_get_their_name_and_the_name_after(paths: StoragePaths) -> None:
    order: list[str] = []

    def fsync(descriptor: int) -> None:
        order.append("folder" if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir() else "file")
        os.fsync(descriptor)

    def replace(source: Path, target: Path) -> None:
        order.append("rename")
        source.replace(target)

    FileStore(paths, Syscalls(fsync=fsync, replace=replace)).write("Image_Gen", NAME, DATA)

    assert order == ["file", "rename", "folder"]


def test_an_interrupted_write_is_listed_as_temporary_and_can_be_discarded(paths: StoragePaths) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    store = FileStore(paths, Syscalls(replace=interrupted, unlink=failing(errno.EIO)))
    with pytest.raises(KeyboardInterrupt):
        store.write("Image_Gen", NAME, DATA)

    [left] = FileStore(paths).list_files()
    FileStore(paths).discard(left)

    assert left.temporary
    assert left.size == len(DATA)
    assert list(FileStore(paths).list_files()) == []


def test_the_listing_names_every_file_but_the_placeholders_of_git(store: FileStore, paths: StoragePaths) -> None:
    store.write("Image_Gen", NAME, DATA)
    store.write_thumbnail(ID, 256, b"small")
    (paths.root / "uploads" / ".gitkeep").touch()
    (paths.root / "uploads" / "stranger.html").write_text("hello")

    found = {(entry.folder, entry.filename, entry.size, entry.temporary) for entry in store.list_files()}

    assert found == {
        ("Image_Gen", NAME, len(DATA), False),
        ("thumbnails", f"{ID}_256.webp", 5, False),
        ("uploads", "stranger.html", 5, False),
    }


def test_discarding_cannot_reach_another_folder(store: FileStore) -> None:
    with pytest.raises(BytesMissing):
        store.discard(StoredFile("uploads", "../../secret", 1, 0.0))


def test_missing_folders_list_as_empty(tmp_path: Path) -> None:
    assert list(FileStore(StoragePaths(tmp_path / "nowhere")).list_files()) == []


def test_free_space_is_a_number_of_bytes(store: FileStore, tmp_path: Path) -> None:
    assert store.free_bytes() > 0
    with pytest.raises(StorageError):
        FileStore(StoragePaths(tmp_path / "nowhere")).free_bytes()
