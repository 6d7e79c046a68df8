"""Picture files on the local disk: whole or absent, never half, never through a link."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ChatBot.errors import BytesMissing, IntegrityError, StorageError, StorageFull
from ChatBot.media.paths import ALL_FOLDERS, LOCK_SUFFIX, ORIGINAL_FOLDERS, THUMBNAIL_WIDTHS, StoragePaths
from ChatBot.media.quarantine import Quarantine
from ChatBot.sentence import Sentence

TEMPORARY_SUFFIX = ".tmp"

# Windows has neither flag; there a link cannot be followed by accident of an upload, as names are our own.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NO_BLOCK = getattr(os, "O_NONBLOCK", 0)  # opening a FIFO without a writer would wait for ever
_BINARY = getattr(os, "O_BINARY", 0)
_WRITE_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | _NO_FOLLOW | _BINARY
_READ = os.O_RDONLY | os.O_CLOEXEC | _NO_FOLLOW | _NO_BLOCK | _BINARY

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_ABSENT = frozenset({errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.EISDIR})


@dataclass(frozen=True)
class Syscalls:
    """The system calls that can fail on a bad disk, so that each failure can be tried."""

    open: Callable[[Path, int, int], int] = os.open
    write: Callable[[int, memoryview], int] = os.write
    fsync: Callable[[int], None] = os.fsync
    replace: Callable[[Path, Path], None] = os.replace
    unlink: Callable[[Path], None] = os.unlink


@dataclass(frozen=True)
class StoredFile:
    """One entry of a storage folder; ``size`` in bytes, ``mtime`` in seconds since the epoch."""

    folder: str
    filename: str
    size: int
    mtime: float

    @property
    def temporary(self) -> bool:
        """Whether it is what an interrupted write left behind."""
        return self.filename.startswith(".") and self.filename.endswith(TEMPORARY_SUFFIX)


class FileStore:
    """The files under one ``StoragePaths``.

    Raises ``BytesMissing`` (no plain file of that name), ``StorageFull`` or ``StorageError``; nothing else.
    """

    def __init__(self, paths: StoragePaths, syscalls: Syscalls | None = None) -> None:
        self._paths = paths
        self._calls = syscalls or Syscalls()
        self._quarantine = Quarantine(paths)

    def write(
        self, folder: str, filename: str, data: bytes, *, replace: bool = False, durable_name: bool = True
    ) -> None:
        """Keep ``data`` durably under its final name; writing the same bytes again is fine.

        ``replace`` heals a damaged file. Without it, other bytes under that name raise ``StorageError``. Without
        ``durable_name`` the bytes survive a power cut and their name only after ``sync_originals``.
        """
        path = self._paths.original(folder, filename)
        if not replace and os.path.lexists(path):
            self._require_same(path, data)
            return
        self._write(path, data, durable_name=durable_name)

    def sync_originals(self) -> None:
        """Make the names of all pictures durable that were written so far."""
        for folder in ORIGINAL_FOLDERS:
            self._sync_folder(self._paths.root / folder)

    def read(self, folder: str, filename: str, expected_sha256: str | None = None) -> bytes:
        """Return the bytes of a picture.

        Raises:
            IntegrityError: their SHA-256 is not ``expected_sha256``.
        """
        data = self._read(self._paths.original(folder, filename))
        if expected_sha256 is not None and hashlib.sha256(data).hexdigest() != expected_sha256:
            raise IntegrityError(f"The file {filename} is not the picture that was stored.")
        return data

    def read_stray(self, folder: str, filename: str) -> bytes:
        """Return the bytes of a plain file in a storage folder, whatever its name."""
        return self._read(self._paths.leftover(folder, filename))

    def open(self, folder: str, filename: str) -> tuple[BinaryIO, os.stat_result]:
        """Return an open file and its status, for streaming; the caller closes the file."""
        return self._open(self._paths.original(folder, filename))

    def exists(self, folder: str, filename: str) -> bool:
        """Return whether a plain file of that name is there."""
        path = self._paths.original(folder, filename)
        try:
            return stat.S_ISREG(path.lstat().st_mode)
        except OSError as error:
            if error.errno in _ABSENT:
                return False
            raise _translate(error, "looked up") from error

    def delete(self, folder: str, filename: str) -> None:
        """Remove a picture's file durably, from quarantine too; it may be gone already."""
        path = self._paths.original(folder, filename)
        if self._unlink(path):
            self._sync_folder(path.parent)
        self._quarantine.forget(folder, filename)

    def write_thumbnail(self, image_id: str, width: int, data: bytes) -> None:
        """Keep a thumbnail. It can be made again, so its name need not survive a power cut."""
        self._write(self._paths.thumbnail(image_id, width), data, durable_name=False)

    def read_thumbnail(self, image_id: str, width: int) -> bytes:
        """Return the bytes of a thumbnail."""
        return self._read(self._paths.thumbnail(image_id, width))

    def delete_thumbnails(self, image_id: str) -> None:
        """Remove all thumbnails of a picture."""
        for width in THUMBNAIL_WIDTHS:
            self._unlink(self._paths.thumbnail(image_id, width))

    def write_record(self, filename: str, data: bytes, *, durable_name: bool = False) -> None:
        """Keep a record, in place of an older one. MongoDB has the same, so its name need not survive a power cut."""
        self._write(self._paths.record(filename), data, durable_name=durable_name)

    def read_record(self, filename: str) -> bytes:
        """Return the bytes of a record."""
        return self._read(self._paths.record(filename))

    def delete_record(self, filename: str) -> None:
        """Remove a record; it may be gone already."""
        self._unlink(self._paths.record(filename))

    def list_files(self, folders: Sequence[str] = ALL_FOLDERS) -> Iterator[StoredFile]:
        """Yield what lies in the folders, leftovers of interrupted writes and strangers included."""
        for folder in folders:
            try:
                with os.scandir(self._paths.root / folder) as entries:
                    yield from (found for entry in entries if (found := _describe(folder, entry)))
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _translate(error, "listed") from error

    def entry(self, folder: str, filename: str) -> StoredFile | None:
        """Return what lies under that name as ``list_files`` would, None when nothing does."""
        try:
            status = self._paths.leftover(folder, filename).lstat()
        except OSError:
            return None
        return None if stat.S_ISDIR(status.st_mode) else StoredFile(folder, filename, status.st_size, status.st_mtime)

    def discard(self, entry: StoredFile) -> None:
        """Remove an entry that ``list_files`` yielded; it may be gone already."""
        self._unlink(self._paths.leftover(entry.folder, entry.filename))

    def free_bytes(self) -> int:
        """Return how many bytes this account can still write."""
        try:
            return shutil.disk_usage(self._paths.root).free
        except OSError as error:
            raise _translate(error, "measured") from error

    def _require_same(self, path: Path, data: bytes) -> None:
        try:
            same = self._read(path) == data
        except BytesMissing:
            same = False
        if not same:
            raise StorageError(f"Something else is already stored as {path.name}.")

    def _write(self, path: Path, data: bytes, *, durable_name: bool) -> None:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{TEMPORARY_SUFFIX}")
        try:
            self._write_temporary(temporary, data)
            self._calls.replace(temporary, path)
        except BaseException as error:
            # After a failed fsync the kernel may have dropped the pages: the file can never be trusted again.
            self._forget(temporary)
            if isinstance(error, OSError):
                raise _translate(error, "written") from error
            raise
        if durable_name:
            self._sync_folder(path.parent)

    def _write_temporary(self, path: Path, data: bytes) -> None:
        descriptor = self._calls.open(path, _WRITE_NEW, 0o600)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._calls.write(descriptor, rest) :]
            self._calls.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _forget(self, temporary: Path) -> None:
        try:
            self._calls.unlink(temporary)
        except OSError:
            return  # the error that brought us here says more; cleanup removes what is left

    def _sync_folder(self, folder: Path) -> None:
        if os.name == "nt":
            return  # Windows cannot open a folder for fsync
        try:
            descriptor = self._calls.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, 0)
            try:
                self._calls.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _translate(error, "made durable") from error

    def _open(self, path: Path) -> tuple[BinaryIO, os.stat_result]:
        try:
            descriptor = self._calls.open(path, _READ, 0)
        except OSError as error:
            raise _translate(error, "opened") from error
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise BytesMissing(f"{path.name} is not a plain file.")
        return os.fdopen(descriptor, "rb"), status

    def _read(self, path: Path) -> bytes:
        file, _ = self._open(path)
        try:
            with file:
                return file.read()
        except OSError as error:
            raise _translate(error, "read") from error

    def _unlink(self, path: Path) -> bool:
        try:
            self._calls.unlink(path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _translate(error, "deleted") from error
        return True


def _describe(folder: str, entry: os.DirEntry[str]) -> StoredFile | None:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None  # deleted between the listing and the look
    if stat.S_ISDIR(status.st_mode) or entry.name == ".gitkeep" or entry.name.endswith(LOCK_SUFFIX):
        return None
    return StoredFile(folder, entry.name, status.st_size, status.st_mtime)


def _translate(error: OSError, action: str) -> StorageError:
    if error.errno in _FULL:
        return StorageFull(Sentence("The disk has no room left."))
    if error.errno in _ABSENT and action in ("opened", "read"):
        return BytesMissing("There is no plain file of that name.")
    return StorageError(
        Sentence("The file could not be %(action)s: %(why)s.", action=action, why=error.strerror or str(error))
    )
