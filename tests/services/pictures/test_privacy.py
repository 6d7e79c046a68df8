"""Private pictures never reach a public host, and what was published is taken back and named until it is gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ChatBot.errors import NotFound, ProviderRefused, ProviderUnavailable
from ChatBot.hosts.base import Upload
from ChatBot.models import User, now
from tests.services.workshop import ScriptedHost, Workshop, make_due, make_user, picture, states


def test_a_picture_of_a_private_conversation_goes_to_the_private_host_alone(
    house: Workshop, public: ScriptedHost, ann: User
) -> None:
    diary = house.threads.create(ann, "diary", private=True)

    (image,) = house.draw(ann, diary).images

    assert image.private
    assert states(house.image(image.id)) == {"bucket": "verified"}
    assert public.uploads == 0


def test_with_public_hosts_only_a_private_picture_stays_on_this_disk(
    make_workshop: Callable[..., Workshop], public: ScriptedHost, ann: User
) -> None:
    house = make_workshop(hosts=(public,))
    private = house.privacy.set_account(ann, True)

    image = house.upload(private)

    assert house.image(image.id).copies == ()
    assert not house.replicator.work_once()
    assert public.uploads == 0


def test_an_upload_meant_for_a_private_conversation_is_private(
    house: Workshop, public: ScriptedHost, ann: User
) -> None:
    diary = house.threads.create(ann, "diary", private=True)

    image = house.upload(ann, conversation_id=diary.id)

    assert house.image(image.id).private
    assert public.uploads == 0


def test_a_public_host_refuses_a_private_picture_whoever_asks(public: ScriptedHost) -> None:
    upload = Upload("0" * 32, b"bytes", "image/png", "0" * 64, private=True)

    with pytest.raises(ProviderRefused, match="private"):
        public.upload(upload)

    assert public.uploads == 0


def test_turning_private_takes_the_published_copy_back_and_moves_on(
    house: Workshop, public: ScriptedHost, ann: User
) -> None:
    (image,) = house.draw(ann).images
    conversation_id = house.images.find(image.id).conversation_id  # type: ignore[union-attr]
    before = states(house.image(image.id))

    house.privacy.set_conversation(ann, conversation_id or "", True)
    gone = house.privacy.withdraw_due()

    assert before == {"public": "verified"}
    assert gone == 1
    assert states(house.image(image.id)) == {"public": "gone"}
    assert public.pictures == {}
    assert house.image(image.id).copies[0].delete_url is None


def test_a_copy_that_only_a_person_can_delete_stays_named_until_it_is_gone(
    house: Workshop, public: ScriptedHost, ann: User
) -> None:
    image = house.upload(ann)
    public.proof = "manual"

    house.privacy.set_account(ann, True)
    house.privacy.withdraw_due()
    named = states(house.image(image.id))
    public.pictures.clear()  # somebody did it by hand
    make_due(house, image.id)
    house.privacy.withdraw_due()

    assert named == {"public": "delete_manual"}
    assert states(house.image(image.id)) == {"public": "gone"}


def test_a_host_that_is_down_is_asked_again_and_the_copy_stays_named(
    house: Workshop, public: ScriptedHost, ann: User
) -> None:
    image = house.upload(ann)
    public.down = ProviderUnavailable("down", provider="public")

    house.privacy.set_account(ann, True)
    house.privacy.withdraw_due()
    named = house.image(image.id).copies[0]
    public.down = None
    make_due(house, image.id)
    house.privacy.withdraw_due()

    assert (named.state, bool(named.url)) == ("deleting", True)
    assert named.next_at is not None
    assert named.next_at > now()
    assert states(house.image(image.id)) == {"public": "gone"}


def test_the_last_copy_is_brought_home_before_it_is_deleted(house: Workshop, public: ScriptedHost, ann: User) -> None:
    image = house.upload(ann)
    house.path(image).unlink()

    house.privacy.set_account(ann, True)
    house.privacy.withdraw_due()

    assert house.files.read(image.folder, image.filename, image.sha256)
    assert public.pictures == {}


def test_a_copy_stays_while_no_other_bytes_of_the_picture_are_right(
    house: Workshop, public: ScriptedHost, ann: User
) -> None:
    image = house.upload(ann)
    house.path(image).unlink()
    public.pictures = dict.fromkeys(public.pictures, b"somebody else's")

    house.privacy.set_account(ann, True)
    house.privacy.withdraw_due()

    assert states(house.image(image.id)) == {"public": "deleting"}
    assert public.diary.count("public: delete") == 0


def test_an_upload_under_way_when_it_became_private_is_taken_back(
    house: Workshop, public: ScriptedHost, ann: User
) -> None:
    def turn_private(_upload: Upload) -> None:
        house.privacy.set_account(ann, True)

    public.on_upload = turn_private

    image = house.upload(ann)
    house.privacy.withdraw_due()

    assert house.image(image.id).private
    assert states(house.image(image.id))["public"] == "gone"
    assert public.pictures == {}


def test_an_attached_picture_becomes_private_with_the_conversation_that_shows_it(
    house: Workshop, public: ScriptedHost, ann: User
) -> None:
    image = house.upload(ann)
    diary = house.threads.create(ann, "diary", private=True)

    house.threads.ask(ann, diary.id, "look", attachments=(image.id,))
    house.privacy.withdraw_due()

    assert house.image(image.id).private
    assert public.pictures == {}


def test_no_longer_private_it_is_sent_to_the_first_host_again(house: Workshop, public: ScriptedHost, ann: User) -> None:
    private = house.privacy.set_account(ann, True)
    image = house.upload(private)

    house.privacy.set_account(private, False)
    house.replicator.work_once()

    assert not house.image(image.id).private
    assert states(house.image(image.id)) == {"bucket": "verified", "public": "verified"}
    assert len(public.pictures) == 1


def test_it_stays_private_while_another_private_conversation_shows_it(house: Workshop, ann: User) -> None:
    image = house.upload(ann)
    first, second = (house.threads.create(ann, name, private=True) for name in ("first", "second"))
    for diary in (first, second):
        house.threads.ask(ann, diary.id, "look", attachments=(image.id,))

    house.privacy.set_conversation(ann, first.id, False)
    still = house.image(image.id).private
    house.privacy.set_conversation(ann, second.id, False)

    assert still
    assert not house.image(image.id).private


def test_what_a_dying_process_left_unmarked_is_marked_by_the_next_round(house: Workshop, ann: User) -> None:
    image = house.upload(ann)
    house.repositories.users.set_private(ann.id, True)  # and then it died

    house.privacy.withdraw_due()

    assert house.image(image.id).private


def test_pictures_of_others_stay_as_they_are(house: Workshop, ann: User) -> None:
    bob = make_user("bob")
    house.repositories.users.add(bob)
    theirs = house.upload(bob, picture(2))

    house.privacy.set_account(ann, True)
    house.privacy.withdraw_due()

    assert states(house.image(theirs.id)) == {"public": "verified"}


def test_only_its_owner_makes_a_conversation_private(house: Workshop, ann: User) -> None:
    conversation = house.threads.create(ann, "mine")

    with pytest.raises(NotFound):
        house.privacy.set_conversation(make_user("bob"), conversation.id, True)
