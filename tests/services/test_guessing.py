"""Guesses at a password: some are free, then each waits longer, per target and address."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ChatBot.db.guesses import Guesses
from ChatBot.db.repositories import Repositories
from ChatBot.errors import NotAuthenticated, RateLimited
from ChatBot.models import now
from ChatBot.services.guessing import FREE_GUESSES, Guessing
from tests.services.workshop import at_once

LIMITS = {"free": 3, "longest": timedelta(minutes=15), "remembered": timedelta(hours=1)}


def waits(guesses: Guesses, times: int) -> list[int]:
    """Guess as soon as one may, and return the seconds that each guess had to wait."""
    at, waited = now(), []
    for _ in range(times):
        until = guesses.count("key", at, **LIMITS)  # type: ignore[arg-type]
        waited.append(int((until - at).total_seconds()) if until else 0)
        if until:
            at = until
            assert guesses.count("key", at, **LIMITS) is None  # type: ignore[arg-type]
    return waited


def test_each_wait_is_twice_the_one_before_up_to_the_longest(repositories: Repositories) -> None:
    assert waits(repositories.guesses, 15) == [0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_guesses_are_forgotten_after_a_while(repositories: Repositories) -> None:
    at = now()
    for _ in range(4):
        repositories.guesses.count("key", at, **LIMITS)  # type: ignore[arg-type]

    later = at + timedelta(hours=2)

    assert [repositories.guesses.count("key", later, **LIMITS) for _ in range(3)] == [None] * 3  # type: ignore[arg-type]


def test_of_many_guesses_at_the_same_moment_only_the_free_ones_are_tried(repositories: Repositories) -> None:
    guessing = Guessing(repositories.guesses)

    def guess(_: int) -> None:
        with guessing.attempt("account:ann", "192.0.2.1"):
            raise NotAuthenticated("wrong")

    results = at_once(guess, 20)

    assert sum(isinstance(result, NotAuthenticated) for result in results) == FREE_GUESSES + 1
    assert sum(isinstance(result, RateLimited) for result in results) == 20 - FREE_GUESSES - 1


def test_a_right_guess_begins_anew(repositories: Repositories) -> None:
    guessing = Guessing(repositories.guesses)

    for _ in range(FREE_GUESSES * 3):
        with guessing.attempt("account:ann", "192.0.2.1"):
            pass


def test_targets_and_addresses_are_counted_apart(repositories: Repositories) -> None:
    guessing = Guessing(repositories.guesses)
    for _ in range(FREE_GUESSES + 1):
        with pytest.raises(NotAuthenticated), guessing.attempt("account:ann", "192.0.2.1"):
            raise NotAuthenticated("wrong")

    with pytest.raises(RateLimited), guessing.attempt("account:ann", "192.0.2.1"):
        pass
    with guessing.attempt("account:ann", "192.0.2.2"), guessing.attempt("account:bob", "192.0.2.1"):
        pass
