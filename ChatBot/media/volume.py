"""The mark on the volume that keeps the pictures: it tells an unmounted or foreign folder from our own."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ChatBot.errors import BytesMissing, StorageError
from ChatBot.media.texts import read_text, write_text

MARK_NAME = ".chatbot-storage.json"
NOTE = "This folder belongs to one ChatBot database, which knows this id. Keep the file with the pictures."


class VolumeMark:
    """The file ``.chatbot-storage.json`` in the storage folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.path = root / MARK_NAME

    def read(self) -> str | None:
        """Return the id of the volume, None when it has no mark; raises ``StorageError`` when the mark is damaged."""
        try:
            found = json.loads(read_text(self.path))["id"]
        except BytesMissing:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise StorageError(f"{self.path} is damaged: it should hold the id of the storage folder.") from error
        return str(found)

    def write(self, volume_id: str) -> None:
        """Mark the folder, which is made if it is missing; raises ``StorageError``."""
        write_text(self.path, json.dumps({"id": volume_id, "note": NOTE}, indent=1) + "\n")

    def mount_point(self) -> str:
        """Return where the file system that holds the folder is mounted."""
        folder = self._root.resolve()
        while not os.path.ismount(folder):
            folder = folder.parent
        return str(folder)
