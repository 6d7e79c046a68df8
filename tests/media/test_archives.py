"""Archives that are written while they are sent: their length, their members, and what breaks them off."""

from __future__ import annotations

import io
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from typing import BinaryIO
from zipfile import ZIP_STORED, ZipFile

import pytest

from ChatBot.errors import IntegrityError, StorageError
from ChatBot.media.archives import PIECE_BYTES, Archive, Member

MOMENT = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)


class Unreadable(io.BytesIO):
    """A file on a disk that fails."""

    def read(self, size: int | None = -1, /) -> bytes:  # noqa: ARG002 - the interface's own
        raise OSError(5, "Input/output error")


def member(number: int, data: bytes) -> Member:
    """Return a member with a name of its own."""
    return Member.of(f"{number:03d}-lửa.bin", MOMENT, data)


def whole(archive: Archive) -> bytes:
    """Return all pieces as one."""
    return b"".join(archive.pieces())


@pytest.mark.parametrize("sizes", [(), (0,), (1,), (PIECE_BYTES,), (0, 3 * PIECE_BYTES + 1, 1, 70_000)])
def test_an_archive_is_read_back_and_exactly_as_long_as_it_said(sizes: tuple[int, ...]) -> None:
    contents = {f"{number:03d}-lửa.bin": bytes([number]) * size for number, size in enumerate(sizes)}
    archive = Archive([member(number, data) for number, data in enumerate(contents.values())])

    written = whole(archive)

    assert len(written) == archive.size
    with ZipFile(io.BytesIO(written)) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == contents
        assert all(info.compress_type == ZIP_STORED for info in read.infolist())


def test_a_date_is_told_in_universal_time_and_within_what_the_format_can_say() -> None:
    here = timezone(timedelta(hours=7))
    moments = (MOMENT.astimezone(here), datetime(1970, 1, 1, tzinfo=UTC), datetime(2300, 1, 1, tzinfo=UTC))
    archive = Archive([Member.of(str(moment.year), moment, b"") for moment in moments])

    with ZipFile(io.BytesIO(whole(archive))) as read:
        dates = [info.date_time for info in read.infolist()]

    assert dates == [(2026, 3, 4, 5, 6, 8), (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)]


def test_two_hundred_members_take_the_memory_of_a_few_pieces_and_one_is_open_at_a_time() -> None:
    data = bytes(1_000_000)
    expected, opened = Member.of("", MOMENT, data), [io.BytesIO()]
    opened[0].close()

    def from_the_disk() -> BinaryIO:
        assert opened[-1].closed
        opened.append(io.BytesIO(data))
        return opened[-1]

    archive = Archive([Member(str(n), MOMENT, expected.size, expected.crc32, from_the_disk) for n in range(200)])
    tracemalloc.start()
    try:
        length = sum(len(piece) for piece in archive.pieces())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert length == archive.size > 200 * len(data)
    assert len(opened) == 201
    assert peak < 10 * PIECE_BYTES


@pytest.mark.parametrize("found", [b"other bytes", b"short", b"these bytes and more", b""])
def test_other_bytes_than_announced_break_it_off_before_its_end(found: bytes) -> None:
    announced = member(1, b"these bytes")
    archive = Archive([Member("1", MOMENT, announced.size, announced.crc32, lambda: io.BytesIO(found))])
    pieces: list[bytes] = []

    with pytest.raises(IntegrityError):
        pieces.extend(archive.pieces())

    assert b"PK\x01\x02" not in b"".join(pieces)  # no directory, so no program takes it for an archive


def test_a_file_that_cannot_be_read_breaks_it_off() -> None:
    archive = Archive([member(1, b"fine"), Member("2", MOMENT, 4, 0, Unreadable)])

    with pytest.raises(StorageError, match="Input/output error"):
        whole(archive)


def test_whoever_stops_listening_lets_go_of_the_open_file() -> None:
    file = io.BytesIO(bytes(3 * PIECE_BYTES))
    pieces = Archive([Member("1", MOMENT, 3 * PIECE_BYTES, 0, lambda: file)]).pieces()

    next(pieces)
    pieces.close()  # type: ignore[attr-defined]

    assert file.closed
