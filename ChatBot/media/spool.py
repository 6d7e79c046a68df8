"""Pictures that a generator has delivered and that are not in a document yet: they may have been paid for.

They are written here before anything else is done with them, and removed once the message holds them. What a process
that died left here is taken up by the next one.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ChatBot.errors import BytesMissing, StorageError
from ChatBot.sentence import Sentence

_NAME = re.compile(r"[0-9a-f]{32}\.(\d{1,3})\.spool")


class Spool:
    """One file per delivered picture: a line of JSON about it, then its bytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, message_id: str, number: int, facts: dict[str, Any], data: bytes) -> None:
        """Keep a picture; raises ``StorageError``.

        There is no ``fsync``: this guards against a killed process, not against a power cut.
        """
        path = self._folder / f"{message_id}.{number}.spool"
        partial = path.with_suffix(".part")
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with partial.open("wb") as file:
                file.write(json.dumps(facts).encode() + b"\n" + data)
            partial.replace(path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink()
            raise StorageError(
                Sentence("The delivered picture could not be kept: %(why)s.", why=error.strerror or str(error))
            ) from error

    def of(self, message_id: str) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Yield what was delivered for a message, in order; raises ``BytesMissing`` for a file that is not readable."""
        for path in sorted(self._folder.glob(f"{message_id}.*.spool"), key=_number):
            try:
                facts, _, data = path.read_bytes().partition(b"\n")
                yield dict(json.loads(facts)), data
            except (OSError, ValueError) as error:
                raise BytesMissing(Sentence("A delivered picture cannot be read: %(why)s.", why=str(error))) from error

    def remove(self, message_id: str) -> None:
        """Forget what was delivered for a message: it is in its document, or nobody wants it."""
        for path in self._folder.glob(f"{message_id}.*"):
            if _NAME.fullmatch(path.name) or path.suffix == ".part":
                path.unlink(missing_ok=True)

    def hand_over(self, message_id: str, heir_id: str) -> None:
        """Give what was delivered for one message to another, which asks for the same again."""
        for path in self._folder.glob(f"{message_id}.*.spool"):
            path.replace(path.with_name(heir_id + path.name[len(message_id) :]))

    def waiting(self) -> dict[str, float]:
        """Return the messages that something was delivered for, and when (seconds since the epoch)."""
        if not self._folder.is_dir():
            return {}
        with os.scandir(self._folder) as entries:
            return {entry.name[:32]: entry.stat().st_mtime for entry in entries if _NAME.fullmatch(entry.name)}


def _number(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    return int(match.group(1)) if match else 0
