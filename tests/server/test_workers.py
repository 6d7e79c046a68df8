"""Worker processes that share MongoDB and Redis send each copy once, whatever dies or is emptied meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ChatBot.config import PROJECT_ROOT
from ChatBot.container import Services
from ChatBot.models import Provenance, now
from tests.fixtures.application import PASSWORD
from tests.fixtures.redis import RedisServer
from tests.fixtures.server import eventually
from tests.services.workshop import picture
from tests.standins.hosts import HostServer

pytestmark = pytest.mark.server

PICTURES = 40
THREADS = "2"


class Yard:
    """An installation whose pictures were kept before a host was set up: their copies are owed, nobody works yet."""

    def __init__(
        self, make_services: Callable[..., Services], redis: RedisServer, hosts: HostServer, folder: Path
    ) -> None:
        self.redis = redis
        self.host = hosts.imgbb
        self._folder = folder
        self._environment = {
            **{name: value for name, value in hosts.environment.items() if not name.startswith("POSTIMAGES")},
            "CLOUD_HOSTS": "imgbb",
            "REDIS_URL": redis.url,
        }
        settings = {name.lower(): value for name, value in self._environment.items()}
        self._make = lambda **more: make_services(worker_threads=0, **settings, **more)
        self._before = make_services()
        self._workers: list[subprocess.Popen[bytes]] = []

    def owe(self, count: int) -> list[str]:
        """Keep so many pictures and put a copy of each into the outbox."""
        owner = self._before.accounts.register("ann", PASSWORD)
        kept = [
            self._before.image_handler.save_upload(picture(seed), Provenance(owner_id=owner.id, generated=False)).id
            for seed in range(count)
        ]
        self.services: Services = self._make()
        self.services.upkeep.replicate.run(apply=True)
        return kept

    def hire(self) -> subprocess.Popen[bytes]:
        """Start a worker process on the same MongoDB, Redis and disk."""
        settings = self.services.settings
        environment = {
            **self._environment,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT_ROOT),
            "ENV_FILE": "",
            "SECRET_KEY": str(settings.secret_key),
            "MONGODB_URI": str(settings.mongodb_uri),
            "MONGODB_DB": settings.mongodb_db,
            "STORAGE_ROOT": str(settings.storage_root),
            "WORKER_THREADS": THREADS,
        }
        with (self._folder / "workers.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "ChatBot", "worker"], env=environment, stdout=log, stderr=log
            )
        self._workers.append(worker)
        return worker

    def states(self) -> dict[str, int]:
        """Return how many copies are in each state."""
        return {row["state"]: row["count"] for row in self.services.repositories.images.copies_by_state()}

    def is_done(self, count: int) -> bool:
        """Return whether so many copies are proved and none is owed."""
        return self.states() == {"verified": count}

    def log(self) -> str:
        return (self._folder / "workers.log").read_text()

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
            worker.wait(30)


@pytest.fixture
def yard(
    make_services: Callable[..., Services], redis_server: RedisServer, hosts: HostServer, tmp_path: Path
) -> Iterator[Yard]:
    made = Yard(make_services, redis_server, hosts, tmp_path)
    yield made
    made.close()


def expire_leases(services: Services) -> None:
    """Let five minutes go by for every copy that somebody holds."""
    past = now() - timedelta(seconds=1)
    change: dict[str, Any] = {"images.$[].copies.$[held].lease_until": past, "images.$[].copies.$[held].next_at": past}
    services.database["messages"].update_many(
        {"images.copies.state": "leased"}, {"$set": change}, array_filters=[{"held.state": "leased"}]
    )


def test_two_workers_send_each_copy_once_and_end_when_asked(yard: Yard) -> None:
    yard.owe(PICTURES)

    workers = [yard.hire(), yard.hire()]

    assert eventually(lambda: yard.is_done(PICTURES)), (yard.states(), yard.log())
    assert yard.host.uploads == len(yard.host.live) == PICTURES
    assert eventually(lambda: yard.log().count("worker.started") == len(workers)), yard.log()  # one may come too late
    for worker in workers:
        worker.terminate()
    assert [worker.wait(60) for worker in workers] == [0, 0]
    assert "Traceback" not in yard.log()


def test_a_web_process_without_threads_leaves_its_retries_to_a_worker(yard: Yard) -> None:
    yard.owe(1)
    yard.services.start()
    assert yard.services.health.queue()["kind"] == "redis"
    assert yard.host.uploads == 0

    yard.hire()

    assert eventually(lambda: yard.is_done(1)), (yard.states(), yard.log())


def test_what_a_killed_worker_held_is_sent_by_another_one(yard: Yard) -> None:
    yard.host.fault = "hang"
    yard.owe(3)
    killed = yard.hire()
    assert eventually(lambda: yard.host.uploads >= 2), yard.log()

    killed.kill()
    killed.wait(60)
    yard.host.fault = "ok"
    yard.hire()

    assert eventually(lambda: yard.states() == {"leased": 2, "verified": 1}), (yard.states(), yard.log())
    expire_leases(yard.services)
    assert eventually(lambda: yard.is_done(3)), (yard.states(), yard.log())
    assert len(yard.host.live) == 3


def test_emptying_redis_under_load_loses_nothing(yard: Yard) -> None:
    yard.owe(PICTURES)
    yard.hire()
    yard.hire()

    thrown_away = []
    for sent in (1, PICTURES // 2):
        assert eventually(lambda: len(yard.host.live) >= sent), yard.log()  # noqa: B023 - called at once
        thrown_away.append(yard.redis.flush())

    assert thrown_away[0] > 0
    assert eventually(lambda: yard.is_done(PICTURES)), (yard.states(), yard.log())
    assert len(yard.host.live) == PICTURES


def test_work_goes_on_while_redis_is_gone_and_after_it_is_back(yard: Yard) -> None:
    yard.owe(PICTURES)
    yard.hire()
    assert eventually(lambda: len(yard.host.live) >= 1), yard.log()

    yard.redis.stop()
    assert not yard.services.health.queue()["ok"]
    assert eventually(lambda: len(yard.host.live) >= PICTURES // 2), (yard.states(), yard.log())
    yard.redis.start()

    assert eventually(lambda: yard.is_done(PICTURES)), (yard.states(), yard.log())
    assert len(yard.host.live) == PICTURES
    assert "queue.away" in yard.log()
    assert yard.services.health.queue()["ok"]
