"""Deleting for good: a tombstone first, and nothing comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from ChatBot.db.images import Located
from ChatBot.errors import NotFound, ProviderUnavailable, StorageError
from ChatBot.media.files import FileStore
from ChatBot.models import Image, User, now
from ChatBot.services.pictures.deletion import Deletion
from tests.services.workshop import ScriptedHost, Workshop, make_due, only_copy, states, wide_picture


@pytest.fixture
def cloud(make_workshop: Callable[..., Workshop], host: ScriptedHost) -> Workshop:
    return make_workshop(hosts=(host,), trash_days=0)


def trashed(workshop: Workshop, user: User) -> Located:
    """Return a picture that its owner has put into the trash."""
    image = workshop.upload(user, wide_picture())
    workshop.gallery.trash(user, image.id)
    return located(workshop, image)


def located(workshop: Workshop, image: Image) -> Located:
    found = workshop.images.find(image.id, trashed=True)
    assert found is not None
    return found


def its_turn(workshop: Workshop, image_id: str) -> None:
    """Let the wait before the next attempt be over."""
    workshop.database["messages"].update_one({"images.id": image_id}, {"$set": {"images.$.purge_at": now()}})


def is_known(workshop: Workshop, image_id: str) -> bool:
    return workshop.images.find(image_id, trashed=True) is not None


def test_a_purged_picture_leaves_only_its_tombstone(cloud: Workshop, host: ScriptedHost, ann: User) -> None:
    target = trashed(cloud, ann)

    proof = cloud.deletion.purge(target)

    assert proof == "confirmed"
    assert not is_known(cloud, target.image.id)
    assert cloud.stored_files() == set()
    assert host.pictures == {}
    assert cloud.database["messages"].count_documents({}) == 0
    tombstones = cloud.repositories.tombstones
    assert tombstones.among([target.image.id, "f" * 32]) == {target.image.id}
    assert "url" not in str(cloud.database["tombstones"].find_one())


class BrokenStore(FileStore):
    """A disk that deletes nothing."""

    def delete(self, folder: str, filename: str) -> None:
        raise StorageError(f"{folder}/{filename} stays")


class StubbornStore(FileStore):
    """A disk that does not let go of one file."""

    keeps = ""

    def delete(self, folder: str, filename: str) -> None:
        if filename == self.keeps:
            raise StorageError(f"{folder}/{filename} stays")
        super().delete(folder, filename)


def test_the_tombstone_stands_before_anything_goes(
    make_workshop: Callable[..., Workshop], host: ScriptedHost, ann: User
) -> None:
    cloud = make_workshop(hosts=(host,), store=BrokenStore)
    target = trashed(cloud, ann)

    with pytest.raises(StorageError):
        cloud.deletion.purge(target)

    assert cloud.repositories.tombstones.among([target.image.id])
    assert host.pictures
    with pytest.raises(NotFound):
        cloud.gallery.untrash(ann, target.image.id)


def test_a_copy_that_cannot_be_deleted_now_is_pending_and_tried_again(
    cloud: Workshop, host: ScriptedHost, ann: User
) -> None:
    target = trashed(cloud, ann)
    host.down = ProviderUnavailable("asleep", provider="first")

    first = cloud.deletion.purge(target)
    kept = cloud.image(target.image.id)
    host.down = None
    at_once = cloud.deletion.purge_due()
    its_turn(cloud, target.image.id)
    purged = cloud.deletion.purge_due()

    assert (first, at_once, purged) == ("pending", 0, 1)
    assert states(kept) == {"first": "deleting"}
    assert only_copy(kept).delete_url
    assert host.pictures == {}
    assert not is_known(cloud, target.image.id)


def test_a_picture_whose_purge_has_begun_cannot_be_taken_back(cloud: Workshop, host: ScriptedHost, ann: User) -> None:
    target = trashed(cloud, ann)
    host.down = ProviderUnavailable("asleep", provider="first")
    cloud.deletion.purge(target)

    with pytest.raises(NotFound):
        cloud.gallery.untrash(ann, target.image.id)

    assert cloud.image(target.image.id).trashed_at is not None


def test_a_picture_that_was_taken_back_in_time_is_not_purged(cloud: Workshop, host: ScriptedHost, ann: User) -> None:
    target = trashed(cloud, ann)
    cloud.gallery.untrash(ann, target.image.id)

    proof = cloud.deletion.purge(target)

    assert proof == "pending"
    assert cloud.path(target.image).exists()
    assert host.pictures
    assert not cloud.repositories.tombstones.among([target.image.id])


def test_a_copy_that_only_a_person_can_delete_is_said_to_be_manual(
    cloud: Workshop, host: ScriptedHost, ann: User
) -> None:
    target = trashed(cloud, ann)
    host.proof = "manual"

    proof = cloud.deletion.purge(target)

    assert proof == "manual"
    assert not is_known(cloud, target.image.id)


def test_a_copy_that_still_shows_after_the_deletion_is_pending(cloud: Workshop, host: ScriptedHost, ann: User) -> None:
    target = trashed(cloud, ann)
    host.proof = "pending"

    proof = cloud.deletion.purge(target)

    assert proof == "pending"
    assert is_known(cloud, target.image.id)


def test_one_pending_copy_makes_the_purge_pending_and_the_others_go(
    make_workshop: Callable[..., Workshop], ann: User
) -> None:
    first, second = ScriptedHost("first"), ScriptedHost("second")
    first.upload_errors.append(ProviderUnavailable("busy", provider="first"))
    cloud = make_workshop(hosts=(first, second))
    image = cloud.upload(ann)
    make_due(cloud, image.id)
    cloud.replicator.work_once()
    cloud.gallery.trash(ann, image.id)
    first.down = ProviderUnavailable("asleep", provider="first")

    proof = cloud.deletion.purge(located(cloud, image))

    assert proof == "pending"
    assert states(cloud.image(image.id)) == {"first": "deleting", "second": "gone"}
    assert second.pictures == {}


def test_a_purge_knows_the_copies_that_came_after_it_was_planned(
    cloud: Workshop, host: ScriptedHost, ann: User
) -> None:
    host.upload_errors.append(KeyError("the process ends here"))
    image = cloud.upload(ann)
    make_due(cloud, image.id)
    planned = located(cloud, image)
    cloud.replicator.work_once()
    cloud.gallery.trash(ann, image.id)

    proof = cloud.deletion.purge(planned)

    assert proof == "confirmed"
    assert host.pictures == {}


def test_a_purge_waits_for_an_upload_that_is_under_way(cloud: Workshop, host: ScriptedHost, ann: User) -> None:
    host.upload_errors.append(KeyError("the process ends here"))
    image = cloud.upload(ann)
    cloud.gallery.trash(ann, image.id)

    during = cloud.deletion.purge(located(cloud, image))
    make_due(cloud, image.id)
    after = cloud.deletion.purge(located(cloud, image))

    assert (during, after) == ("pending", "confirmed")


def test_only_what_has_been_in_the_trash_long_enough_is_purged(
    make_workshop: Callable[..., Workshop], ann: User
) -> None:
    workshop = make_workshop(trash_days=30)
    young, old, live = trashed(workshop, ann), trashed(workshop, ann), workshop.upload(ann)
    long_ago = now() - timedelta(days=31)
    workshop.database["messages"].update_one({"images.id": old.image.id}, {"$set": {"images.$.trashed_at": long_ago}})

    purged = workshop.deletion.purge_due()

    assert purged == 1
    assert [is_known(workshop, image.id) for image in (young.image, old.image, live)] == [True, False, True]


def test_a_purged_picture_of_a_conversation_leaves_its_words(cloud: Workshop, ann: User) -> None:
    message = cloud.draw(ann)
    cloud.gallery.trash(ann, message.images[0].id)

    cloud.deletion.purge(located(cloud, message.images[0]))

    kept = cloud.messages.get(message.id)
    assert kept is not None
    assert kept.images == ()


def test_purging_twice_is_harmless(cloud: Workshop, ann: User) -> None:
    target = trashed(cloud, ann)
    cloud.deletion.purge(target)

    assert cloud.deletion.purge(target) == "pending"
    assert cloud.deletion.purge_due() == 0


def test_pictures_that_cannot_go_hold_up_no_later_ones(cloud: Workshop, host: ScriptedHost, ann: User) -> None:
    kept = cloud.repositories
    deletion = Deletion(kept.images, kept.tombstones, cloud.files, cloud.chain, trash_days=0, at_once=4)
    stuck = [trashed(cloud, ann) for _ in range(4)]
    host.proof = "pending"
    deletion.purge_due()
    host.proof = "confirmed"
    later = trashed(cloud, ann)
    for each in stuck:
        its_turn(cloud, each.image.id)
    hurried = Deletion(kept.images, kept.tombstones, cloud.files, cloud.chain, trash_days=0, at_once=1)

    purged = hurried.purge_due()

    assert purged == 1
    assert not is_known(cloud, later.image.id)


def test_a_disk_that_keeps_one_file_holds_up_no_other(make_workshop: Callable[..., Workshop], ann: User) -> None:
    workshop = make_workshop(trash_days=0, store=StubbornStore)
    stubborn, other = trashed(workshop, ann), trashed(workshop, ann)
    StubbornStore.keeps = stubborn.image.filename

    purged = workshop.deletion.purge_due()

    assert purged == 1
    assert [is_known(workshop, each.image.id) for each in (stubborn, other)] == [True, False]
