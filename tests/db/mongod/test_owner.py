"""One claim at a time; the note about it is whole and never believed alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ChatBot.db.mongod.owner import NOTE_NAME, Claim, living_owner, read_owner
from ChatBot.errors import DatabaseUnavailable


def take(root: Path) -> Claim:
    claim = Claim.take(root)
    assert claim is not None
    return claim


def test_a_second_claim_is_refused_and_a_released_one_is_free(tmp_path: Path) -> None:
    first = take(tmp_path)

    refused = Claim.take(tmp_path, timeout_seconds=0)
    first.release()

    assert refused is None
    take(tmp_path).release()


def test_a_note_without_a_claim_is_nobody(tmp_path: Path) -> None:
    claim = take(tmp_path)
    claim.publish("testing", "mongodb://somewhere/")
    claim.release()

    assert read_owner(tmp_path) is not None
    assert living_owner(tmp_path, wait_seconds=0) is None


def test_a_claim_with_a_dead_process_in_its_note_is_not_attached_to(tmp_path: Path) -> None:
    claim = take(tmp_path)
    claim.publish("testing", "mongodb://somewhere/")
    note = tmp_path / NOTE_NAME
    note.write_text(note.read_text().replace(f'"pid":{os.getpid()}', '"pid":999999999'))

    with pytest.raises(DatabaseUnavailable):
        living_owner(tmp_path, wait_seconds=0)

    claim.release()


def test_an_owner_that_is_not_ready_is_not_attached_to(tmp_path: Path) -> None:
    claim = take(tmp_path)
    claim.publish("starting", None)

    with pytest.raises(DatabaseUnavailable, match=r"\(starting since"):
        living_owner(tmp_path, wait_seconds=0)

    claim.release()


def test_a_ready_owner_is_found(tmp_path: Path) -> None:
    claim = take(tmp_path)
    claim.publish("serving", None)
    claim.publish("serving", "mongodb://somewhere/")

    owner = living_owner(tmp_path, wait_seconds=0)

    assert owner is not None
    assert (owner.pid, owner.uri) == (os.getpid(), "mongodb://somewhere/")
    claim.release()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}'])
def test_a_damaged_note_says_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / NOTE_NAME).write_text(content)

    assert read_owner(tmp_path) is None
