"""Copies that belong to no picture are counted, deleted when their host lets it, and never mistaken for a live one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ChatBot.errors import ProviderRefused, ProviderUnavailable
from ChatBot.hosts.base import Receipt, Upload
from ChatBot.models import User, new_id, now
from ChatBot.services.copies.replication import wait_for
from tests.services.workshop import ScriptedHost, Workshop, only_copy, picture

MakeWorkshop = Callable[..., Workshop]
DOWN = ProviderUnavailable("the host is down", provider="first")


def abandon_an_upload(workshop: Workshop, host: ScriptedHost) -> None:
    """Upload a picture that then is not kept, on a host that is down when it should be deleted."""
    host.on_upload = lambda _: setattr(host, "down", DOWN)
    delivery = workshop.replicator.begin(Upload(new_id(), picture(), "image/png", "0" * 64))
    delivery.abandon()
    wait_for([delivery], 30)


def make_all_due(workshop: Workshop) -> None:
    workshop.database["orphans"].update_many({}, {"$set": {"next_at": now() - timedelta(seconds=1)}})


def records(workshop: Workshop) -> list[dict[str, Any]]:
    return list(workshop.database["orphans"].find())


def test_a_copy_that_could_not_be_taken_back_is_counted_without_its_addresses(make_workshop: MakeWorkshop) -> None:
    host = ScriptedHost()
    workshop = make_workshop(hosts=(host,))

    abandon_an_upload(workshop, host)

    (row,) = workshop.repositories.orphans.counted()
    assert (row["host"], row["state"], row["count"]) == ("first", "open", 1)
    assert "://" not in str(row)


def test_an_orphan_is_deleted_when_its_host_returns_and_its_addresses_are_forgotten(
    make_workshop: MakeWorkshop,
) -> None:
    host = ScriptedHost()
    workshop = make_workshop(hosts=(host,))
    abandon_an_upload(workshop, host)

    while_down = workshop.stewardship.orphans.work_due()
    host.down = None
    make_all_due(workshop)
    afterwards = workshop.stewardship.orphans.work_due()

    assert (while_down, afterwards) == (0, 1)
    assert host.pictures == {}
    (record,) = records(workshop)
    assert record["state"] == "gone"
    assert "://" not in str(record)


def test_an_orphan_that_only_a_person_can_delete_keeps_its_addresses_and_is_left(make_workshop: MakeWorkshop) -> None:
    host = ScriptedHost()
    workshop = make_workshop(hosts=(host,))
    abandon_an_upload(workshop, host)
    host.down, host.proof = None, "manual"

    make_all_due(workshop)
    workshop.stewardship.orphans.work_due()
    make_all_due(workshop)
    workshop.stewardship.orphans.work_due()

    (record,) = records(workshop)
    assert (record["state"], record["attempts"]) == ("manual", 1)
    assert record["delete_url"]


def test_a_refused_deletion_is_left_to_a_person(make_workshop: MakeWorkshop) -> None:
    host = ScriptedHost()
    workshop = make_workshop(hosts=(host,))
    abandon_an_upload(workshop, host)
    host.down = ProviderRefused("wrong key", provider="first", reason="auth")
    make_all_due(workshop)

    workshop.stewardship.orphans.work_due()

    assert [record["state"] for record in records(workshop)] == ["manual"]


def test_the_waits_between_attempts_grow(make_workshop: MakeWorkshop) -> None:
    host = ScriptedHost()
    workshop = make_workshop(hosts=(host,))
    abandon_an_upload(workshop, host)

    for _ in range(8):
        make_all_due(workshop)
        workshop.stewardship.orphans.work_due()

    (record,) = records(workshop)
    assert record["state"] == "open"
    assert record["next_at"] > now() + timedelta(seconds=60)


@pytest.mark.parametrize("unsettled", [False, True])
def test_a_copy_that_a_picture_came_to_use_is_never_deleted(
    make_workshop: MakeWorkshop, ann: User, unsettled: bool
) -> None:
    host = ScriptedHost()
    workshop = make_workshop(hosts=(host,))
    image = workshop.image(workshop.upload(ann).id)
    copy = only_copy(image)
    if unsettled:
        workshop.images.set_copy(image.id, copy, copy.model_copy(update={"state": "pending", "url": None}))
    workshop.stewardship.orphans.take_in(image.id, Receipt("first", str(copy.url), copy.delete_url))

    workshop.stewardship.orphans.work_due()

    assert list(host.pictures) == [copy.url]
    assert [record["state"] for record in records(workshop)] == ["open" if unsettled else "gone"]
