"""The trash: only its owner looks into it, takes back from it, or deletes from it before the time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from ChatBot.errors import NotFound, ProviderUnavailable, StorageError
from ChatBot.media.files import FileStore
from ChatBot.models import Image, User, new_id
from ChatBot.services.access import Viewer
from tests.services.workshop import ScriptedHost, Workshop, make_user, picture, states, wide_picture


def trashed(workshop: Workshop, user: User, seed: int = 1) -> Image:
    """Return a picture that its owner has put into the trash."""
    image = workshop.upload(user, wide_picture(seed))
    workshop.gallery.trash(user, image.id)
    return workshop.image(image.id)


def ids(workshop: Workshop, user: User) -> list[str]:
    """Return what is in somebody's trash."""
    return [image.id for image in workshop.trash.page(user, 50)]


def is_known(workshop: Workshop, image: Image) -> bool:
    return workshop.images.find(image.id, trashed=True) is not None


def test_the_trash_holds_what_was_deleted_the_newest_first_page_by_page(cloud: Workshop, ann: User) -> None:
    kept = cloud.upload(ann, picture(9))
    deleted = [trashed(cloud, ann, seed) for seed in range(3)]

    first = cloud.trash.page(ann, 2)
    assert first[-1].trashed_at is not None
    rest = cloud.trash.page(ann, 2, (first[-1].trashed_at, first[-1].id))

    assert [image.id for image in (*first, *rest)] == [image.id for image in reversed(deleted)]
    assert kept.id not in ids(cloud, ann)
    assert cloud.trash.page(make_user("bob"), 50) == []


def test_a_picture_says_when_it_goes_for_good(cloud: Workshop, ann: User) -> None:
    image = trashed(cloud, ann)

    ends_at = cloud.trash.ends_at(image)

    assert image.trashed_at is not None
    assert ends_at == image.trashed_at + timedelta(days=30)


def test_several_are_taken_back_together(cloud: Workshop, ann: User) -> None:
    deleted = [trashed(cloud, ann, seed) for seed in range(3)]

    restored = cloud.trash.restore(ann, [deleted[0].id, deleted[2].id])

    assert {image.id for image in restored} == {deleted[0].id, deleted[2].id}
    assert ids(cloud, ann) == [deleted[1].id]
    assert cloud.gallery.view(Viewer(ann), deleted[0].id).trashed_at is None


@pytest.mark.parametrize("verb", ["restore", "delete"])
def test_one_that_is_not_in_this_trash_refuses_the_whole_batch(cloud: Workshop, ann: User, verb: str) -> None:
    bob = make_user("bob")
    mine, his, kept = trashed(cloud, ann), trashed(cloud, bob), cloud.upload(ann, picture(9))

    for other in (his.id, kept.id, new_id()):
        with pytest.raises(NotFound):
            getattr(cloud.trash, verb)(ann, [mine.id, other])

    assert ids(cloud, ann) == [mine.id]
    assert ids(cloud, bob) == [his.id]
    assert not cloud.repositories.tombstones.among([mine.id, his.id, kept.id])


def test_what_is_deleted_for_good_leaves_a_tombstone_and_nothing_else(
    cloud: Workshop, host: ScriptedHost, ann: User
) -> None:
    gone, stays = trashed(cloud, ann, 1), trashed(cloud, ann, 2)

    proofs = cloud.trash.delete(ann, [gone.id])

    assert proofs == {gone.id: "confirmed"}
    assert not is_known(cloud, gone)
    assert cloud.repositories.tombstones.among([gone.id]) == {gone.id}
    assert not any(gone.id in name for name in cloud.stored_files())
    assert len(host.pictures) == 1
    assert ids(cloud, ann) == [stays.id]
    with pytest.raises(NotFound):
        cloud.trash.restore(ann, [gone.id])


def test_a_copy_that_is_left_goes_later_however_long_the_trash_is_kept(
    cloud: Workshop, host: ScriptedHost, ann: User
) -> None:
    image = trashed(cloud, ann)
    host.down = ProviderUnavailable("asleep", provider="first")

    proofs = cloud.trash.delete(ann, [image.id])
    (shown,) = cloud.trash.page(ann, 50)
    too_early = cloud.deletion.purge_due()
    cloud.database["messages"].update_one({"images.id": image.id}, {"$unset": {"images.$.purge_at": 1}})
    host.down = None
    purged = cloud.deletion.purge_due()

    assert proofs == {image.id: "pending"}
    assert cloud.trash.ends_at(shown) is None
    assert states(shown) == {"first": "deleting"}
    assert (too_early, purged) == (0, 1)
    assert host.pictures == {}
    assert not is_known(cloud, image)


def test_what_is_being_deleted_can_neither_be_taken_back_nor_seen(
    cloud: Workshop, host: ScriptedHost, ann: User
) -> None:
    image = trashed(cloud, ann)
    host.down = ProviderUnavailable("asleep", provider="first")
    cloud.trash.delete(ann, [image.id])

    with pytest.raises(NotFound):
        cloud.trash.restore(ann, [image.id])
    with pytest.raises(NotFound):
        cloud.trash.thumbnail(Viewer(ann), image.id)

    assert cloud.image(image.id).trashed_at is not None


def test_asking_again_asks_the_host_again(cloud: Workshop, host: ScriptedHost, ann: User) -> None:
    image = trashed(cloud, ann)
    host.down = ProviderUnavailable("asleep", provider="first")
    cloud.trash.delete(ann, [image.id])
    host.down = None

    proofs = cloud.trash.delete(ann, [image.id])

    assert proofs == {image.id: "confirmed"}
    assert host.pictures == {}


def test_hosts_that_take_too_long_are_asked_in_the_background(cloud: Workshop, host: ScriptedHost, ann: User) -> None:
    found = cloud.repositories.trash.find_many(ann.id, [trashed(cloud, ann, seed).id for seed in range(2)])

    proofs = cloud.deletion.purge_now(found, patience_seconds=0)

    assert set(proofs.values()) == {"pending"}
    assert "first: delete" not in host.diary
    assert cloud.stored_files() == set()
    assert len(cloud.repositories.tombstones.among(list(proofs))) == 2


def test_what_was_taken_back_in_time_is_left_out_and_stays(cloud: Workshop, host: ScriptedHost, ann: User) -> None:
    image = trashed(cloud, ann)
    found = cloud.repositories.trash.find_many(ann.id, [image.id])
    cloud.trash.restore(ann, [image.id])

    proofs = cloud.deletion.purge_now(found, patience_seconds=10)

    assert proofs == {}
    assert cloud.path(image).exists()
    assert host.pictures
    assert not cloud.repositories.tombstones.among([image.id])


class BrokenStore(FileStore):
    """A disk that deletes nothing."""

    def delete(self, folder: str, filename: str) -> None:
        raise StorageError(f"{folder}/{filename} stays")


def test_a_disk_that_keeps_its_file_is_said_to_be_pending_and_keeps_no_other_picture(
    make_workshop: Callable[..., Workshop], host: ScriptedHost, ann: User
) -> None:
    cloud = make_workshop(hosts=(host,), store=BrokenStore)
    deleted = [trashed(cloud, ann, seed) for seed in range(2)]

    proofs = cloud.trash.delete(ann, [image.id for image in deleted])

    assert set(proofs.values()) == {"pending"}
    assert len(cloud.repositories.tombstones.among(list(proofs))) == 2
    assert len(host.pictures) == 2
    with pytest.raises(NotFound):
        cloud.trash.thumbnail(Viewer(ann), deleted[0].id)


def test_only_the_owner_sees_a_small_version_of_what_is_in_the_trash(cloud: Workshop, ann: User) -> None:
    image, kept = trashed(cloud, ann), cloud.upload(ann, wide_picture(2))

    opened = cloud.trash.thumbnail(Viewer(ann), image.id)

    with opened.file as file:
        assert 0 < len(file.read()) < image.size
    for viewer, image_id in ((Viewer(make_user("bob")), image.id), (Viewer(), image.id), (Viewer(ann), kept.id)):
        with pytest.raises(NotFound):
            cloud.trash.thumbnail(viewer, image_id)


def test_looking_into_the_trash_fetches_and_writes_nothing(cloud: Workshop, host: ScriptedHost, ann: User) -> None:
    image = trashed(cloud, ann)
    cloud.files.delete_thumbnails(image.id)
    fetches, files = host.fetches, cloud.stored_files()

    with pytest.raises(NotFound):
        cloud.trash.thumbnail(Viewer(ann), image.id)

    assert (host.fetches, cloud.stored_files()) == (fetches, files)


def test_what_was_copied_and_never_shown_is_not_in_the_trash(cloud: Workshop, ann: User) -> None:
    image = trashed(cloud, ann)
    cloud.database["messages"].update_one({"images.id": image.id}, {"$set": {"draft_of": new_id()}})

    assert ids(cloud, ann) == []
    with pytest.raises(NotFound):
        cloud.trash.restore(ann, [image.id])
