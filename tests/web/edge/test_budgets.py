"""Budgets: counted by key, shared through Redis, counted alone while Redis is away."""

from __future__ import annotations

import pytest
from limits.storage import RedisStorage

from ChatBot.errors import RateLimited
from ChatBot.web.edge.budgets import Budgets, address_key
from tests.fixtures.application import SettingsFactory
from tests.fixtures.ports import free_port
from tests.fixtures.redis import RedisServer


def test_what_is_over_the_budget_waits_and_other_keys_do_not() -> None:
    refused: list[str] = []
    budgets = Budgets({"login": "2/minute"}, on_refusal=refused.append)
    budgets.hit("login", "a")
    budgets.hit("login", "a")

    with pytest.raises(RateLimited, match="2 in 60 s") as over:
        budgets.hit("login", "a")

    assert 1 <= over.value.retry_after_seconds <= 60
    budgets.hit("login", "b")
    assert refused == ["login"]


def test_a_budget_that_is_off_or_unknown_is_not_counted() -> None:
    budgets = Budgets({"login": "off"})

    for _ in range(100):
        budgets.hit("login", "a")
        budgets.hit("nothing", "a")


def test_while_redis_is_away_this_process_counts_alone() -> None:
    away = RedisStorage(f"redis://127.0.0.1:{free_port()}", wrap_exceptions=True, socket_connect_timeout=0.5)
    budgets = Budgets({"login": "2/minute"}, away)
    budgets.hit("login", "a")
    budgets.hit("login", "a")

    with pytest.raises(RateLimited):
        budgets.hit("login", "a")


def test_processes_with_one_redis_count_together(redis_server: RedisServer, make_settings: SettingsFactory) -> None:
    settings = make_settings(redis_url=redis_server.url, rate_limits="login=2/minute")
    one, other = Budgets.of(settings), Budgets.of(settings)
    one.hit("login", "a")
    other.hit("login", "a")

    for budgets in (one, other):
        with pytest.raises(RateLimited):
            budgets.hit("login", "a")


def test_a_redis_that_was_killed_and_is_back_counts_for_all_again(
    redis_server: RedisServer, make_settings: SettingsFactory
) -> None:
    settings = make_settings(redis_url=redis_server.url, rate_limits="login=1/minute")
    one, other = (Budgets.of(settings, ask_again_seconds=0) for _ in range(2))
    one.hit("login", "a")

    redis_server.stop()
    for budgets in (one, other):  # each alone, and from nought
        budgets.hit("login", "a")
        with pytest.raises(RateLimited):
            budgets.hit("login", "a")
    redis_server.start()

    one.hit("login", "a")
    with pytest.raises(RateLimited):
        other.hit("login", "a")


def test_a_redis_that_hangs_refuses_nobody_and_is_left_alone_for_a_while(
    redis_server: RedisServer, make_settings: SettingsFactory
) -> None:
    settings = make_settings(redis_url=redis_server.url, rate_limits="login=2/minute")
    budgets = Budgets.of(settings, ask_again_seconds=3600)
    budgets.hit("login", "a")

    redis_server.while_hanging(lambda: [budgets.hit("login", "a") for _ in range(2)])

    with pytest.raises(RateLimited):  # by its own count: Redis would have room for one more
        budgets.hit("login", "a")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:DB8::1", "2001:db8:0:0::1"),
    ],
)
def test_spellings_and_neighbours_of_one_customer_are_one_key(one: str, other: str) -> None:
    assert address_key(one) == address_key(other)


def test_different_customers_are_different_keys() -> None:
    keys = {address_key(each) for each in ("192.0.2.7", "192.0.2.8", "2001:db8:1:2::1", "2001:db8:1:3::1", None)}

    assert len(keys) == 5
