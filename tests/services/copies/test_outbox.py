"""The outbox and the queue: whoever owes a copy wakes the queue, and nothing depends on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ChatBot.errors import ProviderUnavailable
from ChatBot.models import User, now
from ChatBot.services.copies.outbox import COPIES, Outbox
from tests.services.test_worker import AbsentJobs
from tests.services.workshop import ScriptedHost, Workshop


class NotingJobs(AbsentJobs):
    """Remembers what was handed in."""

    def __init__(self) -> None:
        self.handed_in: list[tuple[str, str, float]] = []

    def enqueue(self, name: str, key: str, *, delay_seconds: float = 0.0) -> None:
        self.handed_in.append((name, key, delay_seconds))


def test_a_failed_copy_is_handed_in_for_the_time_of_its_next_attempt(
    make_workshop: Callable[..., Workshop], ann: User
) -> None:
    host, jobs = ScriptedHost(), NotingJobs()
    host.upload_errors = [ProviderUnavailable("busy", provider="first", retry_after_seconds=100.0)]

    image = make_workshop(hosts=(host,), jobs=jobs).upload(ann)

    (name, key, delay) = jobs.handed_in[0]
    assert (name, key) == (COPIES, image.id)
    assert 90 < delay <= 100


def test_waking_a_queue_that_is_away_fails_nothing(workshop: Workshop) -> None:
    Outbox(workshop.images, AbsentJobs()).wake("picture", now())


def test_only_pictures_whose_turn_has_come_are_due(make_workshop: Callable[..., Workshop], ann: User) -> None:
    host = ScriptedHost()
    workshop = make_workshop(hosts=(host,))
    outbox = workshop.outbox
    workshop.upload(ann)
    host.down = ProviderUnavailable("down", provider="first")
    owed = workshop.upload(ann)
    assert outbox.due() == []

    _make_due(workshop, owed.id)

    assert outbox.due() == [owed.id]


def test_work_on_one_picture_leaves_the_others_alone(make_workshop: Callable[..., Workshop], ann: User) -> None:
    host = ScriptedHost()
    host.down = ProviderUnavailable("down", provider="first")
    workshop = make_workshop(hosts=(host,))
    one, other = workshop.upload(ann), workshop.upload(ann)
    for each in (one, other):
        _make_due(workshop, each.id)
    host.down = None

    assert workshop.replicator.work_on(one.id)
    assert not workshop.replicator.work_on(one.id)

    assert _states(workshop, one.id) == ["verified"]
    assert _states(workshop, other.id) == ["retry"]


def _make_due(workshop: Workshop, image_id: str) -> None:
    found: Any = workshop.images.find(image_id)
    for copy in found.image.copies:
        assert workshop.images.set_copy(image_id, copy, copy.model_copy(update={"next_at": now()}))


def _states(workshop: Workshop, image_id: str) -> list[str]:
    found: Any = workshop.images.find(image_id)
    return [copy.state for copy in found.image.copies]
