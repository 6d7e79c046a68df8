"""Decoder processes give what decoding here gives, and whatever happens in them happens to one picture only."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import BytesIO

import psutil
import pytest
from PIL import Image

from ChatBot.config import PROJECT_ROOT
from ChatBot.errors import PictureRefused, StorageError, TooLarge
from ChatBot.media.cards import COVER_BYTES
from ChatBot.media.decoding import IN_PROCESS, Decoder, DecoderPool
from ChatBot.media.decoding.pool import JOBS_PER_PROCESS
from tests.media.samples import noise, photograph, saved

LIMITS = {"max_pixels": 4_000_000, "max_frames": 100}
PNG = saved(noise((64, 48), seed=1), "PNG")
HUNG_SECONDS = 0.5
WAIT_SECONDS = 30.0


def children() -> set[psutil.Process]:
    """Return the decoder processes of this one."""
    running = psutil.Process().children()
    return {each for each in running if "tests.media.decoding.misbehaving" in each.cmdline()}


@pytest.fixture
def pool() -> Iterator[DecoderPool]:
    """One process that does what the bytes say."""
    misbehaving = DecoderPool(max_pixels=4_000_000, processes=1, program="tests.media.decoding.misbehaving")
    yield misbehaving
    misbehaving.close()
    assert children() == set()


def deed(name: bytes) -> bytes:
    """Return a picture with the name of a misdeed behind it."""
    return PNG + b"|" + name


@pytest.mark.parametrize("max_bytes", [0, 20_000])
def test_a_picture_comes_out_as_it_does_without_processes(decoder: Decoder, max_bytes: int) -> None:
    data = saved(photograph((700, 500), seed=3), "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00")

    there = decoder.encode(data, max_bytes=max_bytes, **LIMITS)

    assert there == IN_PROCESS.encode(data, max_bytes=max_bytes, **LIMITS)
    assert there.thumbnails


def test_a_thumbnail_a_cover_and_the_facts_come_out_as_they_do_without_processes(decoder: Decoder) -> None:
    data = saved(photograph((700, 500), seed=3), "JPEG")

    assert decoder.render(data, 256, max_pixels=4_000_000) == IN_PROCESS.render(data, 256, max_pixels=4_000_000)
    assert decoder.render(data, 1024, max_pixels=4_000_000) is None
    assert decoder.cover(data, max_pixels=4_000_000) == IN_PROCESS.cover(data, max_pixels=4_000_000)
    assert decoder.examine(data, **LIMITS) == IN_PROCESS.examine(data, **LIMITS)


def test_refusals_keep_their_words_and_reasons(decoder: Decoder) -> None:
    with pytest.raises(PictureRefused) as here:
        IN_PROCESS.encode(PNG[:-30], max_bytes=0, **LIMITS)
    with pytest.raises(PictureRefused) as there:
        decoder.encode(PNG[:-30], max_bytes=0, **LIMITS)

    assert (str(there.value), there.value.reason) == (str(here.value), here.value.reason)


def test_a_picture_that_fits_nowhere_is_too_large(decoder: Decoder) -> None:
    with pytest.raises(TooLarge):
        decoder.encode(PNG, max_bytes=10, **LIMITS)


def test_a_decoder_that_hangs_is_killed_and_the_next_picture_is_decoded() -> None:
    pool = DecoderPool(
        max_pixels=4_000_000, processes=1, job_seconds=HUNG_SECONDS, program="tests.media.decoding.misbehaving"
    )
    with pytest.raises(PictureRefused) as refused:
        pool.examine(deed(b"hang"), **LIMITS)
    patient = DecoderPool(max_pixels=4_000_000, processes=1, program="tests.media.decoding.misbehaving")

    facts = patient.examine(PNG, **LIMITS)

    assert refused.value.reason == "time"
    assert (facts.width, facts.height) == (64, 48)
    pool.close()
    patient.close()
    assert children() == set()


@pytest.mark.parametrize("misdeed", [b"segfault", b"babble"])
def test_a_decoder_that_fails_costs_one_picture_only(pool: DecoderPool, misdeed: bytes) -> None:
    with pytest.raises(PictureRefused) as refused:
        pool.examine(deed(misdeed), **LIMITS)

    facts = pool.examine(PNG, **LIMITS)

    assert refused.value.reason == "corrupt"
    assert facts.width == 64


def test_a_decoder_that_eats_memory_is_refused_it(pool: DecoderPool) -> None:
    with pytest.raises(PictureRefused) as refused:
        pool.examine(deed(b"eat"), **LIMITS)

    assert refused.value.reason == "memory"
    assert pool.examine(PNG, **LIMITS).width == 64


def test_a_small_allowance_refuses_a_picture_that_needs_more() -> None:
    buffer = BytesIO()
    Image.new("RGB", (6000, 6000)).save(buffer, "PNG")
    poor = DecoderPool(max_pixels=40_000_000, processes=1, memory_bytes=250_000_000)

    with pytest.raises(PictureRefused):
        poor.encode(buffer.getvalue(), max_bytes=500_000, max_pixels=40_000_000, max_frames=1)

    assert poor.examine(PNG, **LIMITS).width == 64
    poor.close()


def test_what_a_library_prints_is_no_answer(pool: DecoderPool) -> None:
    facts = pool.examine(deed(b"chatter"), **LIMITS)

    assert facts.width == 64


def test_an_answer_that_cannot_be_is_refused(pool: DecoderPool) -> None:
    with pytest.raises(PictureRefused):
        pool.examine(deed(b"lie"), **LIMITS)

    assert pool.examine(PNG, **LIMITS).width == 64


def test_pixels_that_no_card_has_room_for_are_refused(pool: DecoderPool) -> None:
    with pytest.raises(PictureRefused):
        pool.cover(deed(b"lie"), max_pixels=4_000_000)

    assert len(pool.cover(PNG, max_pixels=4_000_000)) == COVER_BYTES


def test_the_server_s_secrets_are_not_in_the_environment_of_a_decoder(
    pool: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "the secret of a server")
    pool.examine(PNG, **LIMITS)

    (child,) = children()

    assert "SECRET_KEY" not in child.environ()


def test_a_killed_process_is_replaced(pool: DecoderPool) -> None:
    pool.examine(PNG, **LIMITS)
    (child,) = children()
    child.kill()
    child.wait()

    facts = pool.examine(PNG, **LIMITS)

    assert facts.width == 64


def test_a_process_is_replaced_after_many_pictures(pool: DecoderPool) -> None:
    pool.examine(PNG, **LIMITS)
    (first,) = children()

    for _ in range(JOBS_PER_PROCESS):
        pool.examine(PNG, **LIMITS)

    (second,) = children()
    assert first != second


def test_there_are_never_more_than_the_pool_may_have(decoder: Decoder) -> None:
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(decoder.examine(PNG, **LIMITS).width)) for _ in range(24)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    mine = [each for each in psutil.Process().children() if "ChatBot.media.decoding.worker" in each.cmdline()]
    assert results == [64] * 24
    assert len(mine) <= (os.cpu_count() or 1)


def test_a_decoder_ends_with_a_server_that_is_killed() -> None:
    words = "\n".join(
        [
            "import sys, psutil",
            "from ChatBot.media.decoding import DecoderPool",
            "pool = DecoderPool(max_pixels=10_000, processes=1)",
            "pool._begin_one()",
            "sys.stdout.write(f'{psutil.Process().children()[0].pid}\\n')",
            "sys.stdout.flush()",
            "sys.stdin.read()",
        ]
    )
    command = [sys.executable, "-c", words]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        orphan = psutil.Process(int(server.stdout.readline()))

        server.kill()
        server.wait()

        orphan.wait(WAIT_SECONDS)


def test_without_a_process_the_answer_says_to_try_again() -> None:
    pool = DecoderPool(max_pixels=4_000_000, processes=1)
    pool._command = ["/nowhere/python"]

    with pytest.raises(StorageError, match="try again"):
        pool.examine(PNG, **LIMITS)
