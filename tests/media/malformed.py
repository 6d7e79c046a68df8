"""Malformed pictures of every accepted format, seeded, and a run that takes each one through the whole intake.

``python -m tests.media.malformed --files 2000`` prints what became of them as one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle, islice

from ChatBot.errors import IntegrityError, PictureRefused, StorageError, TooLarge
from ChatBot.media.encoding import encode
from tests.media.samples import animation, noise, opened, photograph, saved

HANG_SECONDS = 10
HEADER_BYTES = 64
"""Signature, sizes, depths and the first lengths of all four formats."""

Damage = Callable[[bytes, random.Random], bytes]


def malformed(files: int, seed: int = 1) -> Iterator[bytes]:
    """Yield so many damaged files: every sample with every kind of damage in turn."""
    chance = random.Random(seed)
    pairs = [(sample, damage) for damage in DAMAGES for sample in _samples()]
    for sample, damage in islice(cycle(pairs), files):
        yield damage(sample, chance)


def _samples() -> list[bytes]:
    picture = photograph((48, 40))
    return [
        *(saved(picture, "PNG"), saved(picture.convert("P"), "PNG"), saved(picture.convert("I;16"), "PNG")),
        *(saved(picture, "JPEG"), saved(picture, "JPEG", progressive=True), saved(picture.convert("CMYK"), "JPEG")),
        *(saved(picture, "GIF"), animation("GIF")),
        *(saved(picture, "WEBP"), saved(noise((48, 40), "RGBA"), "WEBP", lossless=True), animation("WEBP")),
    ]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _flip(data: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(chance.randint(1, 16)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def _mutate_header(data: bytes, chance: random.Random) -> bytes:
    """Put extreme values where sizes, counts and lengths stand."""
    damaged = bytearray(data)
    at, width = chance.randrange(HEADER_BYTES), chance.choice((1, 2, 4))
    damaged[at : at + width] = chance.choice((b"\x00", b"\x01", b"\x7f", b"\x80", b"\xff")) * width
    return bytes(damaged)


def _repeat(data: bytes, chance: random.Random) -> bytes:
    """Write a piece of the file a second time, so that whole parts come twice."""
    start, end = sorted(chance.sample(range(len(data)), 2))
    return data[:end] + data[start:end] + data[end:]


def _leave_out(data: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.sample(range(len(data)), 2))
    return data[:start] + data[end:]


DAMAGES: tuple[Damage, ...] = (_cut, _flip, _mutate_header, _repeat, _leave_out)


def _fate(data: bytes) -> str:
    """Return the reason of the refusal, or ``stored`` when the stored bytes can be decoded."""
    try:
        stored = encode(data, max_bytes=500_000, max_pixels=40_000_000, max_frames=1000)
    except PictureRefused as error:
        return error.reason
    except (TooLarge, IntegrityError, StorageError) as error:
        return type(error).__name__
    opened(stored.data)
    return "stored"


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def run(files: int, seed: int) -> dict[str, object]:
    """Take the files through the intake; a hang ends this process by SIGALRM, as a crash does by its own signal."""
    fates: Counter[str] = Counter(_fate(sample) for sample in _samples())
    if set(fates) != {"stored"}:
        raise SystemExit(f"The undamaged samples must be stored, not: {dict(fates)}")
    before, slowest, fates = _peak_megabytes(), 0.0, Counter()
    for data in malformed(files, seed):
        signal.alarm(HANG_SECONDS)
        begun = time.perf_counter()
        fates[_fate(data)] += 1
        slowest = max(slowest, time.perf_counter() - begun)
    signal.alarm(0)
    grown = round(_peak_megabytes() - before, 1)
    return {"files": files, "fates": dict(fates), "slowest_seconds": round(slowest, 3), "grown_megabytes": grown}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    sys.stdout.write(json.dumps(run(chosen.files, chosen.seed)) + "\n")


if __name__ == "__main__":
    main()
