"""How many private pictures a second are served: by plain nginx, by ChatBot alone, and by ChatBot behind nginx."""

from __future__ import annotations

import asyncio
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests

from bench.intake import sample_png
from tests.fixtures.nginx import file_site, find_nginx, new_ports, proxy_site, running_nginx
from tests.fixtures.server import Person, ServerProcess

ROUNDS = 3
SECONDS = 3
CONNECTIONS = 16
THUMBNAIL_WIDTH = 512
FLOOR = "plain nginx, the same file, nobody asked"

WRK_LINES = {"rate": r"Requests/sec:\s+([\d.]+)", "p50": r"50%\s+([\d.]+)(us|ms|s)", "p99": r"99%\s+([\d.]+)(us|ms|s)"}
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Round:
    """One round of one way: answers per second, and the median and 99th percentile of their times."""

    per_second: float
    p50_milliseconds: float
    p99_milliseconds: float


@dataclass(frozen=True)
class Row:
    """One way of serving one thing: the medians of its rounds, and its share of the floor's answers per second."""

    what: str
    way: str
    per_second: float
    ratio: float
    p50_milliseconds: float
    p99_milliseconds: float


@dataclass(frozen=True)
class Target:
    """An address, the Cookie header that opens it, and the ETag of what the client already has."""

    url: str
    cookie: str = ""
    known: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What to send along."""
        return {"Cookie": self.cookie, **({"If-None-Match": self.known} if self.known else {})}


def measure(rounds: int = ROUNDS, seconds: int = SECONDS) -> list[Row]:
    """Ask every way for the same thing in turns, so that they meet the same machine, and return the medians.

    Raises ``RuntimeError`` when there is no nginx, or when a way does not answer with the picture's bytes.
    """
    ask = _wrk if shutil.which("wrk") else _own_client
    rows: list[Row] = []
    with _targets() as everything:
        for what, targets in everything.items():
            taken: dict[str, list[Round]] = {way: [] for way in targets}
            for _ in range(rounds):
                for way, target in targets.items():
                    taken[way].append(ask(target, seconds))
            floor = statistics.median(each.per_second for each in taken[FLOOR])
            rows += [_row(what, way, each, floor) for way, each in taken.items()]
    return rows


def client_name() -> str:
    """Return what asks, for the table's caption."""
    return "wrk" if shutil.which("wrk") else "a small Python client (wrk is not installed, so nginx looks slower)"


def _row(what: str, way: str, taken: list[Round], floor: float) -> Row:
    rate, p50, p99 = (
        statistics.median(getattr(each, name) for each in taken)
        for name in ("per_second", "p50_milliseconds", "p99_milliseconds")
    )
    return Row(what, way, round(rate), round(rate / floor, 2), round(p50, 2), round(p99, 2))


@contextmanager
def _targets() -> Iterator[dict[str, dict[str, Target]]]:
    nginx = find_nginx()
    if nginx is None:
        raise RuntimeError("There is no nginx to compare with; on Debian: apt-get install nginx-light")
    picture = sample_png()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chatbot-bench-")))
        plain, handing = (
            stack.enter_context(_server(folder / name, **variables))
            for name, variables in (("plain", {}), ("handing", {"ACCEL_REDIRECT_PREFIX": "/_storage/"}))
        )
        targets = {name: _stored(server, picture) for name, server in (("plain", plain), ("handing", handing))}
        image = next((plain.folder / "Storage" / "uploads").glob("*.*"))
        ports = new_ports(3)
        sites = [
            file_site(plain.folder / "Storage", ports[0]),
            proxy_site(plain.port, plain.folder / "Storage", ports[1]),
            proxy_site(handing.port, handing.folder / "Storage", ports[2]),
        ]
        stack.enter_context(running_nginx(nginx, folder / "nginx", sites, ports))
        ways = {
            FLOOR: Target(f"http://127.0.0.1:{ports[0]}/uploads/{image.name}"),
            "ChatBot alone": targets["plain"],
            "ChatBot behind nginx": _through(targets["plain"], ports[1]),
            "ChatBot behind nginx, X-Accel-Redirect": _through(targets["handing"], ports[2]),
        }
        thumbnail = plain.folder / "Storage" / "thumbnails" / f"{image.stem}_{THUMBNAIL_WIDTH}.webp"
        small = {way: replace(each, url=f"{each.url}?w={THUMBNAIL_WIDTH}") for way, each in ways.items()}
        small[FLOOR] = Target(f"http://127.0.0.1:{ports[0]}/thumbnails/{thumbnail.name}")
        for target in ways.values():
            _check(target, image.read_bytes())
        for target in small.values():
            _check(target, thumbnail.read_bytes())
        yield {
            f"a picture of {image.stat().st_size / 1000:.0f} kB": ways,
            f"a thumbnail of {thumbnail.stat().st_size / 1000:.0f} kB": small,
            "304, the browser has it": {way: _revalidating(each) for way, each in ways.items()},
        }


@contextmanager
def _server(folder: Path, **variables: str) -> Iterator[ServerProcess]:
    folder.mkdir()
    server = ServerProcess(folder, RATE_LIMITS="download=off", **variables)
    try:
        yield server.start()
    finally:
        server.clear_away()


def _stored(server: ServerProcess, picture: bytes) -> Target:
    with Person(server) as person:
        answer = person.register().post("/api/uploads", files={"file": ("sample.png", picture)})
        cookie = "; ".join(f"{each.name}={each.value}" for each in person.cookies)
        return Target(server.base_url + answer.json()["src"], cookie)


def _through(target: Target, port: int) -> Target:
    return Target(f"http://127.0.0.1:{port}{urlsplit(target.url).path}", target.cookie)


def _revalidating(target: Target) -> Target:
    known = replace(target, known=_get(target).headers["ETag"])
    if _get(known).status_code != HTTPStatus.NOT_MODIFIED:
        raise RuntimeError(f"{target.url} does not confirm what was just sent.")
    return known


def _get(target: Target) -> requests.Response:
    path = urlsplit(target.url)
    with Person(f"{path.scheme}://{path.netloc}") as person:
        return person.get(target.url.removeprefix(f"{path.scheme}://{path.netloc}"), headers=target.headers)


def _check(target: Target, expected: bytes) -> None:
    answer = _get(target)
    if sha256(answer.content).digest() != sha256(expected).digest():
        raise RuntimeError(f"{target.url} answered {answer.status_code} and not with the picture.")


def _wrk(target: Target, seconds: int) -> Round:
    command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--latency"]
    done = subprocess.run(
        [*command, *(f"-H{name}: {value}" for name, value in target.headers.items()), target.url],
        check=True,
        capture_output=True,
        text=True,
    )
    if "Non-2xx" in done.stdout:  # wrk counts 304 among the good ones
        raise RuntimeError(f"{target.url} refused: {done.stdout}")
    found = {name: re.search(pattern, done.stdout) for name, pattern in WRK_LINES.items()}
    rate, p50, p99 = (each.groups() if each else ("nan",) for each in found.values())
    return Round(float(rate[0]), _milliseconds(p50), _milliseconds(p99))


def _milliseconds(figure: tuple[str, ...]) -> float:
    return float(figure[0]) * MILLISECONDS.get(figure[-1], 1.0)


def _own_client(target: Target, seconds: int) -> Round:
    times = asyncio.run(_ask_all(target, seconds))
    cuts = statistics.quantiles(times, n=100)
    return Round(len(times) / seconds, 1000 * cuts[49], 1000 * cuts[98])


async def _ask_all(target: Target, seconds: int) -> list[float]:
    until = time.perf_counter() + seconds
    each = await asyncio.gather(*(_ask_for(target, until) for _ in range(CONNECTIONS)))
    return [taken for times in each for taken in times]


async def _ask_for(target: Target, until: float) -> list[float]:
    path = urlsplit(target.url)
    reader, writer = await asyncio.open_connection(path.hostname, path.port)
    headers = "".join(f"{name}: {value}\r\n" for name, value in target.headers.items())
    address = f"{path.path}?{path.query}" if path.query else path.path
    question = f"GET {address} HTTP/1.1\r\nHost: {path.netloc}\r\n{headers}\r\n".encode()
    times = []
    while (started := time.perf_counter()) < until:
        writer.write(question)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        times.append(time.perf_counter() - started)
    writer.close()
    return times
