"""What operators are told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ChatBot.errors import ChatBotError, DatabaseUnavailable, ProviderUnavailable, SettingsError, StorageError
from ChatBot.media.files import FileStore
from ChatBot.models import User
from ChatBot.services.health import LOW_DISK_BYTES, Health
from tests.services.test_worker import AbsentJobs
from tests.services.workshop import ScriptedGenerator, ScriptedHost, Workshop


class SmallStore(FileStore):
    """A disk with so much room."""

    free: int | ChatBotError = LOW_DISK_BYTES

    def free_bytes(self) -> int:
        if isinstance(self.free, ChatBotError):
            raise self.free
        return self.free


def health_of(
    workshop: Workshop, ping: Callable[[], float] = lambda: 0.001, check_volume: Callable[[], object] = lambda: None
) -> Health:
    return Health(
        workshop.messages,
        workshop.images,
        workshop.files,
        workshop.chain,
        workshop.generator,
        workshop.assistant,
        workshop.repositories.users,
        ping,
        check_volume,
        workshop.jobs,
    )


def foreign_folder() -> str:
    raise SettingsError("STORAGE_ROOT belongs to another database.")


@pytest.fixture
def generator() -> ScriptedGenerator:
    return ScriptedGenerator()


@pytest.fixture
def small(make_workshop: Callable[..., Workshop], generator: ScriptedGenerator) -> Workshop:
    return make_workshop(store=SmallStore, generator=generator, hosts=(ScriptedHost("first"),))


def no_answer() -> float:
    raise DatabaseUnavailable("MongoDB does not answer.")


def test_a_server_whose_parts_all_work_is_ready(small: Workshop) -> None:
    report = health_of(small).readiness()

    assert report["ready"] is True
    assert report["database"] == report["disk"] == {"ok": True}
    assert (report["generator"], report["assistant"]) == (
        {"name": "scripted", "ok": True},
        {"name": "scripted", "ok": True},
    )
    assert report["outbox"] == 0


def test_without_a_database_it_is_not_ready_and_says_why(small: Workshop) -> None:
    report = health_of(small, no_answer).readiness()

    assert report["ready"] is False
    assert report["database"] == {"ok": False, "reason": "MongoDB does not answer."}
    assert "outbox" not in report


@pytest.mark.parametrize("free", [LOW_DISK_BYTES - 1, 0, StorageError("The folder is gone.")])
def test_without_room_on_the_disk_it_is_not_ready(small: Workshop, free: int | ChatBotError) -> None:
    small.files.free = free  # type: ignore[attr-defined] # it is a SmallStore

    report = health_of(small).readiness()

    assert report["ready"] is False
    assert report["disk"]["ok"] is False
    assert report["disk"]["reason"]


def test_with_another_databases_folder_it_is_not_ready(small: Workshop) -> None:
    report = health_of(small, check_volume=foreign_folder).readiness()

    assert report["ready"] is False
    assert report["disk"] == {"ok": False, "reason": "STORAGE_ROOT belongs to another database."}


def test_a_generator_that_sleeps_does_not_make_it_unready(small: Workshop, generator: ScriptedGenerator) -> None:
    generator.error = ProviderUnavailable("It sleeps.", provider="scripted")

    report = health_of(small).readiness()

    assert report["ready"] is True
    assert report["generator"] == {"name": "scripted", "ok": False, "reason": "It sleeps."}


def test_owed_copies_are_counted_until_they_are_settled(small: Workshop, ann: User) -> None:
    host = small.hosts[0]
    assert isinstance(host, ScriptedHost)
    small.upload(ann)
    host.down = ProviderUnavailable("It sleeps.", provider="first")
    small.upload(ann)
    small.upload(ann)

    health = health_of(small)

    assert health.outbox_depth() == 2
    assert health.stats()["copies"] == [
        {"host": "first", "state": "retry", "count": 2},
        {"host": "first", "state": "verified", "count": 1},
    ]


def test_totals_leave_out_what_is_in_the_trash(small: Workshop, ann: User, bob: User) -> None:
    kept, trashed = small.upload(ann), small.upload(bob)
    small.gallery.trash(bob, trashed.id)

    totals = health_of(small).stats()["totals"]

    assert (totals["users"], totals["images"], totals["bytes"]) == (2, 1, kept.size)
    assert totals["free_bytes"] == LOW_DISK_BYTES


def test_the_queue_tells_what_waits_in_it(small: Workshop) -> None:
    small.jobs.enqueue("copies", "a picture")

    assert health_of(small).queue() == {"kind": "memory", "ok": True, "waiting": 1}


def test_without_its_queue_a_server_is_ready_all_the_same(make_workshop: Callable[..., Workshop]) -> None:
    report = health_of(make_workshop(jobs=AbsentJobs())).readiness()

    assert report["ready"] is True
    assert report["queue"]["ok"] is False
    assert "does not answer" in report["queue"]["reason"]
