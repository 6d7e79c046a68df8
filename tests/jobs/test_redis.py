"""The queue in Redis keeps the contract, is shared by processes, and outlives Redis being away."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from ChatBot.errors import QueueUnavailable, SettingsError
from ChatBot.jobs.base import Jobs
from ChatBot.jobs.redis import RedisJobs
from tests.fixtures.ports import free_port
from tests.fixtures.redis import RedisServer
from tests.fixtures.server import eventually
from tests.jobs.contract import Diary, JobsContract


class TestRedisJobs(JobsContract):
    @pytest.fixture
    def make_jobs(self, redis_server: RedisServer) -> Callable[[], Jobs]:
        return lambda: RedisJobs(redis_server.url, "test")

    def test_what_one_process_hands_in_another_one_runs_once(self, open_jobs: Callable[[], Jobs]) -> None:
        web, workers, diary = open_jobs(), [open_jobs(), open_jobs()], Diary()
        web.register("letters", diary.run, 0)
        for jobs in workers:
            jobs.register("letters", diary.run, 1)
            jobs.start()

        for number in range(50):
            web.enqueue("letters", str(number))

        diary.wait_for(50)
        assert sorted(diary.keys, key=int) == [str(number) for number in range(50)]

    def test_installations_with_other_names_share_nothing(
        self, open_jobs: Callable[[], Jobs], redis_server: RedisServer
    ) -> None:
        ours, theirs = open_jobs(), RedisJobs(redis_server.url, "other")
        ours.register("letters", Diary().run, 0)
        theirs.register("letters", Diary().run, 0)

        ours.enqueue("letters", "a")

        assert (ours.depth(), theirs.depth()) == (1, 0)
        theirs.close()

    def test_nothing_in_the_queue_can_run_code(
        self, open_jobs: Callable[[], Jobs], redis_server: RedisServer, tmp_path: Path
    ) -> None:
        jobs, diary, trap = open_jobs(), Diary(), tmp_path / "trap"
        jobs.register("letters", diary.run, 1)
        with Redis.from_url(redis_server.url) as client:
            client.lpush("huey.redis.test.letters", pickle.dumps(_Trap(trap)))
        jobs.start()

        jobs.enqueue("letters", "a")

        diary.wait_for(1)
        assert not trap.exists()


class _Trap:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self._path,)


def test_while_redis_is_away_handing_in_says_so_and_afterwards_all_is_as_before(redis_server: RedisServer) -> None:
    jobs, diary = RedisJobs(redis_server.url, "test"), Diary()
    jobs.register("letters", diary.run, 1)
    jobs.start()
    redis_server.stop()

    with pytest.raises(QueueUnavailable, match="does not answer"):
        jobs.enqueue("letters", "a")
    with pytest.raises(QueueUnavailable):
        jobs.depth()
    redis_server.start()
    assert eventually(lambda: _hands_in(jobs, "b"))

    diary.wait_for(1)
    assert diary.keys == ["b"]
    jobs.close()


def _hands_in(jobs: Jobs, key: str) -> bool:
    try:
        jobs.enqueue("letters", key)
    except QueueUnavailable:
        return False
    return True


def test_a_redis_that_is_away_at_the_start_is_waited_for() -> None:
    jobs = RedisJobs(f"redis://127.0.0.1:{free_port()}/0", "test")
    jobs.register("letters", Diary().run, 1)
    jobs.start()

    with pytest.raises(QueueUnavailable):
        jobs.depth()

    jobs.close()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:hunter2/0", "redis://[broken"])
def test_an_address_that_is_none_stops_the_start_and_is_not_quoted(url: str) -> None:
    with pytest.raises(SettingsError, match="REDIS_URL") as stopped:
        RedisJobs(url, "test")

    assert "hunter2" not in str(stopped.value)


def test_a_wrong_password_stops_the_start(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, password="right").start()

    with pytest.raises(SettingsError, match="password"):
        RedisJobs(server.url.replace("right", "wrong"), "test")

    server.stop()
