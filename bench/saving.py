"""How many pictures are saved each second while the cloud host takes 200 ms per call, and how soon they are proved.

The ideal of a save is the same save without any host. The ideal of the outbox is what the host bears: so many uploads
at once, 200 ms each; their read-backs run beside them.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.intake import sample_png
from bench.printing import print_rows
from ChatBot.bootstrap import build
from ChatBot.config import PROJECT_ROOT, Settings
from ChatBot.container import Services
from ChatBot.db.embedded import EmbeddedServer
from ChatBot.hosts import BUILT_IN_HOSTS
from ChatBot.logs import log_to_stderr
from ChatBot.models import Provenance
from ChatBot.services.copies.replication import PARALLEL_UPLOADS

HOST = "imgbb"
CALL_SECONDS = 0.2
SAVES = 200
CLIENTS = 8
WARM_UP = 16
WAITS_SECONDS = (0.0, 3.0)
PROVED_WITHIN_SECONDS = 180.0
POLL_SECONDS = 0.05
WHAT = f"saving {SAVES} pictures, {CLIENTS} clients, host 200 ms away"


@dataclass(frozen=True)
class Row:
    """One way: pictures per second, and which part of its ideal that is."""

    way: str
    per_second: float
    ratio: float


def bound_per_second() -> float:
    """Return how many pictures the host can prove each second at best: uploads at once, or our own threads."""
    at_once = next(one.parallel_uploads for one in BUILT_IN_HOSTS if one.name == HOST)
    return min(at_once / CALL_SECONDS, PARALLEL_UPLOADS / (2 * CALL_SECONDS))


@contextmanager
def slow_hosts() -> Iterator[dict[str, str]]:
    """Run the stand-ins in a process of their own; yields the settings that point the application there."""
    options = ["-m", "tests.standins", "hosts", "--delay-ms", str(1000 * CALL_SECONDS)]
    with subprocess.Popen([sys.executable, *options], stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT) as hosts:
        try:
            if hosts.stdout is None:
                raise RuntimeError("the hosts have no pipe")
            lines = iter(hosts.stdout.readline, "")
            found: dict[str, str] = {}
            while "FETCH_ALLOW_PRIVATE_HOSTS" not in found:
                name, _, value = next(lines).strip().partition("=")
                found[name] = value
            yield found
        finally:
            hosts.terminate()


@contextmanager
def application(uri: str, root: Path, hosts: dict[str, str], wait_seconds: float) -> Iterator[Services]:
    """Build the services on a database and a folder of their own, with their workers; without ``hosts`` no copies."""
    settings = Settings(
        _env_file=None,
        secret_key="measuring only, never a secret of anybody",  # noqa: S106
        mongodb_uri=uri,
        mongodb_db=root.name,
        storage_root=root,
        cloud_hosts=(HOST,) if hosts else (),
        cloud_wait_seconds=wait_seconds,
        imgbb_api_key=hosts.get("IMGBB_API_KEY"),
        imgbb_api_url=hosts.get("IMGBB_API_URL", "http://127.0.0.1:9"),
        fetch_allow_private_hosts=tuple(filter(None, hosts.get("FETCH_ALLOW_PRIVATE_HOSTS", "").split(","))),
    )
    services = build(settings)
    services.worker.start()
    try:
        yield services
    finally:
        services.close()


def run(services: Services) -> tuple[float, float]:
    """Save everything; return the seconds until the last answer, and until every copy was proved."""
    owner = services.accounts.create("measuring", "a long password to measure with").id
    pictures = [sample_png(320, 256, seed=number) for number in range(CLIENTS)]

    def save(number: int) -> None:
        services.image_handler.save_upload(pictures[number % CLIENTS], Provenance(owner_id=owner, generated=False))

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(save, range(WARM_UP)))
        _wait_until_proved(services)
        started = time.perf_counter()
        list(clients.map(save, range(SAVES)))
    answered = time.perf_counter() - started
    _wait_until_proved(services)
    return answered, time.perf_counter() - started


def _wait_until_proved(services: Services) -> None:
    deadline = time.monotonic() + PROVED_WITHIN_SECONDS
    while services.repositories.census.outbox()[0]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the outbox was not empty after {PROVED_WITHIN_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)


def measure() -> list[Row]:
    """Return the saves without a host, then for each wait the saves and the proved pictures."""
    with TemporaryDirectory() as name, slow_hosts() as hosts:
        folder = Path(name)
        server = EmbeddedServer(folder / "db").start("measuring")
        try:
            with application(server.uri, folder / "alone", {}, 0) as services:
                ideal = SAVES / run(services)[0]
            rows = [Row("saved, no host", ideal, 1.0)]
            for wait in WAITS_SECONDS:
                with application(server.uri, folder / f"wait{wait:.0f}", hosts, wait) as services:
                    answered, proved = run(services)
                setting = f"CLOUD_WAIT_SECONDS={wait:.0f}"
                rows.append(Row(f"saved, {setting}", SAVES / answered, SAVES / answered / ideal))
                rate = SAVES / proved
                rows.append(Row(f"proved on the host, {setting}", rate, rate / bound_per_second()))
            return rows
        finally:
            server.stop()


def main() -> None:
    """Print the rows as a table, or with ``--json`` as one object."""
    log_to_stderr(logging.WARNING)  # standard output is for the figures
    print_rows("saving", measure(), _line, f"{WHAT:<56}{'per second':>10}{'of ideal':>10}")


def _line(row: Row) -> str:
    return f"{row.way:<56}{row.per_second:>10.1f}{row.ratio:>10.0%}"


if __name__ == "__main__":
    main()
