"""Copies for pictures that lack them, sent by the outbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from ChatBot.db.repositories import Repositories
from ChatBot.errors import InputError, ProviderRefused, ProviderUnavailable
from ChatBot.models import Copy, Image, User
from tests.services.kept import KeptWorkshop, kept_workshop
from tests.services.workshop import ScriptedHost, only_copy, states


@pytest.fixture
def hosts() -> tuple[ScriptedHost, ScriptedHost]:
    return ScriptedHost("first"), ScriptedHost("second")


@pytest.fixture
def shop(
    emptied_database: Database[dict[str, Any]],
    repositories: Repositories,
    tmp_path: Path,
    hosts: tuple[ScriptedHost, ScriptedHost],
) -> Iterator[KeptWorkshop]:
    with kept_workshop(emptied_database, repositories, tmp_path, *hosts) as opened:
        yield opened


@pytest.fixture
def bare(shop: KeptWorkshop, ann: User) -> Image:
    """A picture without any copy."""
    image = shop.upload(ann)
    shop.change(image, {"images.$.copies": []})
    return shop.image(image.id)


def suspected(shop: KeptWorkshop, user: User) -> tuple[Image, Copy]:
    """Return a picture whose only copy is suspect, and that copy."""
    image = shop.upload(user)
    shop.change(image, {"images.$.copies.0.state": "suspect"})
    shop.change(image, {"images.$.copies.0.error": "404"})
    return shop.image(image.id), only_copy(shop.image(image.id))


def test_preview_names_the_host_and_queues_nothing(shop: KeptWorkshop, bare: Image) -> None:
    report = shop.upkeep.replicate.run(apply=False)

    assert report.queued == {bare.id: "first"}
    assert shop.image(bare.id).copies == ()


def test_picture_without_a_copy_is_queued_and_sent(shop: KeptWorkshop, bare: Image) -> None:
    report = shop.upkeep.replicate.run(apply=True)
    shop.upkeep.replicate.wait(report)

    assert (report.queued, report.verified, report.unsettled) == ({bare.id: "first"}, [bare.id], {})
    assert states(shop.image(bare.id)) == {"first": "verified"}


def test_picture_with_a_verified_copy_is_left_alone(shop: KeptWorkshop, ann: User) -> None:
    shop.upload(ann)

    report = shop.upkeep.replicate.run(apply=True)

    assert (report.checked, report.queued) == (1, {})


def test_named_host_gets_a_copy_although_another_has_one(shop: KeptWorkshop, ann: User) -> None:
    image = shop.upload(ann)

    report = shop.upkeep.replicate.run(apply=True, host="second")
    shop.upkeep.replicate.wait(report)

    assert states(shop.image(image.id)) == {"first": "verified", "second": "verified"}


def test_named_host_is_the_one_that_gets_the_first_copy(shop: KeptWorkshop, bare: Image) -> None:
    report = shop.upkeep.replicate.run(apply=True, host="second")
    shop.upkeep.replicate.wait(report)

    assert states(shop.image(bare.id)) == {"second": "verified"}


def test_unknown_host_is_refused(shop: KeptWorkshop) -> None:
    with pytest.raises(InputError, match="first, second"):
        shop.upkeep.replicate.run(apply=False, host="third")


def test_copy_under_way_is_not_queued_twice(shop: KeptWorkshop, bare: Image) -> None:
    shop.upkeep.replicate.run(apply=True)

    again = shop.upkeep.replicate.run(apply=True)

    assert (again.queued, again.under_way) == ({}, {bare.id: "first: pending"})


def test_picture_whose_file_is_damaged_is_named(shop: KeptWorkshop, bare: Image) -> None:
    shop.path(bare).write_bytes(b"rotten")

    report = shop.upkeep.replicate.run(apply=True)

    assert report.queued == {}
    assert "cannot be sent" in report.impossible[bare.id]


def test_suspect_copy_keeps_its_reference_until_the_new_one_is_verified(
    shop: KeptWorkshop, ann: User, hosts: tuple[ScriptedHost, ScriptedHost]
) -> None:
    image, old = suspected(shop, ann)

    shop.upkeep.replicate.run(apply=True, host="first")
    queued = shop.image(image.id).copies
    hosts[0].down = ProviderUnavailable("down", provider="first")
    shop.replicator.work_once()
    failed = shop.image(image.id).copies

    assert [(copy.state, copy.url) for copy in queued] == [("suspect", old.url), ("pending", None)]
    assert [(copy.state, copy.url) for copy in failed] == [("suspect", old.url), ("retry", None)]


def test_suspect_copy_goes_when_its_replacement_is_verified(
    shop: KeptWorkshop, ann: User, hosts: tuple[ScriptedHost, ScriptedHost]
) -> None:
    image, old = suspected(shop, ann)

    report = shop.upkeep.replicate.run(apply=True, host="first")
    shop.upkeep.replicate.wait(report)

    new = only_copy(shop.image(image.id))
    assert (new.state, new.url != old.url) == ("verified", True)
    assert list(hosts[0].pictures) == [new.url]


def test_suspect_copy_stays_recorded_while_the_host_does_not_confirm_that_it_is_gone(
    shop: KeptWorkshop, ann: User, hosts: tuple[ScriptedHost, ScriptedHost]
) -> None:
    image, old = suspected(shop, ann)
    hosts[0].proof = "manual"

    report = shop.upkeep.replicate.run(apply=True, host="first")
    shop.upkeep.replicate.wait(report)

    assert [(copy.state, copy.url == old.url) for copy in shop.image(image.id).copies] == [
        ("suspect", True),
        ("verified", False),
    ]
    assert shop.upkeep.verify.run().problems == []


def test_refusal_is_reported_and_tried_again_only_by_name(
    shop: KeptWorkshop, bare: Image, hosts: tuple[ScriptedHost, ScriptedHost]
) -> None:
    refused = [{"host": name, "state": "refused", "error": f"{name} is too small"} for name in ("first", "second")]
    shop.change(bare, {"images.$.copies": refused})

    plain = shop.upkeep.replicate.run(apply=True)
    hosts[1].upload_errors = [ProviderRefused("still too small", provider="second", reason="too_large")]
    named = shop.upkeep.replicate.run(apply=True, host="second")
    shop.upkeep.replicate.wait(named)

    assert plain.impossible == {bare.id: "first: first is too small; second: second is too small"}
    assert named.queued == {bare.id: "second"}
    assert named.unsettled == {bare.id: "refused: still too small"}


def test_waiting_ends_when_the_time_is_up(
    shop: KeptWorkshop, bare: Image, hosts: tuple[ScriptedHost, ScriptedHost]
) -> None:
    hosts[0].down = hosts[1].down = ProviderUnavailable("down", provider="first")

    report = shop.upkeep.replicate.run(apply=True, host="first")
    shop.upkeep.replicate.wait(report, seconds=0.5)

    assert report.verified == []
    assert report.unsettled == {bare.id: "retry: down"}
