"""The crash loop: kill the whole server, its worker or its database at random moments under load, then audit."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from pathlib import Path

from ChatBot.db.connection import connect
from ChatBot.db.embedded import attach
from tests.chaos.audit import Findings, audit, count_orphans
from tests.chaos.load import Promises, load, open_account
from tests.fixtures.server import ServerProcess, eventually
from tests.standins.hosts import HostServer

SHORTEST_LIFE_SECONDS = 0.1
LONGEST_LIFE_SECONDS = 3.0
SETTLE_SECONDS = 120.0
VICTIMS = ("everything", "everything", "main", "worker", "mongod")
"""What is killed: all processes at once, as a power switch does, or one of them."""


def run(folder: Path, kills: int, seed: int, say: object = print) -> Findings:
    """Kill ``kills`` times and return what the audit found; ``say`` is called with a line of progress now and then."""
    chooser = random.Random(seed)
    promises = Promises()
    victims: Counter[str] = Counter()
    with HostServer() as hosts:
        server = ServerProcess(folder, **hosts.environment, CLOUD_WAIT_SECONDS="0.3").start()
        try:
            token = open_account(server.base_url)
            with load(server.base_url, token, promises, seed):
                for number in range(kills):
                    time.sleep(chooser.uniform(SHORTEST_LIFE_SECONDS, LONGEST_LIFE_SECONDS))
                    victim = chooser.choice(VICTIMS)
                    victims[victim] += 1
                    _kill(server, victim)
                    if callable(say) and (number + 1) % 10 == 0:
                        say(f"{number + 1} kills, {len(promises.hashes)} pictures acknowledged")
            findings = _settle_and_audit(server, token, promises, hosts)
        finally:
            server.clear_away()
    if callable(say):
        say(f"killed: {dict(victims)}")
    return findings


def _kill(server: ServerProcess, victim: str) -> None:
    """Kill a part of the server and wait until it answers again."""
    if victim in ("everything", "main"):
        if victim == "everything":
            server.clear_away()
        else:
            server.kill()
        server.start()
        return
    process = server.worker() if victim == "worker" else server.mongod()
    process.send_signal(signal.SIGKILL)
    process.wait()
    server.wait_until_it_answers()


def _settle_and_audit(server: ServerProcess, token: str, promises: Promises, hosts: HostServer) -> Findings:
    """Wait until nothing is in the making any more, then compare."""
    storage = server.folder / "Storage"
    uri = attach(storage.with_name("Storage-db"))
    assert uri is not None, "the embedded database is not there"
    database = connect(uri, "chatbot")
    try:
        running = {"status": {"$in": ["queued", "streaming"]}}
        eventually(lambda: database["messages"].count_documents(running) == 0, SETTLE_SECONDS)
        findings = audit(server.base_url, token, promises, database, storage)
        findings.orphans = count_orphans(database, hosts)
        return findings
    finally:
        database.client.close()
