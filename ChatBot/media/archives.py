"""Archives: a ZIP that is written while it is sent, and whose length is known before."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO
from zipfile import ZipFile, ZipInfo
from zlib import crc32

from ChatBot.errors import IntegrityError, StorageError

PIECE_BYTES = 131_072
"""What is read and handed on at a time."""

_OLDEST, _NEWEST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC)
"""What the format can say (APPNOTE.TXT 4.4.6, an MS-DOS date)."""


@dataclass(frozen=True)
class Member:
    """One file of an archive: its name, its date, what its bytes will be, and how to have them when its turn comes."""

    name: str
    modified_at: datetime
    size: int
    """Bytes."""
    crc32: int
    open: Callable[[], BinaryIO]

    @classmethod
    def of(cls, name: str, modified_at: datetime, data: bytes) -> Member:
        """Return a member whose bytes are here already."""
        return cls(name, modified_at, len(data), crc32(data), lambda: io.BytesIO(data))


class Archive:
    """A ZIP of members as they are, not compressed: pictures would not get smaller, and so its size is known.

    It is written by ``zipfile``, into a sink whose bytes are handed on piece by piece; zipstream-ng, which is made for
    that, gives everything that comes from memory the date of the download.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = members

    @property
    def size(self) -> int:
        """How many bytes ``pieces`` yields, found by writing everything but the contents."""
        sink = _Sink()
        with ZipFile(sink, "w") as archive:
            for member in self._members:
                info = _info(member)
                with archive.open(info, "w"):
                    sink.position += member.size
                info.file_size = info.compress_size = member.size
        return sink.position

    def pieces(self) -> Iterator[bytes]:
        """Yield the archive; one member is open at a time, and none before its turn.

        Raises what opening a member raises, ``StorageError`` when it cannot be read, and ``IntegrityError`` when
        its bytes are not those that were announced; what was yielded until then is no whole archive.
        """
        sink = _Sink()
        with ZipFile(sink, "w") as archive:
            for member in self._members:
                yield from _pieces_of(member, archive, sink)
        yield sink.take()


def _pieces_of(member: Member, archive: ZipFile, sink: _Sink) -> Iterator[bytes]:
    info = _info(member)
    with closing(member.open()) as file, archive.open(info, "w") as entry:
        while piece := _read(file):
            entry.write(piece)
            yield sink.take()
    if (info.file_size, info.CRC) != (member.size, member.crc32):
        raise IntegrityError(f"The bytes of {member.name} are not the recorded ones.")


def _read(file: BinaryIO) -> bytes:
    try:
        return file.read(PIECE_BYTES)
    except OSError as error:
        raise StorageError(f"The file cannot be read: {error.strerror or error}.") from error


def _info(member: Member) -> ZipInfo:
    moment = min(max(member.modified_at.astimezone(UTC), _OLDEST), _NEWEST)
    info = ZipInfo(member.name, moment.timetuple()[:6])
    info.file_size = member.size
    info.external_attr = 0o644 << 16
    return info


class _Sink(io.RawIOBase):
    """Takes what ``zipfile`` writes until it is taken away; nobody can go back in it."""

    def __init__(self) -> None:
        super().__init__()
        self.position = 0
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def write(self, data: io.ReadableBuffer) -> int:  # type: ignore[name-defined]
        written = memoryview(data).nbytes
        self._written += data
        self.position += written
        return written

    def take(self) -> bytes:
        taken, self._written = bytes(self._written), bytearray()
        return taken
