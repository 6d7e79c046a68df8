"""The queue of several processes, in a Redis that they share."""

from __future__ import annotations

import structlog
from huey.storage import RedisExpireStorage
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.retry import Retry

from ChatBot.errors import SettingsError
from ChatBot.jobs.embedding import HueyJobs

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 3.0
"""Longer than ``WAIT_SECONDS``, for which Redis keeps back its answer to somebody who waits for a job."""
WAIT_SECONDS = 1


class RedisJobs(HueyJobs):
    """Jobs that any of the processes runs that share a Redis and an ``installation``."""

    kind = "redis"
    failures = (RedisError,)

    def __init__(self, url: str, installation: str) -> None:
        """Look whether Redis answers; raises ``SettingsError`` when it does and refuses, or the address is none.

        One that does not answer is waited for without end: nothing is lost while it is away.
        """
        super().__init__()
        self._installation = installation
        self._pool = _pool(url)
        _check(self._pool)

    def _storage(self, name: str) -> RedisExpireStorage:
        return RedisExpireStorage(
            f"{self._installation}.{name}", read_timeout=WAIT_SECONDS, connection_pool=self._pool, clean_name=False
        )

    def close(self) -> None:
        super().close()
        self._pool.disconnect()


def _pool(url: str) -> ConnectionPool:
    try:
        return ConnectionPool.from_url(
            url,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 1),  # a connection that was closed meanwhile is opened anew; nothing more
        )
    except ValueError as error:
        raise SettingsError(
            # Without the reason: it may quote a part of the password.
            "REDIS_URL is not the address of a Redis: set it to something like redis://127.0.0.1:6379/0, and write "
            "signs such as / and @ in a password as %2F and %40."
        ) from error


def _check(pool: ConnectionPool) -> None:
    try:
        Redis(connection_pool=pool).ping()
    except (AuthenticationError, ResponseError) as error:
        raise SettingsError(
            f"The Redis of REDIS_URL refuses this server ({error}): put the right password, user and database number "
            "into it (redis://user:password@host:6379/0), or unset it."
        ) from error
    except RedisError as error:
        log.warning("queue.away", reason=type(error).__name__, until="it answers; meanwhile MongoDB is read instead")
