"""The history of a picture answers where it went, names no address, and never gets in the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database

from ChatBot.db.history import History, without_addresses
from ChatBot.errors import ProviderRefused, ProviderUnavailable
from ChatBot.models import User, new_id
from ChatBot.services.upkeep.wiring import Upkeep
from tests.services.workshop import ScriptedHost, Workshop, make_due, picture

MakeWorkshop = Callable[..., Workshop]


def told(workshop: Workshop, image_id: str) -> list[str]:
    """Return what happened, oldest first."""
    return [entry.what for entry in reversed(workshop.history.of(image_id))]


def test_a_save_is_told_from_the_disk_to_the_proved_copy(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop(hosts=(ScriptedHost(),))

    image = workshop.upload(ann)

    assert told(workshop, image.id) == ["stored", "uploaded", "verified"]
    assert [entry.host for entry in workshop.history.of(image.id)] == ["first", "first", None]


def test_a_long_outage_is_one_entry_that_says_how_often(make_workshop: MakeWorkshop, ann: User) -> None:
    host = ScriptedHost()
    host.down = ProviderUnavailable("the host is down", provider="first")
    workshop = make_workshop(hosts=(host,))
    image = workshop.upload(ann)

    for _ in range(4):
        make_due(workshop, image.id)
        assert workshop.replicator.work_once()

    (retried,) = [entry for entry in workshop.history.of(image.id) if entry.what == "retry"]
    assert (retried.times, retried.detail, retried.host) == (5, "the host is down", "first")
    assert retried.first_at is not None
    assert retried.first_at <= retried.at


def test_a_refusal_and_a_wrong_picture_are_told_with_their_reason(make_workshop: MakeWorkshop, ann: User) -> None:
    refusing, lying = ScriptedHost("first"), ScriptedHost("second")
    refusing.upload_errors = [ProviderRefused("too large", provider="first", reason="too_large")]
    lying.alters = lambda _: picture(99, 32, 32)
    workshop = make_workshop(hosts=(refusing, lying))

    image = workshop.upload(ann)

    reasons = {(entry.what, entry.host): entry.detail for entry in workshop.history.of(image.id)}
    assert reasons["refused", "first"] == "too large"
    assert "other bytes" in (reasons["suspect", "second"] or "")


def test_healing_is_told_with_the_host_that_helped(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop(hosts=(ScriptedHost(),))
    image = workshop.image(workshop.upload(ann).id)
    workshop.path(image).unlink()

    workshop.resolver.open(image).file.close()

    newest = workshop.history.of(image.id)[0]
    assert (newest.what, newest.host) == ("healed", "first")


def test_a_restore_is_told_with_the_host_that_helped(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop(hosts=(ScriptedHost(),))
    image = workshop.upload(ann)
    workshop.path(image).unlink()
    upkeep = upkeep_of(workshop)

    upkeep.restore.run(apply=True, reserve_bytes=0)

    newest = workshop.history.of(image.id)[0]
    assert (newest.what, newest.host) == ("restored", "first")


def upkeep_of(workshop: Workshop) -> Upkeep:
    """Return the commands on the workshop's database and disk."""
    upkeep = Upkeep.build(
        workshop.files._paths,
        workshop.files,
        workshop.chain,
        workshop.repositories,
        workshop.resolver,
        workshop.sharing,
        workshop.replicator.work_once,
        max_age_days=0,
        history=workshop.history,
    )
    upkeep.volume.begin()
    return upkeep


def test_an_eviction_is_told_with_its_plan(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop(hosts=(ScriptedHost(),))
    image = workshop.upload(ann)

    report = upkeep_of(workshop).cleanup.run(apply=True, max_age_days=0, force=True)

    newest = workshop.history.of(image.id)[0]
    assert report.evict == [image.id]
    assert newest.what == "evicted"
    assert report.plan in (newest.detail or "")


def test_the_way_into_the_trash_and_out_and_for_good_is_told(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop(hosts=(ScriptedHost(),), trash_days=0)
    image = workshop.upload(ann)
    workshop.gallery.trash(ann, image.id)
    workshop.gallery.untrash(ann, image.id)
    workshop.gallery.trash(ann, image.id)
    trashed = workshop.images.find(image.id, trashed=True)
    assert trashed is not None

    workshop.deletion.purge(trashed)

    assert told(workshop, image.id)[3:] == ["trashed", "untrashed", "trashed", "copy_deleted", "purged"]
    assert [each.detail for each in workshop.history.of(image.id) if each.what == "copy_deleted"] == ["confirmed"]


def test_a_removed_conversation_tells_each_of_its_pictures(workshop: Workshop, ann: User) -> None:
    message = workshop.draw(ann)

    workshop.threads.remove(ann, str(message.conversation_id))

    assert told(workshop, message.images[0].id)[-1] == "trashed"


@pytest.mark.parametrize(
    "reason",
    ["see https://ibb.co/abc/secret", "s3://bucket/key is gone", "(http://10.0.0.1:9000/x?y=z)", "HTTPS://A.B/c"],
)
def test_no_address_gets_into_a_history(workshop: Workshop, reason: str) -> None:
    image_id = new_id()

    workshop.history.note(image_id, "refused", "first", reason)

    detail = workshop.history.of(image_id)[0].detail or ""
    assert "://" not in detail
    assert "(address)" in detail


def test_a_reason_is_cut_to_a_bounded_length() -> None:
    assert len(without_addresses("x" * 5000) or "") == 300


def test_a_database_that_fails_does_not_fail_the_work(emptied_database: Database[dict[str, Any]]) -> None:
    client = emptied_database.client.__class__(
        "mongodb://127.0.0.1:1", serverSelectionTimeoutMS=50, directConnection=True
    )
    history = History(client["nowhere"])

    history.note(new_id(), "stored")
    history.note_all("trashed", {new_id(): None})

    client.close()


def test_entries_are_removed_by_the_server_after_a_year(workshop: Workshop) -> None:
    indexes = workshop.database["history"].index_information().values()

    assert [index["expireAfterSeconds"] for index in indexes if "expireAfterSeconds" in index] == [365 * 24 * 3600]
