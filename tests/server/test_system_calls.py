"""The real server when the system refuses its calls: it says so, keeps nothing half, goes on, and recovers."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import psutil
import pytest
import requests

from tests.fixtures.server import Person, ServerProcess, eventually
from tests.media.samples import noise, saved

pytestmark = pytest.mark.server

DESCRIPTORS_LEFT = 2
LARGEST_FILE_BYTES = 256_000
"""Above the server's log, below the 388 kB of noise whose write is refused, which is below what is spooled to disk."""


@contextmanager
def failing(process: psutil.Process, call: str, error: str) -> Iterator[None]:
    """Let every system call of that name fail in a running process; strace is the system's own way to do that."""
    strace = shutil.which("strace")
    assert strace, "strace is needed to make system calls fail: sudo apt-get install strace"
    command = [strace, "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error={error}"]
    tracer = subprocess.Popen([*command, "-p", str(process.pid)], stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    assert "attached" in said, f"strace may not look at a process of this account: {said}"
    try:
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(30)
        tracer.stderr.close()


@contextmanager
def out_of_descriptors(process: psutil.Process) -> Iterator[None]:
    """Leave a running process almost no file descriptors."""
    limits = process.rlimit(psutil.RLIMIT_NOFILE)
    highest = max(int(each.name) for each in Path(f"/proc/{process.pid}/fd").iterdir())
    process.rlimit(psutil.RLIMIT_NOFILE, (highest + 1 + DESCRIPTORS_LEFT, limits[1]))
    try:
        yield
    finally:
        process.rlimit(psutil.RLIMIT_NOFILE, limits)


@contextmanager
def no_large_files(process: psutil.Process) -> Iterator[None]:
    """Let the system write the first part of a large file and refuse the rest, as on a disk that fills up."""
    limits = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (LARGEST_FILE_BYTES, limits[1]))
    try:
        yield
    finally:
        process.rlimit(psutil.RLIMIT_FSIZE, limits)


def upload(person: Person, seed: int, side: int = 64) -> requests.Response:
    picture = saved(noise((side, side), seed=seed), "PNG")
    return person.post("/api/uploads", files={"file": ("x.png", picture, "image/png")})


def files(server: ServerProcess) -> set[str]:
    return {path.name for path in (server.folder / "Storage" / "uploads").iterdir()}


def is_whole(person: Person, image: dict[str, str]) -> bool:
    return sha256(person.get(f"/i/{image['id']}").content).hexdigest() == image["sha256"]


@pytest.mark.parametrize(
    ("call", "error", "status", "reason"),
    [
        ("fsync", "ENOSPC", 507, "no room left"),
        ("fsync", "EIO", 503, "Input/output error"),
        ("rename", "EIO", 503, "Input/output error"),
        ("rename", "EROFS", 503, "Read-only file system"),
    ],
)
def test_a_refused_call_is_said_and_keeps_nothing(
    server: ServerProcess, person: Person, call: str, error: str, status: int, reason: str
) -> None:
    kept = upload(person, 1).json()
    before = files(server)

    with failing(server.worker(), call, error):
        refused = upload(person, 2)
        shown = is_whole(person, kept)
        left = files(server)

    assert (refused.status_code, reason in refused.json()["detail"]) == (status, True), refused.text
    assert left == before
    assert shown
    again = upload(person, 2)
    assert again.status_code == 201
    assert is_whole(person, again.json())


def test_a_write_that_the_system_cuts_short_is_said_and_keeps_nothing(server: ServerProcess, person: Person) -> None:
    kept = upload(person, 1).json()
    before = files(server)

    with no_large_files(server.worker()):
        refused = upload(person, 2, side=360)
        shown = is_whole(person, kept)
        left = files(server)

    assert (refused.status_code, "File too large" in refused.json()["detail"]) == (503, True), refused.text
    assert left == before
    assert shown
    again = upload(person, 2, side=360)
    assert again.status_code == 201
    assert is_whole(person, again.json())


def test_a_server_without_file_descriptors_loses_nothing_and_goes_on(server: ServerProcess, person: Person) -> None:
    kept = upload(person, 1).json()
    before = files(server)
    worker = server.worker()

    with out_of_descriptors(worker):
        refused = [upload(person, seed).status_code for seed in (2, 3)]
        left = files(server)

    assert set(refused) <= {201, 503}
    assert len(left - before) == refused.count(201)
    assert eventually(lambda: upload(person, 4).status_code == 201)
    assert server.worker().pid == worker.pid
    assert is_whole(person, kept)
