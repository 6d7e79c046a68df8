"""Delivered pictures outlive the process that was about to keep them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ChatBot.errors import BytesMissing, StorageError
from ChatBot.media.spool import Spool
from ChatBot.models import new_id


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def test_what_was_put_comes_back_in_order(spool: Spool) -> None:
    message_id = new_id()
    for number in range(11):
        spool.put(message_id, number, {"seed": number}, b"\n%d\n" % number)

    delivered = list(spool.of(message_id))

    assert delivered == [({"seed": number}, b"\n%d\n" % number) for number in range(11)]


def test_removing_one_message_leaves_the_others(spool: Spool) -> None:
    first, second = new_id(), new_id()
    spool.put(first, 0, {}, b"a")
    spool.put(second, 0, {}, b"b")

    spool.remove(first)

    assert set(spool.waiting()) == {second}


def test_an_heir_has_what_its_predecessor_was_delivered(spool: Spool) -> None:
    old, heir = new_id(), new_id()
    spool.put(old, 0, {"seed": 1}, b"a")

    spool.hand_over(old, heir)

    assert list(spool.of(heir)) == [({"seed": 1}, b"a")]
    assert set(spool.waiting()) == {heir}


def test_a_spool_that_was_never_used_is_empty(spool: Spool) -> None:
    assert spool.waiting() == {}
    assert list(spool.of(new_id())) == []


def test_half_a_line_is_reported_not_returned(spool: Spool, tmp_path: Path) -> None:
    message_id = new_id()
    spool.put(message_id, 0, {}, b"a")
    (tmp_path / "spool" / f"{message_id}.0.spool").write_bytes(b'{"seed')

    with pytest.raises(BytesMissing):
        list(spool.of(message_id))


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")

    with pytest.raises(StorageError):
        Spool(tmp_path / "spool").put(new_id(), 0, {}, b"a")
