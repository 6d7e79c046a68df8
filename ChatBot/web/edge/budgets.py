"""How often somebody may do a thing: budgets counted in memory, or in Redis for several servers together."""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable, Mapping

import structlog
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from ChatBot.config import Settings
from ChatBot.errors import RateLimited
from ChatBot.sentence import Sentence

log = structlog.get_logger(__name__)

REDIS_SECONDS = 0.5
"""Longer than any healthy answer takes; nobody waits for a Redis that hangs."""
ASK_REDIS_AGAIN_SECONDS = 10.0
OFF = "off"
IPV6_PREFIX = 64
"""What one household or machine gets of IPv6: a single address of it would be no limit at all."""


def _say_nothing(_budget: str) -> None:
    """Tell nobody of a refusal."""


class Budgets:
    """Counts requests by budget and key; callable from any thread, and from outside of Flask.

    ``rates`` are texts such as ``30/minute``. Without an answer from Redis this process counts alone: a limit is no
    reason to turn people away. ``on_refusal`` is called with the budget's name.
    """

    def __init__(
        self,
        rates: Mapping[str, str],
        shared: RedisStorage | None = None,
        on_refusal: Callable[[str], None] = _say_nothing,
        *,
        ask_again_seconds: float = ASK_REDIS_AGAIN_SECONDS,
    ) -> None:
        self._rates = {budget: parse(rate) for budget, rate in rates.items() if rate != OFF}
        self._alone = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._together = SlidingWindowCounterRateLimiter(shared) if shared else None
        self._ask_redis_at = 0.0
        self._ask_again_seconds = ask_again_seconds
        self._on_refusal = on_refusal

    @classmethod
    def of(
        cls,
        settings: Settings,
        on_refusal: Callable[[str], None] = _say_nothing,
        *,
        ask_again_seconds: float = ASK_REDIS_AGAIN_SECONDS,
    ) -> Budgets:
        """Build the budgets of the settings; Redis is asked at the first request, not here."""
        shared = None
        if settings.redis_url:
            shared = RedisStorage(
                settings.redis_url,
                key_prefix="chatbot:limits",
                wrap_exceptions=True,
                socket_connect_timeout=REDIS_SECONDS,
                socket_timeout=REDIS_SECONDS,
            )
        return cls(settings.rates, shared, on_refusal, ask_again_seconds=ask_again_seconds)

    def hit(self, budget: str, key: str) -> None:
        """Count a request of whoever ``key`` stands for; raises ``RateLimited`` when the budget is used up."""
        rate = self._rates.get(budget)
        if rate is None:
            return
        wait = self._wait(rate, budget, key)
        if wait is not None:
            self._on_refusal(budget)
            raise RateLimited(
                Sentence(
                    "Too many requests of this kind (%(most)s in %(span)s s); nothing was done. "
                    "Try again in %(wait)s s.",
                    most=rate.amount,
                    span=rate.get_expiry(),
                    wait=math.ceil(wait),
                ),
                retry_after_seconds=wait,
            )

    def _wait(self, rate: RateLimitItem, budget: str, key: str) -> float | None:
        """Return None when there is room, else the seconds until there is some."""
        if self._together and time.monotonic() >= self._ask_redis_at:
            try:
                return _counted(self._together, rate, budget, key)
            except StorageError as error:
                self._ask_redis_at = time.monotonic() + self._ask_again_seconds
                log.warning("limits.redis_is_away", reason=type(error.storage_error).__name__)
        return _counted(self._alone, rate, budget, key)


def account_key(user_id: str) -> str:
    """Return the key of somebody who is logged in."""
    return f"account:{user_id}"


def address_key(address: str | None) -> str:
    """Return the key of a visitor: the address, of IPv6 the network that one customer is given."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return f"address:{address}"
    mapped = getattr(parsed, "ipv4_mapped", None)
    if mapped is not None or parsed.version == 4:
        return f"address:{mapped or parsed}"
    return f"address:{ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False)}"


def _counted(limiter: SlidingWindowCounterRateLimiter, rate: RateLimitItem, budget: str, key: str) -> float | None:
    if limiter.hit(rate, budget, key):
        return None
    return max(1.0, limiter.get_window_stats(rate, budget, key).reset_time - time.time())
