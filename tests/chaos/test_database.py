"""MongoDB hangs, ends, dies or loses replies under load: requests say so in time, nothing acknowledged is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from pymongo.database import Database

from ChatBot.db.connection import connect
from ChatBot.db.embedded import EmbeddedServer
from tests.chaos.audit import Findings, audit
from tests.chaos.load import Promises, load, open_account
from tests.chaos.proxy import LossyProxy
from tests.fixtures.application import SECRET_KEY
from tests.fixtures.ports import free_port
from tests.fixtures.server import ServerProcess, eventually

pytestmark = pytest.mark.server

TIMEOUTS = "connectTimeoutMS=500&heartbeatFrequencyMS=500&serverSelectionTimeoutMS=1000&socketTimeoutMS=2000"
"""A tenth of the real ones, so that a test can outlast all of them."""
HANG_SECONDS = 5.0
BOUND_SECONDS = 4.0
LOAD_SECONDS = 1.0
"""Load before and after a fault."""
LOSSES = 12
SETTLE_SECONDS = 90.0
DRAWING = {"prompt": "a red fox", "width": 128, "height": 128}


@dataclass
class House:
    """A server and its database, with a lossy line between them, and what was promised to its account."""

    server: ServerProcess
    mongod: EmbeddedServer
    line: LossyProxy
    database: Database[dict[str, Any]]
    token: str
    promises: Promises

    def under_load(self, seed: int) -> Any:
        return load(self.server.base_url, self.token, self.promises, seed)

    def ask(self, method: str, path: str, **options: Any) -> tuple[requests.Response, float]:
        """Return the answer and how many seconds it took."""
        headers = {"Authorization": f"Bearer {self.token}"}
        started = time.monotonic()
        answer = requests.request(method, self.server.base_url + path, headers=headers, timeout=60, **options)
        return answer, time.monotonic() - started

    def signal(self, number: int) -> None:
        assert self.mongod.pid is not None
        os.kill(self.mongod.pid, number)

    def works(self) -> bool:
        return requests.get(f"{self.server.base_url}/readyz", timeout=60).ok

    def findings(self) -> Findings:
        """Compare what was promised with what is there, once nothing is in the making any more."""
        running = {"status": {"$in": ["queued", "streaming"]}}
        eventually(lambda: self.database["messages"].count_documents(running) == 0, SETTLE_SECONDS)
        storage = self.server.folder / "Storage"
        return audit(self.server.base_url, self.token, self.promises, self.database, storage)


@pytest.fixture(scope="module")
def house(make_server: Callable[..., ServerProcess], tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    mongod = EmbeddedServer(tmp_path_factory.mktemp("mongo")).start("having faults")
    socket_path = next(
        each.laddr for each in psutil.Process(mongod.pid).net_connections("unix") if str(each.laddr).endswith(".sock")
    )
    database = connect(mongod.uri, "chatbot")
    with LossyProxy(str(socket_path)) as line:
        uri = f"{line.uri}&{TIMEOUTS}"
        server = make_server(MONGODB_URI=uri, SECRET_KEY=SECRET_KEY).start()
        yield House(server, mongod, line, database, open_account(server.base_url), Promises())
        server.remove()
    database.client.close()
    mongod.stop()


def test_a_hung_mongodb_is_said_in_time_and_nothing_is_lost_when_it_goes_on(house: House) -> None:
    with house.under_load(1):
        time.sleep(LOAD_SECONDS)
        house.signal(signal.SIGSTOP)
        until = time.monotonic() + HANG_SECONDS
        drawn, drawn_seconds = house.ask("POST", "/api/generate-image", json=DRAWING)
        page, page_seconds = house.ask("GET", "/login", allow_redirects=False)
        alive, _ = house.ask("GET", "/healthz")
        time.sleep(max(0.0, until - time.monotonic()))
        house.signal(signal.SIGCONT)
        back = eventually(house.works)
        time.sleep(LOAD_SECONDS)

    assert (drawn.status_code, page.status_code, alive.status_code) == (503, 503, 200)
    assert "MongoDB does not answer; try again" in drawn.json()["detail"]
    assert max(drawn_seconds, page_seconds) < 3 * BOUND_SECONDS
    assert back
    assert house.findings().broken == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_mongodb_that_ends_under_load_is_waited_for_and_nothing_is_lost(house: House, number: int) -> None:
    before = house.mongod.pid
    with house.under_load(10 + number):
        time.sleep(LOAD_SECONDS)
        house.signal(number)
        restarted = eventually(lambda: house.mongod.pid != before and house.works())
        time.sleep(LOAD_SECONDS)

    assert restarted
    assert house.findings().broken == {}


def test_a_reply_lost_after_the_write_has_one_effect_per_key(house: House) -> None:
    before = len(house.promises.by_key)
    with house.under_load(100):
        house.line.loss = 0.05
        eventually(lambda: house.line.lost >= LOSSES)
        house.line.loss = 0.0
        time.sleep(LOAD_SECONDS)

    assert house.line.lost >= LOSSES
    assert len(house.promises.by_key) > before
    assert house.findings().broken == {}


def test_a_mongodb_that_is_down_at_the_start_is_one_sentence(
    tmp_path: Path, make_server: Callable[..., ServerProcess]
) -> None:
    address = f"mongodb://127.0.0.1:{free_port()}/?serverSelectionTimeoutMS=500"
    server = make_server(MONGODB_URI=address, SECRET_KEY=SECRET_KEY)

    ended = subprocess.run(
        [sys.executable, "-m", "ChatBot"],
        cwd=tmp_path, env=server.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert ended.returncode == 4
    assert "MongoDB does not answer" in ended.stderr.splitlines()[-1]
    assert "MONGODB_URI" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
