"""Whether the storage folder is the one that belongs to this database: asked before anything is moved or restored.

The folder carries a random id in a file, and the database has the same one. Both are made at the first start.
"""

from __future__ import annotations

import structlog

from ChatBot.db.marks import Marks, StorageMark
from ChatBot.errors import SettingsError
from ChatBot.media.volume import VolumeMark
from ChatBot.models import new_id

log = structlog.get_logger(__name__)


class Volume:
    """The bond of the storage folder and the database."""

    def __init__(self, mark: VolumeMark, marks: Marks) -> None:
        self._mark = mark
        self._marks = marks

    def begin(self) -> None:
        """Mark both at the very first start; a bond that exists on one side only is left as it is."""
        if self._marks.storage() is None and self._mark.read() is None:
            claimed = self._marks.claim_storage(StorageMark(new_id(), self._mark.mount_point()))
            self._mark.write(claimed.volume_id)

    def begin_again(self) -> None:
        """Mark a folder that was emptied, at the start of a server.

        A folder that lost its mark together with its own mount is not empty but absent, and gets none.
        """
        known = self._marks.storage()
        if known is not None and self._mark.read() is None and self._mark.mount_point() == known.mount_point:
            log.warning("volume.emptied", folder=str(self._mark.path.parent))
            self._mark.write(known.volume_id)

    def adopt(self) -> None:
        """Let a database that knows no folder take this one, after its documents were rebuilt from it."""
        found = self._mark.read()
        if found is not None:
            self._marks.claim_storage(StorageMark(found, self._mark.mount_point()))

    def require_no_other(self) -> None:
        """Raise ``SettingsError`` when the folder belongs to another database; one that lost everything is fine."""
        known, found = self._marks.storage(), self._mark.read()
        if known is not None and found is not None and found != known.volume_id:
            self.require()

    def require(self) -> str:
        """Return the id of the folder; raises ``SettingsError`` when it is absent or belongs to another database."""
        known, found = self._marks.storage(), self._mark.read()
        folder = self._mark.path.parent
        if known is not None and found == known.volume_id:
            return found
        if known is None and found is None:
            raise SettingsError(f"STORAGE_ROOT: {folder} was never used by a server; start the server once.")
        if known is None:
            raise SettingsError(
                f"STORAGE_ROOT: {folder} belongs to another database, or this one lost everything. Set MONGODB_URI and "
                "MONGODB_DB to its database, or bring the documents back with `images rebuild --apply`. To begin anew "
                f"with these files, delete {self._mark.path.name} in it and start the server."
            )
        if found is None:
            raise SettingsError(
                f"STORAGE_ROOT: {folder} has no {self._mark.path.name}, so it is not the folder of this database: "
                "mount the volume. If its files are really gone, start the server, then run `images restore --apply`."
            )
        raise SettingsError(
            f"STORAGE_ROOT: {folder} belongs to another database ({self._mark.path.name} has another id). Set "
            "STORAGE_ROOT, MONGODB_URI and MONGODB_DB to a pair that belongs together."
        )
