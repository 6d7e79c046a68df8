"""Making room: what may go, what stays, plans, quarantine and the way back."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ChatBot.errors import InputError, NotFound, SettingsError
from ChatBot.media.paths import StoragePaths
from ChatBot.media.quarantine import HeldFile, Quarantine
from ChatBot.models import Image, User, now
from ChatBot.services.upkeep.cleanup import CleanupReport
from tests.services.kept import KeptWorkshop
from tests.services.workshop import ScriptedHost, picture


def apply(shop: KeptWorkshop, **options: Any) -> CleanupReport:
    return shop.upkeep.cleanup.run(apply=True, **{"force": True, **options})


def preview(shop: KeptWorkshop, **options: Any) -> CleanupReport:
    return shop.upkeep.cleanup.run(apply=False, **options)


def stray(shop: KeptWorkshop, name: str = f"{'a' * 32}.png", folder: str = "uploads", hours: float = 2) -> Path:
    """Put a file that no document knows into Storage."""
    path = shop.root / folder / name
    path.write_bytes(b"stray")
    then = time.time() - hours * 3600
    os.utime(path, (then, then))
    return path


def quarantined(shop: KeptWorkshop, plan: str, image: Image) -> Path:
    return shop.root / "quarantine" / plan / image.folder / image.filename


def test_preview_moves_nothing_and_writes_the_plan(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)

    report = preview(shop)

    assert report.evict == [image.id]
    assert not report.applied
    assert Path(report.plan_file) == shop.root / "plans" / f"{report.plan}.json"
    assert Path(report.plan_file).is_file()
    assert shop.path(image).is_file()


def test_old_picture_with_an_exact_copy_goes_into_quarantine(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)

    report = apply(shop)

    assert report.evict == [image.id]
    assert report.freed_bytes == image.size
    assert not shop.path(image).exists()
    assert quarantined(shop, report.plan, image).read_bytes() == shop.resolver.fetch(image)[0]
    assert shop.image(image.id).local == "evicted"


def test_age_is_the_document_s_and_not_the_file_s(shop: KeptWorkshop, ann: User) -> None:
    image = shop.upload(ann)
    os.utime(shop.path(image), (0, 0))

    report = apply(shop)

    assert report.evict == []
    assert shop.path(image).is_file()


def test_copy_is_asked_again_when_the_plan_is_applied(shop: KeptWorkshop, ann: User, host: ScriptedHost) -> None:
    image = shop.old_picture(ann)
    planned = preview(shop)
    host.pictures.clear()

    report = apply(shop, plan=planned.plan)

    assert report.evict == []
    assert "no longer has the picture" in report.skipped[image.id]
    assert shop.path(image).is_file()
    assert shop.image(image.id).local == "present"


def test_plan_applies_only_what_it_names(shop: KeptWorkshop, ann: User) -> None:
    first = shop.old_picture(ann)
    planned = preview(shop)
    second = shop.old_picture(ann, seed=2)

    report = apply(shop, plan=planned.plan)

    assert report.evict == [first.id]
    assert shop.path(second).is_file()


def test_picture_that_was_favoured_since_stays(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    planned = preview(shop)
    shop.gallery.describe(ann, image.id, favourite=True)

    report = apply(shop, plan=planned.plan)

    assert report.skipped == {image.id: "it is pinned as a favourite"}
    assert shop.path(image).is_file()


def test_picture_that_was_deleted_since_is_skipped(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    planned = preview(shop)
    shop.gallery.trash(ann, image.id)

    assert apply(shop, plan=planned.plan).skipped == {image.id: "it was deleted"}


def test_plan_is_applied_once(shop: KeptWorkshop, ann: User) -> None:
    shop.old_picture(ann)
    planned = preview(shop)
    apply(shop, plan=planned.plan)

    with pytest.raises(InputError, match="already applied"):
        apply(shop, plan=planned.plan)


def test_plan_can_be_written_to_and_read_from_a_file(shop: KeptWorkshop, ann: User, tmp_path: Path) -> None:
    image = shop.old_picture(ann)
    preview(shop, plan_path=tmp_path / "mine.json")

    report = apply(shop, plan=str(tmp_path / "mine.json"))

    assert report.evict == [image.id]
    with pytest.raises(InputError, match="already applied"):
        apply(shop, plan=str(tmp_path / "mine.json"))


def test_plan_of_another_volume_is_refused(shop: KeptWorkshop, ann: User) -> None:
    shop.old_picture(ann)
    planned = preview(shop)
    path = Path(planned.plan_file)
    path.write_text(path.read_text().replace(shop.upkeep.volume.require(), "f" * 32))

    with pytest.raises(InputError, match="another storage"):
        apply(shop, plan=planned.plan)


@pytest.mark.parametrize("name", ["0" * 32, "nowhere.json", "../../etc/passwd"])
def test_unknown_plan_is_not_found(shop: KeptWorkshop, name: str) -> None:
    with pytest.raises((NotFound, InputError)):
        apply(shop, plan=name)


def test_picture_in_a_shared_conversation_stays_until_the_share_is_revoked(shop: KeptWorkshop, ann: User) -> None:
    message = shop.draw(ann)
    image = shop.aged(message.images[0])
    share, _ = shop.sharing.create(ann, message.conversation_id or "")

    shared = apply(shop)
    shop.sharing.revoke(ann, share.id)
    revoked = apply(shop)

    assert shared.kept == {image.id: "an open share shows it"}
    assert revoked.evict == [image.id]


@pytest.mark.parametrize("live", [False, True])
def test_picture_of_a_deleted_conversation_stays_while_a_share_shows_it(
    shop: KeptWorkshop, ann: User, live: bool
) -> None:
    message = shop.draw(ann)
    image = shop.aged(message.images[0])
    shop.sharing.create(ann, message.conversation_id or "", live=live)

    shop.threads.remove(ann, message.conversation_id or "")

    assert apply(shop).kept == {image.id: "an open share shows it"}


def test_attachment_of_a_shared_conversation_stays(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    message = shop.draw(ann)
    shop.database["messages"].update_one({"_id": message.id}, {"$set": {"attachments": [image.id]}})
    shop.sharing.create(ann, message.conversation_id or "")

    assert apply(shop).kept == {image.id: "an open share shows it"}


def test_expired_share_keeps_nothing(shop: KeptWorkshop, ann: User) -> None:
    message = shop.draw(ann)
    image = shop.aged(message.images[0])
    shop.sharing.create(ann, message.conversation_id or "", expires_in=60)
    shop.database["shares"].update_many({}, {"$set": {"expires_at": now() - timedelta(seconds=1)}})

    assert apply(shop).evict == [image.id]


@pytest.mark.parametrize(
    "change",
    [
        {"images.$.copies.0.state": "suspect"},
        {"images.$.copies.0.state": "uploaded"},
        {"images.$.copies.0.fidelity": "transcoded"},
        {"images.$.copies.0.url": None},
        {"images.$.copies": []},
    ],
    ids=str,
)
def test_picture_without_a_verified_exact_copy_stays(shop: KeptWorkshop, ann: User, change: dict[str, Any]) -> None:
    image = shop.old_picture(ann)
    shop.change(image, change)

    assert apply(shop).kept == {image.id: "no exact cloud copy"}
    assert shop.path(image).is_file()


def test_picture_whose_copy_gives_other_bytes_stays(shop: KeptWorkshop, ann: User, host: ScriptedHost) -> None:
    image = shop.old_picture(ann)
    host.pictures = dict.fromkeys(host.pictures, b"something else")

    assert apply(shop).kept == {image.id: "first returned other bytes"}
    assert shop.path(image).is_file()


def test_stops_when_more_than_a_fifth_of_the_pictures_would_go(shop: KeptWorkshop, ann: User) -> None:
    images = [shop.old_picture(ann, seed) for seed in range(2)]
    for seed in range(2, 7):
        shop.upload(ann, picture(seed))

    stopped = apply(shop, force=False)

    assert (stopped.applied, stopped.too_many) == (False, True)
    assert "2 of 7" in stopped.stopped
    assert all(shop.path(image).is_file() for image in images)


def test_exactly_a_fifth_of_the_pictures_may_go(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    for seed in range(2, 6):
        shop.upload(ann, picture(seed))

    assert apply(shop, force=False).evict == [image.id]


def test_preview_says_that_it_takes_force(shop: KeptWorkshop, ann: User) -> None:
    shop.old_picture(ann)

    report = preview(shop)

    assert report.too_many
    assert "--force" in report.stopped


def test_stray_file_goes_into_quarantine_and_comes_back(shop: KeptWorkshop) -> None:
    path = stray(shop)

    report = apply(shop)
    gone = path.exists()
    undone = shop.upkeep.holding.undo(report.plan)

    assert report.debris == [f"uploads/{path.name}"]
    assert not gone
    assert undone.returned == [f"uploads/{path.name}"]
    assert path.read_bytes() == b"stray"


def test_young_stray_file_may_belong_to_a_save_under_way(shop: KeptWorkshop) -> None:
    path = stray(shop, hours=0.9)

    assert apply(shop).debris == []
    assert path.is_file()


def test_stray_file_that_was_written_again_since_the_plan_stays(shop: KeptWorkshop) -> None:
    path = stray(shop)
    planned = preview(shop)
    path.write_bytes(b"new")

    report = apply(shop, plan=planned.plan)

    assert report.debris == []
    assert report.skipped == {f"uploads/{path.name}": "it is gone or was written again"}


def test_stray_file_whose_document_came_since_the_plan_stays(shop: KeptWorkshop, ann: User) -> None:
    path = stray(shop)
    planned = preview(shop)
    image = shop.upload(ann)
    shop.change(image, {"images.$.id": "a" * 32})

    report = apply(shop, plan=planned.plan)

    assert report.skipped == {f"uploads/{path.name}": "it belongs to a document now"}
    assert path.is_file()


def test_interrupted_write_and_stray_thumbnail_go(shop: KeptWorkshop) -> None:
    leftover = stray(shop, f".{'b' * 32}.png.0011.tmp")
    thumbnail = stray(shop, f"{'c' * 32}_256.webp", "thumbnails")

    apply(shop)

    assert not leftover.exists()
    assert not thumbnail.exists()


def test_undo_brings_files_and_states_back(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    report = apply(shop)

    undone = shop.upkeep.holding.undo(report.plan)

    assert undone.returned == [f"uploads/{image.filename}"]
    assert shop.files.read(image.folder, image.filename, image.sha256)
    assert shop.image(image.id).local == "present"
    assert not (shop.root / "quarantine" / report.plan).exists()


def test_undo_twice_is_harmless(shop: KeptWorkshop, ann: User) -> None:
    shop.old_picture(ann)
    report = apply(shop)
    shop.upkeep.holding.undo(report.plan)

    assert shop.upkeep.holding.undo(report.plan).returned == []


def test_undo_leaves_a_file_alone_that_was_healed_meanwhile(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    report = apply(shop)
    shop.resolver.restore(shop.image(image.id))
    inode = shop.path(image).stat().st_ino

    shop.upkeep.holding.undo(report.plan)

    assert shop.path(image).stat().st_ino == inode
    assert not quarantined(shop, report.plan, image).exists()
    assert shop.image(image.id).local == "present"


def test_undo_does_not_bring_back_damaged_bytes(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    report = apply(shop)
    quarantined(shop, report.plan, image).write_bytes(b"rotten")

    undone = shop.upkeep.holding.undo(report.plan)

    assert "damaged" in undone.failed[f"uploads/{image.filename}"]
    assert shop.image(image.id).local == "evicted"
    assert not shop.path(image).exists()


def test_deleting_a_picture_for_good_empties_its_place_in_quarantine(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    report = apply(shop)
    shop.gallery.trash(ann, image.id)
    located = shop.images.find(image.id, trashed=True)
    assert located

    shop.deletion.purge(located)
    undone = shop.upkeep.holding.undo(report.plan)

    assert undone.returned == []
    assert not quarantined(shop, report.plan, image).exists()
    assert not shop.path(image).exists()


def test_undo_does_not_bring_back_what_was_deleted_for_good(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    report = apply(shop)
    shop.database["tombstones"].insert_one({"_id": image.id})
    shop.database["messages"].delete_many({})

    undone = shop.upkeep.holding.undo(report.plan)

    assert "deleted for good" in undone.failed[f"uploads/{image.filename}"]
    assert not shop.path(image).exists()
    assert not quarantined(shop, report.plan, image).exists()


def test_quarantine_is_kept_for_the_grace_time(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    report = apply(shop)

    held = shop.upkeep.holding.empty_expired()

    assert held == 1
    assert quarantined(shop, report.plan, image).is_file()


def test_expired_quarantine_is_emptied_by_the_chore(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    report = apply(shop, grace_hours=0)

    held = shop.upkeep.holding.empty_expired()

    assert held == 0
    assert not (shop.root / "quarantine" / report.plan).exists()
    assert not Path(report.plan_file).exists()
    assert shop.image(image.id).local == "evicted"


def test_file_comes_back_when_its_copy_is_gone_at_the_end_of_the_grace_time(
    shop: KeptWorkshop, ann: User, host: ScriptedHost
) -> None:
    image = shop.old_picture(ann)
    apply(shop, grace_hours=0)
    host.pictures.clear()

    shop.upkeep.holding.empty_expired()

    assert shop.files.read(image.folder, image.filename, image.sha256)
    assert shop.image(image.id).local == "present"


def test_next_cleanup_empties_an_expired_quarantine(shop: KeptWorkshop, ann: User) -> None:
    shop.old_picture(ann)
    first = apply(shop, grace_hours=0)

    apply(shop)

    assert not (shop.root / "quarantine" / first.plan).exists()


def test_quarantine_without_its_plan_is_kept_for_the_usual_time(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    report = apply(shop, grace_hours=0)
    Path(report.plan_file).unlink()

    kept = shop.upkeep.holding.empty_expired()
    os.utime(shop.root / "quarantine" / report.plan, (0, 0))
    emptied = shop.upkeep.holding.empty_expired()

    assert (kept, emptied) == (1, 0)
    assert not quarantined(shop, report.plan, image).exists()


def test_crash_after_the_state_and_before_the_move_heals_on_the_next_run(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    shop.images.set_local(image.id, "present", "evicted")

    report = apply(shop.another(), max_age_days=1000)

    assert report.returned == [image.id]
    assert shop.image(image.id).local == "present"
    assert shop.path(image).is_file()


def test_crash_after_the_move_and_before_the_state_heals_on_the_next_run(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    Quarantine(StoragePaths(shop.root)).hold("d" * 32, image.folder, image.filename)

    report = apply(shop.another(), max_age_days=1000)

    assert report.returned == [image.id]
    assert shop.image(image.id).local == "present"
    assert shop.files.read(image.folder, image.filename, image.sha256)


def test_failed_move_takes_the_state_back(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    (shop.root / "quarantine").write_bytes(b"in the way")

    report = apply(shop)

    assert list(report.failed) == [image.id]
    assert shop.image(image.id).local == "present"
    assert shop.path(image).is_file()


def test_file_of_the_same_name_is_not_overwritten_by_a_return(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    quarantine = Quarantine(StoragePaths(shop.root))
    quarantine.hold("d" * 32, image.folder, image.filename)
    shop.path(image).write_bytes(b"newer")

    assert quarantine.put_back(HeldFile("d" * 32, image.folder, image.filename, 0)) is False
    assert shop.path(image).read_bytes() == b"newer"


def test_forgotten_preview_is_removed_after_a_week(shop: KeptWorkshop) -> None:
    planned = Path(preview(shop).plan_file)
    text = planned.read_text()
    made = now() - timedelta(days=8)
    planned.write_text(text[: text.index('"made_at": "') + 12] + made.isoformat() + text[text.index('",\n "max_age') :])

    apply(shop)

    assert not planned.exists()


def test_storage_without_its_mark_is_refused(shop: KeptWorkshop, ann: User) -> None:
    image = shop.old_picture(ann)
    (shop.root / ".chatbot-storage.json").unlink()

    with pytest.raises(SettingsError, match="mount the volume"):
        apply(shop)

    assert shop.path(image).is_file()
