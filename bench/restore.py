"""How long it takes to bring 1,000 pictures back from a host that answers after 50 ms: ours, curl, aria2c.

Ours hashes every file, makes it durable and asks MongoDB; the others only download. All use the same number of
connections. The floor is the latency alone: files / parallel * 50 ms.
"""

from __future__ import annotations

import logging
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from bench.printing import print_rows
from ChatBot.bootstrap import build
from ChatBot.config import PROJECT_ROOT, Settings
from ChatBot.container import Services
from ChatBot.db.embedded import EmbeddedServer
from ChatBot.logs import log_to_stderr
from ChatBot.models import Copy, Image, Message, new_id, now

FILES = 1000
FILE_BYTES = 40_000
LATENCY_MS = 50
PARALLEL = 32
ROUNDS = 3


@dataclass(frozen=True)
class Row:
    """One way: the median of its rounds in seconds, how often as long as the floor; None when it is not installed."""

    way: str
    seconds: float | None
    ratio: float | None


@contextmanager
def latency_host(folder: Path, latency_ms: float = LATENCY_MS) -> Iterator[str]:
    """Run the host in a process of its own, so that it does not compete for our interpreter; yields its base URL."""
    command = [sys.executable, "-m", "bench.latency_host", str(folder), str(latency_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT) as host:
        try:
            if host.stdin is None or host.stdout is None:
                raise RuntimeError("the host has no pipes")
            yield f"http://127.0.0.1:{host.stdout.readline().strip()}"
        finally:
            host.communicate()


def make_pictures(folder: Path, count: int) -> list[Image]:
    """Write ``count`` files of random bytes and return records of them."""
    chance = random.Random(7)  # noqa: S311 - bytes to measure with, not a secret
    owner, images = new_id(), []
    for _ in range(count):
        image_id, data = new_id(), b"\x89PNG" + chance.randbytes(FILE_BYTES)
        (folder / f"{image_id}.png").write_bytes(data)
        images.append(
            Image(
                id=image_id,
                owner_id=owner,
                folder="Image_Gen",
                filename=f"{image_id}.png",
                mime_type="image/png",
                size=len(data),
                width=1,
                height=1,
                sha256=sha256(data).hexdigest(),
                crc32=0,
                generated=True,
                created_at=now(),
            )
        )
    return images


def record(services: Services, images: list[Image], base_url: str) -> None:
    """Let the database say that every picture has an exact copy on the host."""
    messages = []
    for image in images:
        copy = Copy(host="imgbb", state="verified", fidelity="exact", url=f"{base_url}/{image.filename}")
        whole = image.model_copy(update={"copies": (copy,)})
        messages.append(
            Message(
                id=new_id(),
                conversation_id=new_id(),
                owner_id=image.owner_id,
                role="assistant",
                images=(whole,),
                created_at=image.created_at,
            )
        )
    services.repositories.messages.add(*messages)


def ours(services: Services, root: Path) -> None:
    """Restore everything."""
    shutil.rmtree(root / "Image_Gen")
    (root / "Image_Gen").mkdir()
    report = services.restore.run(apply=True, parallel=PARALLEL, reserve_bytes=0)
    if len(report.restored) != FILES:
        raise RuntimeError(f"only {len(report.restored)} of {FILES} came back: {list(report.lost.values())[:1]}")


def curl(base_url: str, images: list[Image], folder: Path) -> None:
    """Download everything with ``curl --parallel``."""
    lines = [f'url = "{base_url}/{each.filename}"\noutput = "{folder / each.filename}"\n' for each in images]
    (folder / "curl.txt").write_text("".join(lines))
    options = [
        "--parallel",
        "--parallel-max",
        str(PARALLEL),
        "--silent",
        "--no-progress-meter",
        "--fail",
        "-K",
        str(folder / "curl.txt"),
    ]
    subprocess.run([shutil.which("curl") or "curl", *options], check=True, stderr=subprocess.DEVNULL)  # its meter


def aria2c(base_url: str, images: list[Image], folder: Path) -> None:
    """Download everything with ``aria2c``."""
    (folder / "aria2.txt").write_text("".join(f"{base_url}/{each.filename}\n" for each in images))
    options = ["-q", "-x1", f"-j{PARALLEL}", f"-d{folder}", f"-i{folder / 'aria2.txt'}", "--file-allocation=none"]
    subprocess.run([shutil.which("aria2c") or "aria2c", *options], check=True)


def measure() -> list[Row]:
    """Return our way and those of the downloaders that are installed."""
    with tempfile.TemporaryDirectory() as name:
        folder, source = Path(name), Path(name) / "source"
        source.mkdir()
        images = make_pictures(source, FILES)
        with latency_host(source) as base_url, ExitStack() as stack:
            server = EmbeddedServer(folder / "db").start("measuring")
            stack.callback(server.stop)
            settings = Settings(
                _env_file=None,
                secret_key="measuring only, never a secret of anybody",  # noqa: S106
                mongodb_uri=server.uri,
                storage_root=folder / "Storage",
                fetch_allow_private_hosts=(base_url.partition("//")[2],),
            )
            services = build(settings)
            stack.callback(services.close)
            record(services, images, base_url)
            ways: dict[str, Callable[[], None]] = {
                "images restore": lambda: ours(services, folder / "Storage"),
                "curl --parallel": partial(_in_new_folder, curl, base_url, images),
                "aria2c": partial(_in_new_folder, aria2c, base_url, images),
            }
            return _in_turns(ways)


def _in_new_folder(run: Callable[[str, list[Image], Path], None], base_url: str, images: list[Image]) -> None:
    with tempfile.TemporaryDirectory() as name:
        run(base_url, images, Path(name))


def _in_turns(ways: dict[str, Callable[[], None]]) -> list[Row]:
    """Run the ways in turns, so that they meet the same machine; a program that is missing is left out."""
    present = {way: run for way, run in ways.items() if way == "images restore" or shutil.which(way.split()[0])}
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, run in present.items():
            started = time.perf_counter()
            run()
            taken[way].append(time.perf_counter() - started)
    floor = FILES / PARALLEL * LATENCY_MS / 1000
    medians = {way: statistics.median(times) if times else None for way, times in taken.items()}
    return [Row(way, seconds, None if seconds is None else seconds / floor) for way, seconds in medians.items()]


def main() -> None:
    """Print the rows as a table, or with ``--json`` as one object."""
    log_to_stderr(logging.WARNING)  # standard output is for the figures
    head = f"{'restore of 1,000 pictures':<28}{'seconds':>9}{'x floor':>9}"
    print_rows("restore", measure(), lambda row: f"{row.way:<28}{figures(row)[0]:>9}{figures(row)[1]:>9}", head)


def figures(row: Row) -> tuple[str, str]:
    """Return a row's figure and ratio as texts; a program that is missing has a sentence instead."""
    if row.seconds is None or row.ratio is None:
        return f"not installed (apt install {row.way.split()[0].replace('aria2c', 'aria2')})", ""
    return f"{row.seconds:.2f} s", f"{row.ratio:.2f} x"


if __name__ == "__main__":
    main()
