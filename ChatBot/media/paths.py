"""Where the files of a picture live, and the only names they may have."""

from __future__ import annotations

import re
from pathlib import Path

from ChatBot.errors import BytesMissing, StorageError

ORIGINAL_FOLDERS = ("Image_Gen", "uploads")
THUMBNAIL_FOLDER = "thumbnails"
RECORD_FOLDER = "records"
ALL_FOLDERS = (*ORIGINAL_FOLDERS, THUMBNAIL_FOLDER, RECORD_FOLDER)
LOCK_SUFFIX = ".lock"
THUMBNAIL_WIDTHS = (256, 512, 1024)
"""Widths in pixels, narrow to wide."""

_ORIGINAL_NAME = re.compile(r"[0-9a-f]{32}\.(?:png|jpg|gif|webp|pdf)", re.ASCII)
_RECORD_NAME = re.compile(r"(?:[clmstu]-[0-9a-f]{32}|complete)\.json", re.ASCII)
_IMAGE_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class StoragePaths:
    """The folders under ``root``; every name is checked against an allow-list before it becomes a path.

    Whatever is not an allowed name raises ``BytesMissing``: to the outside it is a file that does not exist.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def original(self, folder: str, filename: str) -> Path:
        """Return the path of a picture: ``folder`` is Image_Gen or uploads, ``filename`` is ``<id>.<extension>``."""
        if folder not in ORIGINAL_FOLDERS or not _ORIGINAL_NAME.fullmatch(filename):
            raise BytesMissing("There is no picture of that name.")
        return self.root / folder / filename

    def thumbnail(self, image_id: str, width: int) -> Path:
        """Return the path of a thumbnail ``width`` pixels wide."""
        if width not in THUMBNAIL_WIDTHS or not _IMAGE_ID.fullmatch(image_id):
            raise BytesMissing("There is no thumbnail of that name.")
        return self.root / THUMBNAIL_FOLDER / f"{image_id}_{width}.webp"

    def record(self, filename: str) -> Path:
        """Return the path of a record: ``<kind>-<id>.json``, or the note that the records are complete."""
        if not _RECORD_NAME.fullmatch(filename):
            raise BytesMissing("There is no record of that name.")
        return self.root / RECORD_FOLDER / filename

    def record_lock(self, place: str) -> Path:
        """Return the path of the file that whoever writes the records of a place holds locked."""
        return self.root / RECORD_FOLDER / f".{place}{LOCK_SUFFIX}"

    def leftover(self, folder: str, filename: str) -> Path:
        """Return the path of any entry directly inside a folder, whatever its name, so that cleanup can remove it."""
        if folder not in ALL_FOLDERS or filename in ("", ".", "..") or re.search(r"[/\\\0]", filename):
            raise BytesMissing("There is no file of that name.")
        return self.root / folder / filename

    def ensure(self) -> None:
        """Create the folders that are missing, for this account only (mode 0700).

        Raises:
            StorageError: a folder cannot be created.
        """
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in ALL_FOLDERS:
                (self.root / folder).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StorageError(f"The storage folder cannot be created: {error.strerror}.") from error
