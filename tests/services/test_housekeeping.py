"""Chores: done when they are due, by one process at a time, and again although a process died over one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ChatBot.db.chores import LEASE
from ChatBot.db.repositories import Repositories
from ChatBot.errors import ChatBotError
from ChatBot.models import now
from ChatBot.services.housekeeping import Chore, Housekeeping
from tests.services.workshop import at_once


class Broom:
    """Counts how often it was used."""

    def __init__(self) -> None:
        self.used = 0

    def sweep(self) -> int:
        self.used += 1
        return 0


def process(repositories: Repositories, broom: Broom, seconds: float = 0.0) -> Housekeeping:
    return Housekeeping(repositories.chores, [Chore("sweep", seconds, broom.sweep)])


def test_a_chore_is_done_when_it_is_due_and_then_due_again(repositories: Repositories) -> None:
    broom = Broom()
    house = process(repositories, broom)
    assert house.due() == ["sweep"]

    house.work_on("sweep")

    assert broom.used == 1
    assert house.due() == ["sweep"]


def test_a_chore_is_not_due_before_its_time(repositories: Repositories) -> None:
    broom = Broom()
    house = process(repositories, broom, seconds=3600)

    assert house.due() == []
    house.work_on("sweep")

    assert broom.used == 0


def test_many_processes_do_a_chore_once(repositories: Repositories) -> None:
    brooms = [Broom() for _ in range(4)]
    houses = [process(repositories, broom, seconds=3600) for broom in brooms]
    repositories.chores.plan({"sweep": now()})

    at_once(lambda number: houses[number].work_on("sweep"), 4)

    assert sum(broom.used for broom in brooms) == 1


def test_a_chore_of_a_dead_process_is_taken_over_after_its_lease(repositories: Repositories) -> None:
    broom, at = Broom(), now()
    house = process(repositories, broom)
    repositories.chores.plan({"sweep": at})
    assert repositories.chores.claim("sweep", "dead", at)
    assert house.due() == []

    repositories.chores.renew(["sweep"], "dead", at - LEASE - timedelta(seconds=1))

    assert house.due() == ["sweep"]
    house.work_on("sweep")
    assert broom.used == 1


def test_a_chore_that_runs_is_kept_hold_of(repositories: Repositories) -> None:
    renewed: list[int] = []
    house = Housekeeping(repositories.chores, [Chore("long", 0.0, lambda: renewed.append(house.renew()) or 0)])
    house.due()

    house.work_on("long")

    assert renewed == [1]
    assert house.renew() == 0


def test_a_chore_that_fails_is_due_again(repositories: Repositories) -> None:
    def fail() -> int:
        raise ChatBotError("The disk is away.")

    house = Housekeeping(repositories.chores, [Chore("sweep", 0.0, fail)])
    house.due()

    with pytest.raises(ChatBotError):
        house.work_on("sweep")

    assert house.due() == ["sweep"]


def test_an_unknown_chore_is_nobodys(repositories: Repositories) -> None:
    assert process(repositories, Broom()).work_on("dust") is False
