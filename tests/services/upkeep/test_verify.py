"""Documents, files and copies compared: what is found, what it is called, what is written down."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import Any

import pytest

from ChatBot.errors import ProviderUnavailable, SettingsError
from ChatBot.models import User, now
from ChatBot.services.upkeep.verify import VerifyReport
from tests.services.kept import KeptWorkshop
from tests.services.workshop import ScriptedHost, only_copy, picture


def kinds(report: VerifyReport) -> list[tuple[str, str]]:
    return [(finding.id, finding.kind) for finding in report.problems]


@pytest.mark.parametrize("deep", [False, True])
def test_healthy_pictures_have_no_finding(shop: KeptWorkshop, ann: User, deep: bool) -> None:
    for seed in range(3):
        shop.upload(ann, picture(seed))

    report = shop.upkeep.verify.run(deep=deep)

    assert (report.pictures, report.files, report.copies) == (3, 3, {"verified": 3})
    assert report.probed == (3 if deep else 0)
    assert report.problems == report.notes == []


def test_shallow_look_downloads_nothing(shop: KeptWorkshop, ann: User, host: ScriptedHost) -> None:
    shop.upload(ann)
    before = host.fetches

    shop.upkeep.verify.run()

    assert host.fetches == before


@pytest.mark.parametrize("deep", [False, True])
def test_missing_file_is_found(shop: KeptWorkshop, ann: User, deep: bool) -> None:
    image = shop.upload(ann)
    shop.path(image).unlink()

    report = shop.upkeep.verify.run(deep=deep)

    assert kinds(report) == [(image.id, "missing")]


def test_wrong_size_is_found_without_reading(shop: KeptWorkshop, ann: User) -> None:
    image = shop.upload(ann)
    shop.path(image).write_bytes(b"short")

    assert kinds(shop.upkeep.verify.run()) == [(image.id, "wrong_size")]


def test_flipped_bit_is_found_by_the_deep_look_and_written_down(shop: KeptWorkshop, ann: User) -> None:
    image = shop.upload(ann)
    data = bytearray(shop.path(image).read_bytes())
    data[-1] ^= 1
    shop.path(image).write_bytes(data)

    shallow, deep = shop.upkeep.verify.run(), shop.upkeep.verify.run(deep=True)

    assert shallow.problems == []
    assert kinds(deep) == [(image.id, "damaged")]
    assert shop.image(image.id).local == "corrupt"


def test_intact_file_that_counted_as_corrupt_counts_as_present_again(shop: KeptWorkshop, ann: User) -> None:
    image = shop.upload(ann)
    shop.change(image, {"images.$.local": "corrupt"})

    report = shop.upkeep.verify.run(deep=True)

    assert report.problems == []
    assert [note.kind for note in report.notes] == ["untidy"]
    assert shop.image(image.id).local == "present"


def test_eviction_without_a_verified_exact_copy_is_a_danger(shop: KeptWorkshop, ann: User) -> None:
    image = shop.upload(ann)
    shop.path(image).unlink()
    shop.change(image, {"images.$.local": "evicted", "images.$.copies.0.fidelity": "transcoded"})

    assert set(kinds(shop.upkeep.verify.run())) == {(image.id, "unsafe_eviction"), (image.id, "lost")}


def test_eviction_with_an_exact_copy_is_fine(shop: KeptWorkshop, ann: User) -> None:
    image = shop.upload(ann)
    shop.path(image).unlink()
    shop.change(image, {"images.$.local": "evicted"})

    assert shop.upkeep.verify.run(deep=True).problems == []


@pytest.mark.parametrize(
    ("behind", "reason"), [(None, "no longer has"), (b"a page", "other bytes"), (picture(9, 161, 81), "other bytes")]
)
def test_copy_that_gives_something_else_becomes_suspect_and_keeps_its_url(
    shop: KeptWorkshop, ann: User, host: ScriptedHost, behind: bytes | None, reason: str
) -> None:
    image = shop.upload(ann)
    url = only_copy(image).url or ""
    if behind is None:
        del host.pictures[url]
    else:
        host.pictures[url] = behind

    report = shop.upkeep.verify.run(deep=True)

    (finding,) = report.problems
    assert (finding.kind, finding.host) == ("suspect", "first")
    assert reason in finding.reason
    copy = only_copy(shop.image(image.id))
    assert (copy.state, copy.url) == ("suspect", url)


def test_placeholder_of_the_same_size_does_not_pass_for_an_exact_copy(
    shop: KeptWorkshop, ann: User, host: ScriptedHost
) -> None:
    image = shop.upload(ann)
    host.pictures = dict.fromkeys(host.pictures, picture(77))

    report = shop.upkeep.verify.run(deep=True)

    assert kinds(report) == [(image.id, "suspect")]
    assert only_copy(shop.image(image.id)).state == "suspect"


def test_unreachable_host_is_named_and_its_copies_keep_their_state(
    shop: KeptWorkshop, ann: User, host: ScriptedHost
) -> None:
    image = shop.upload(ann)
    host.down = ProviderUnavailable("first is down", provider="first")

    report = shop.upkeep.verify.run(deep=True)

    assert kinds(report) == [(image.id, "unreachable")]
    assert only_copy(shop.image(image.id)).state == "verified"


def test_suspect_copy_that_is_right_again_is_verified(shop: KeptWorkshop, ann: User) -> None:
    image = shop.upload(ann)
    shop.change(image, {"images.$.copies.0.state": "suspect"})

    shallow = shop.upkeep.verify.run()
    deep = shop.upkeep.verify.run(deep=True)

    assert kinds(shallow) == [(image.id, "suspect")]
    assert (deep.problems, [note.kind for note in deep.notes]) == ([], ["untidy"])
    assert only_copy(shop.image(image.id)).state == "verified"


def test_deep_look_refreshes_the_time_of_the_proof(shop: KeptWorkshop, ann: User) -> None:
    image = shop.upload(ann)
    long_ago = now() - timedelta(days=9)
    shop.change(image, {"images.$.copies.0.verified_at": long_ago})

    shop.upkeep.verify.run(deep=True)

    assert (only_copy(shop.image(image.id)).verified_at or long_ago) > long_ago


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "leased", "lease_until": now() - timedelta(hours=2)},
        {"state": "retry", "attempts": 3, "next_at": now() + timedelta(minutes=10)},
        {"state": "pending", "attempts": 0, "next_at": now() - timedelta(hours=2)},
    ],
    ids=lambda fields: fields["state"],
)
def test_copy_that_is_on_its_way_for_more_than_an_hour_is_stuck(
    shop: KeptWorkshop, ann: User, fields: dict[str, Any]
) -> None:
    image = shop.old_picture(ann)
    cleared = {"uploaded_at": None, **fields}
    shop.change(image, {f"images.$.copies.0.{name}": value for name, value in cleared.items()})

    assert kinds(shop.upkeep.verify.run()) == [(image.id, "stuck")]


def test_copy_that_was_asked_for_just_now_is_not_stuck(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    shop.change(image, {"images.$.copies": [{"host": "first", "state": "pending", "next_at": now()}]})

    assert shop.upkeep.verify.run().problems == []


def test_refusal_is_a_problem_only_without_a_copy_elsewhere(shop: KeptWorkshop, ann: User) -> None:
    alone, covered = shop.upload(ann, picture(1)), shop.upload(ann, picture(2))
    refused = {"host": "second", "state": "refused", "error": "too large"}
    shop.change(alone, {"images.$.copies": [refused]})
    shop.database["messages"].update_one({"images.id": covered.id}, {"$push": {"images.$.copies": refused}})

    report = shop.upkeep.verify.run()

    assert kinds(report) == [(alone.id, "refused")]
    assert [(note.id, note.kind) for note in report.notes] == [(covered.id, "refused")]


@pytest.mark.parametrize(
    ("folder", "name", "kind"),
    [
        ("uploads", f"{'a' * 32}.png", "stray_file"),
        ("uploads", f".{'a' * 32}.png.0f.tmp", "leftover"),
        ("thumbnails", f"{'a' * 32}_256.webp", "stray_thumbnail"),
    ],
)
def test_file_that_belongs_to_nothing_is_found(shop: KeptWorkshop, folder: str, name: str, kind: str) -> None:
    path = shop.root / folder / name
    path.write_bytes(b"stray")
    os.utime(path, (time.time() - 7200,) * 2)

    assert kinds(shop.upkeep.verify.run()) == [(f"{folder}/{name}", kind)]


def test_picture_in_the_trash_is_left_alone(shop: KeptWorkshop, ann: User) -> None:
    image = shop.upload(ann)
    shop.gallery.trash(ann, image.id)
    shop.path(image).unlink()

    assert shop.upkeep.verify.run(deep=True).problems == []


def test_foreign_storage_is_refused(shop: KeptWorkshop) -> None:
    mark = shop.root / ".chatbot-storage.json"
    mark.write_text(mark.read_text().replace(shop.upkeep.volume.require(), "f" * 32))

    with pytest.raises(SettingsError, match="another database"):
        shop.upkeep.verify.run()
