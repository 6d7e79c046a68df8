"""Copies on hosts that belong to no picture: found by the host's own list, deleted only by the operator's word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from ChatBot.db.repositories import Repositories
from ChatBot.errors import ProviderUnavailable, SettingsError
from ChatBot.hosts.base import Listed
from ChatBot.models import Image, User, new_id, now
from tests.services.kept import KeptWorkshop, kept_workshop
from tests.services.workshop import ScriptedHost, make_due, only_copy, picture


class ListingHost(ScriptedHost):
    """A host that says what it has, and names a picture always alike."""

    def __init__(self) -> None:
        super().__init__("first")
        self.written: dict[str, datetime] = {}
        """When each was written; two hours ago unless it says so here."""

    def _listing(self) -> Iterator[Listed]:
        if self.down:
            raise self.down
        return (Listed(url, self.written.get(url, now() - timedelta(hours=2))) for url in list(self.pictures))

    def _reference_of(self, image_id: str, extension: str) -> str:
        return f"https://first.invalid/{image_id}.{extension}"

    def orphan(self, url: str = "") -> str:
        url = url or f"https://first.invalid/{new_id()}"
        self.pictures[url] = b"nobody's"
        return url


@pytest.fixture
def host() -> ListingHost:
    return ListingHost()


@pytest.fixture
def shop(
    emptied_database: Database[dict[str, Any]],
    repositories: Repositories,
    tmp_path: Path,
    host: ListingHost,
    ann: User,
) -> Iterator[KeptWorkshop]:
    """An installation with five pictures and their copies, and a second host that says nothing."""
    with kept_workshop(emptied_database, repositories, tmp_path, host, ScriptedHost("second")) as opened:
        for seed in range(5):
            opened.upload(ann, picture(seed))
        yield opened


def trashed(shop: KeptWorkshop, ann: User) -> Image:
    image = shop.upload(ann, picture(9))
    shop.gallery.trash(ann, image.id)
    return image


def test_only_what_no_document_knows_is_found_and_nothing_is_deleted(
    shop: KeptWorkshop, host: ListingHost, ann: User
) -> None:
    trashed(shop, ann)
    orphan = host.orphan()

    report = shop.upkeep.orphan_search.run()

    assert report.orphans == {"first": [orphan]}
    assert (report.listed, report.silent) == ({"first": 7}, ["second"])
    assert (report.applied, report.deleted) == (False, [])
    assert orphan in host.pictures


def test_applying_deletes_just_that(shop: KeptWorkshop, host: ListingHost) -> None:
    before = dict(host.pictures)
    orphan = host.orphan()

    report = shop.upkeep.orphan_search.run(apply=True)

    assert report.deleted == [orphan]
    assert host.pictures == before


def test_a_young_copy_may_belong_to_a_save_under_way(shop: KeptWorkshop, host: ListingHost) -> None:
    young = host.orphan()
    host.written[young] = now() - timedelta(minutes=59)

    assert shop.upkeep.orphan_search.run(apply=True).orphans == {}
    assert young in host.pictures


def test_a_copy_whose_reply_was_lost_belongs_to_the_picture_that_still_owes_it(
    shop: KeptWorkshop, host: ListingHost, ann: User
) -> None:
    host.upload_errors = [ProviderUnavailable("no reply", provider="first")]
    image = shop.upload(ann, picture(9))
    stored = host.orphan(host._reference_of(image.id, "png"))

    report = shop.upkeep.orphan_search.run(apply=True)
    make_due(shop, image.id)

    assert report.orphans == {}
    assert stored in host.pictures


def test_a_database_that_knows_too_little_deletes_nothing_without_force(shop: KeptWorkshop, host: ListingHost) -> None:
    shop.database["messages"].delete_many({})

    stopped = shop.upkeep.orphan_search.run(apply=True)
    still_there = len(host.pictures)
    forced = shop.upkeep.orphan_search.run(apply=True, force=True)

    assert "images rebuild" in stopped.stopped
    assert (stopped.applied, still_there) == (False, 5)
    assert len(forced.deleted) == 5


def test_a_foreign_storage_folder_is_refused(shop: KeptWorkshop, host: ListingHost) -> None:
    shop.database["marks"].update_one({"_id": "storage"}, {"$set": {"volume_id": new_id()}})
    host.orphan()

    with pytest.raises(SettingsError):
        shop.upkeep.orphan_search.run(apply=True)


def test_a_host_that_fails_is_named_and_what_it_did_not_delete_too(shop: KeptWorkshop, host: ListingHost) -> None:
    orphan = host.orphan()
    host.proof = "pending"
    unproved = shop.upkeep.orphan_search.run(apply=True)
    host.down = ProviderUnavailable("asleep", provider="first")

    silent = shop.upkeep.orphan_search.run(apply=True)

    assert "nothing proves" in unproved.failed[orphan]
    assert silent.failed == {"first": "asleep"}


def test_verify_names_orphans_as_problems(shop: KeptWorkshop, host: ListingHost, ann: User) -> None:
    assert only_copy(shop.upload(ann, picture(7))).state == "verified"
    orphan = host.orphan()

    report = shop.upkeep.verify.run()

    assert [(finding.id, finding.kind, finding.host) for finding in report.problems] == [(orphan, "orphan", "first")]
