"""Files that were taken out of the way but not deleted: ``quarantine/<plan id>/<folder>/<file>`` under Storage."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ChatBot.errors import BytesMissing, StorageError
from ChatBot.media.moving import move
from ChatBot.media.paths import StoragePaths
from ChatBot.media.texts import sync_folder

QUARANTINE_FOLDER = "quarantine"

_PLAN_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True)
class HeldFile:
    """A file in quarantine: under which plan it was taken, where it was before, and its size in bytes."""

    plan_id: str
    folder: str
    filename: str
    size: int


class Quarantine:
    """Moves files into quarantine and back, so that each is always whole in one of both places.

    Raises ``BytesMissing`` (there is no such file) or ``StorageError``; nothing else.
    """

    def __init__(self, paths: StoragePaths) -> None:
        self._paths = paths
        self._root = paths.root / QUARANTINE_FOLDER

    def hold(self, plan_id: str, folder: str, filename: str) -> None:
        """Take a file out of its folder."""
        source, target = self._paths.leftover(folder, filename), self._path(plan_id, folder, filename)
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            move(source, target)
        except OSError as error:
            raise _translate(error, filename) from error

    def put_back(self, held: HeldFile) -> bool:
        """Return a file to its folder; False when there is one of that name, which is then left alone."""
        source = self._path(held.plan_id, held.folder, held.filename)
        target = self._paths.leftover(held.folder, held.filename)
        if os.path.lexists(target):
            return False
        try:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            move(source, target)
        except OSError as error:
            raise _translate(error, held.filename) from error
        return True

    def read(self, held: HeldFile) -> bytes:
        """Return the bytes of a file in quarantine."""
        path = self._path(held.plan_id, held.folder, held.filename)
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
            with os.fdopen(descriptor, "rb") as file:
                return file.read()
        except OSError as error:
            raise _translate(error, held.filename) from error

    def drop(self, held: HeldFile) -> None:
        """Delete a file in quarantine for good; it may be gone already."""
        try:
            self._path(held.plan_id, held.folder, held.filename).unlink(missing_ok=True)
        except OSError as error:
            raise _translate(error, held.filename) from error

    def forget(self, folder: str, filename: str) -> None:
        """Delete every quarantined file of that name: its picture is being deleted for good."""
        for plan_id in self.plan_ids():
            self.drop(HeldFile(plan_id, folder, filename, 0))

    def plan_ids(self) -> list[str]:
        """Return the plans that files are held under."""
        try:
            return sorted(entry.name for entry in self._root.iterdir() if _PLAN_ID.fullmatch(entry.name))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise _translate(error, QUARANTINE_FOLDER) from error

    def held(self, plan_id: str) -> Iterator[HeldFile]:
        """Yield what was taken under a plan and not yet put back or dropped."""
        try:
            for folder in sorted(self._folder(plan_id).glob("*/")):
                for entry in sorted(folder.iterdir()):
                    yield HeldFile(plan_id, folder.name, entry.name, entry.lstat().st_size)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _translate(error, plan_id) from error

    def taken_at(self, plan_id: str) -> float:
        """Return when a plan's folder last changed, in seconds since the epoch."""
        try:
            return self._folder(plan_id).stat().st_mtime
        except OSError as error:
            raise _translate(error, plan_id) from error

    def make_durable(self, plan_id: str) -> None:
        """Let the moves into a plan's folders survive a power cut."""
        try:
            for folder in self._folder(plan_id).iterdir():
                sync_folder(folder)
                sync_folder(self._paths.root / folder.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise _translate(error, plan_id) from error

    def close(self, plan_id: str) -> None:
        """Remove the folder of a plan that holds nothing any more; one that does is left alone."""
        if not any(self.held(plan_id)):
            shutil.rmtree(self._folder(plan_id), ignore_errors=True)

    def _folder(self, plan_id: str) -> Path:
        if not _PLAN_ID.fullmatch(plan_id):
            raise BytesMissing("There is no plan of that name.")
        return self._root / plan_id

    def _path(self, plan_id: str, folder: str, filename: str) -> Path:
        return self._folder(plan_id) / self._paths.leftover(folder, filename).relative_to(self._paths.root)


def _translate(error: OSError, name: str) -> StorageError:
    if isinstance(error, FileNotFoundError):
        return BytesMissing(f"There is no file {name}.")
    return StorageError(f"{name} could not be moved or read: {error.strerror or error}.")
