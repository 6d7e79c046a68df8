"""Trying a cloud host out, with hosts that fail in one verb."""

from __future__ import annotations

import pytest

from ChatBot.errors import BytesMissing, PictureRefused, ProviderRefused
from ChatBot.hosts.base import DeletionProof, HostTraits, Receipt, Upload
from ChatBot.hosts.memory import MemoryHost
from ChatBot.media.decoding import Facts, InProcess
from ChatBot.media.inspection import inspect
from ChatBot.services.copies.probing import READ_ATTEMPTS, SIDE_PIXELS, probe
from tests.media.samples import noise, saved


class Flawed(MemoryHost):
    """A memory host whose verbs can be spoilt one by one."""

    def __init__(self, traits: HostTraits = MemoryHost.traits) -> None:
        super().__init__()
        self.traits = traits
        self.uploads: list[Upload] = []
        self.deleted: list[Receipt] = []
        self.returned: bytes | None = None
        self.late = 0
        self.proof: DeletionProof | None = None

    def _upload(self, upload: Upload) -> Receipt:
        self.uploads.append(upload)
        return super()._upload(upload)

    def _fetch(self, url: str) -> bytes:
        if self.late > 0:
            self.late -= 1
            raise BytesMissing("not yet")
        return super()._fetch(url) if self.returned is None else self.returned

    def _delete(self, receipt: Receipt) -> DeletionProof:
        self.deleted.append(receipt)
        return self.proof or super()._delete(receipt)


class Refusing(MemoryHost):
    def _upload(self, upload: Upload) -> Receipt:  # noqa: ARG002 - it refuses whatever comes
        raise ProviderRefused("the key is wrong", provider=self.name, reason="auth")


def no_pause(_: float) -> None:
    """Wait for nothing."""


def recompressing() -> HostTraits:
    return HostTraits(max_bytes=10**6, public=True, deletable=True, may_recompress=True, trusted=False)


def test_host_that_works_is_ok_and_keeps_nothing() -> None:
    host = Flawed()

    result = probe(host)

    assert (result.host, result.ok) == ("memory", True)
    with pytest.raises(BytesMissing):
        host.fetch(host.deleted[0].url)


def test_every_probe_sends_a_whole_picture_of_its_own() -> None:
    host = Flawed()

    for _ in range(2):
        probe(host)

    pictures = [inspect(upload.data, max_pixels=100, max_frames=1) for upload in host.uploads]
    assert {(picture.width, picture.height) for picture in pictures} == {(SIDE_PIXELS, SIDE_PIXELS)}
    assert host.uploads[0].data != host.uploads[1].data


def test_host_that_refuses_is_not_ok_and_says_why() -> None:
    result = probe(Refusing())

    assert (result.ok, result.why) == (False, "the key is wrong")


def test_picture_that_appears_late_is_waited_for() -> None:
    host = Flawed()
    host.late = READ_ATTEMPTS - 1

    assert probe(host, pause=no_pause).ok


def test_picture_that_never_appears_is_not_ok_and_is_deleted_all_the_same() -> None:
    host = Flawed()
    host.late = READ_ATTEMPTS

    result = probe(host, pause=no_pause)

    assert not result.ok
    assert "read back" in result.why
    assert len(host.deleted) == 1


def test_other_bytes_are_not_ok_on_a_host_that_keeps_bytes() -> None:
    host = Flawed()
    host.returned = b"something else"

    result = probe(host)

    assert (result.ok, len(host.deleted)) == (False, 1)
    assert "Other bytes" in result.why


@pytest.mark.parametrize(("side", "ok"), [(SIDE_PIXELS, True), (SIDE_PIXELS + 1, False)])
def test_recompressing_host_must_return_a_picture_of_the_same_size(side: int, ok: bool) -> None:
    host = Flawed(recompressing())
    host.returned = saved(noise((side, side)), "PNG")

    assert probe(host).ok is ok


def test_a_changed_picture_is_decoded_where_the_caller_says() -> None:
    class Refusing(InProcess):
        def examine(self, data: bytes, **_: int) -> Facts:
            raise PictureRefused(f"{len(data)} bytes that a host chose", reason="corrupt")

    host = Flawed(recompressing())
    host.returned = saved(noise((SIDE_PIXELS, SIDE_PIXELS)), "PNG")

    assert "bytes that a host chose" in probe(host, decoder=Refusing()).why


def test_recompressing_host_that_returns_no_picture_is_not_ok() -> None:
    host = Flawed(recompressing())
    host.returned = b"<html>"

    assert not probe(host).ok


@pytest.mark.parametrize("proof", ["pending", "manual"])
def test_deletion_that_is_not_proved_is_not_ok(proof: DeletionProof) -> None:
    host = Flawed()
    host.proof = proof

    assert not probe(host).ok
