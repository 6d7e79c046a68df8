"""How long the intake of one generated picture takes: our way, the original design's way, and the floor."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bench.printing import print_rows
from ChatBot.media.encoding import encode
from ChatBot.media.files import FileStore, Syscalls
from ChatBot.media.paths import THUMBNAIL_WIDTHS, StoragePaths
from ChatBot.models import new_id

MAX_BYTES = 500_000
ROUNDS = 15


@dataclass(frozen=True)
class Row:
    """One way of doing it: the median of its rounds, how often as long as the floor, and the stored size."""

    way: str
    milliseconds: float
    ratio: float
    stored_bytes: int


def sample_png(width: int = 1248, height: int = 1024, *, noise: int = 16, seed: int = 7) -> bytes:
    """Return a PNG that a codec takes for a photograph: soft colours, sharp edges, grain (``noise`` is its sigma)."""
    chance = random.Random(seed)  # noqa: S311 - a picture to measure with, not a secret
    planes = []
    for _ in range(3):
        coarse = Image.frombytes("L", (24, 20), chance.randbytes(480)).resize((width, height), Image.Resampling.BICUBIC)
        fine = Image.frombytes("L", (160, 128), chance.randbytes(20_480)).resize((width, height))
        planes.append(Image.blend(coarse, fine, 0.25))
    picture = Image.merge("RGB", planes)
    draw = ImageDraw.Draw(picture)
    for _ in range(60):
        x, y, side = chance.randrange(width), chance.randrange(height), chance.randrange(10, 160)
        draw.ellipse((x, y, x + side, y + side), fill=(chance.randrange(256), chance.randrange(256), 90))
    grain = Image.merge("RGB", [Image.effect_noise((width, height), noise) for _ in range(3)])
    picture = ImageChops.add(picture.filter(ImageFilter.GaussianBlur(1)), grain, 1, -128)
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def ours(data: bytes, folder: Path, calls: Syscalls | None = None) -> int:
    """Inspect, encode, make the thumbnails and write all of it durably."""
    store, image_id = FileStore(StoragePaths(folder), calls), new_id()
    stored = encode(data, max_bytes=MAX_BYTES, max_pixels=40_000_000, max_frames=1000)
    store.write("Image_Gen", f"{image_id}.{stored.extension}", stored.data)
    for width, thumbnail in stored.thumbnails.items():
        store.write_thumbnail(image_id, width, thumbnail)
    return len(stored.data)


def without_fsync(data: bytes, folder: Path) -> int:
    """Do the same and leave to the system when it reaches the disk: the difference is what durability costs."""
    return ours(data, folder, Syscalls(fsync=lambda _: None))


def original_design(data: bytes, folder: Path) -> int:
    """Walk the JPEG quality down by fives, then open and decode the file again for each thumbnail."""
    picture = Image.open(BytesIO(data)).convert("RGB")
    for quality in range(85, 0, -5):
        buffer = BytesIO()
        picture.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= MAX_BYTES:
            break
    path = folder / "Image_Gen" / f"{new_id()}.jpg"
    path.write_bytes(buffer.getvalue())
    for width in THUMBNAIL_WIDTHS:
        with Image.open(path) as again:
            again.thumbnail((width, width))
            again.save(folder / "thumbnails" / f"{path.stem}_{width}.jpg", "JPEG")
    return buffer.tell()


def floor(data: bytes, folder: Path) -> int:
    """One decode, one encode, one pyramid, three thumbnails; nothing checked, nothing written."""
    del folder
    picture: Image.Image = Image.open(BytesIO(data))
    picture.load()
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    for width in reversed(THUMBNAIL_WIDTHS):
        picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.HAMMING)
        picture.save(BytesIO(), "WEBP", quality=75, method=0)
    return buffer.tell()


def measure(rounds: int = ROUNDS, *, noise: int = 16) -> list[Row]:
    """Run the ways in turns, so that they meet the same machine, and return their medians in milliseconds."""
    ways: dict[str, Callable[[bytes, Path], int]] = {
        "ours": ours,
        "ours without fsync": without_fsync,
        "original design": original_design,
        "floor": floor,
    }
    data = sample_png(noise=noise)
    times: dict[str, list[float]] = {name: [] for name in ways}
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        folder = Path(name)
        StoragePaths(folder).ensure()
        for _ in range(rounds + 1):
            for way, run in ways.items():
                started = time.perf_counter()
                sizes[way] = run(data, folder)
                times[way].append(1000 * (time.perf_counter() - started))
    medians = {way: statistics.median(taken[1:]) for way, taken in times.items()}  # the first round warms up
    return [Row(way, round(taken, 1), round(taken / medians["floor"], 2), sizes[way]) for way, taken in medians.items()]


def main() -> None:
    """Print the rows as a table, or with ``--json`` as one object."""
    head = f"{'intake of a 1.3 MP PNG':<24}{'median ms':>10}{'x floor':>9}{'stored bytes':>14}"
    print_rows("intake", measure(), _line, head)


def _line(row: Row) -> str:
    return f"{row.way:<24}{row.milliseconds:>10.1f}{row.ratio:>9.2f}{row.stored_bytes:>14,}"


if __name__ == "__main__":
    main()
