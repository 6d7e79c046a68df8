"""Share links: what they show, to whom, until when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ChatBot.errors import Forbidden, InputError, NotFound
from ChatBot.models import Conversation, Image, Share, User, now
from ChatBot.services.access import Viewer
from ChatBot.services.accounts import digest
from tests.services.workshop import Workshop, make_message


def drawn(workshop: Workshop, user: User) -> tuple[Conversation, Image]:
    """Return a conversation with one picture in it."""
    message = workshop.draw(user)
    return workshop.threads.get(Viewer(user), message.conversation_id or ""), message.images[0]


def opened(workshop: Workshop, user: User, conversation: Conversation, *, live: bool = False) -> Share:
    """Make a link and open it."""
    _, token = workshop.sharing.create(user, conversation.id, live=live)
    return workshop.sharing.open(token)


def expire(workshop: Workshop, share: Share) -> None:
    workshop.database["shares"].update_one(
        {"_id": share.id}, {"$set": {"expires_at": now() - timedelta(milliseconds=1)}}
    )


def test_a_link_shows_the_conversation_and_its_pictures(workshop: Workshop, ann: User) -> None:
    conversation, image = drawn(workshop, ann)

    share = opened(workshop, ann, conversation)
    shown = workshop.sharing.content(share)

    assert shown.title == conversation.title
    assert [message.role for message in shown.messages] == ["user", "assistant"]
    assert list(shown.pictures) == [image.id]
    assert shown.cover == shown.pictures[image.id]
    assert workshop.sharing.image(share, image.id).id == image.id


def test_the_token_is_stored_as_a_hash(workshop: Workshop, ann: User) -> None:
    conversation, _ = drawn(workshop, ann)

    share, token = workshop.sharing.create(ann, conversation.id)

    (document,) = workshop.database["shares"].find()
    assert document["token_hash"] == share.token_hash == digest(token)
    assert token not in str(document)


def test_a_snapshot_does_not_show_what_came_later_and_a_live_link_does(workshop: Workshop, ann: User) -> None:
    conversation, _ = drawn(workshop, ann)
    snapshot = opened(workshop, ann, conversation)
    live = opened(workshop, ann, conversation, live=True)

    later = workshop.draw(ann, conversation).images[0]

    assert len(workshop.sharing.content(snapshot).messages) == 2
    assert len(workshop.sharing.content(live).messages) == 4
    assert workshop.sharing.image(live, later.id).id == later.id
    with pytest.raises(NotFound):
        workshop.sharing.image(snapshot, later.id)


def test_an_expired_link_answers_like_one_that_never_was(workshop: Workshop, ann: User) -> None:
    conversation, _ = drawn(workshop, ann)
    share, token = workshop.sharing.create(ann, conversation.id, expires_in=60)
    assert workshop.sharing.open(token).id == share.id

    expire(workshop, share)

    with pytest.raises(NotFound) as expired:
        workshop.sharing.open(token)
    with pytest.raises(NotFound) as unknown:
        workshop.sharing.open("never-was")
    assert str(expired.value) == str(unknown.value)


def test_a_revoked_link_is_closed_at_once(workshop: Workshop, ann: User) -> None:
    conversation, _ = drawn(workshop, ann)
    share, token = workshop.sharing.create(ann, conversation.id)

    workshop.sharing.revoke(ann, share.id)

    with pytest.raises(NotFound):
        workshop.sharing.open(token)
    assert workshop.sharing.of(ann, 10) == []
    with pytest.raises(NotFound):
        workshop.sharing.revoke(ann, share.id)


def test_nobody_shares_revokes_or_lists_what_is_anothers(workshop: Workshop, ann: User, bob: User) -> None:
    conversation, _ = drawn(workshop, ann)
    share, token = workshop.sharing.create(ann, conversation.id)

    with pytest.raises(NotFound):
        workshop.sharing.create(bob, conversation.id)
    with pytest.raises(NotFound):
        workshop.sharing.revoke(bob, share.id)

    assert workshop.sharing.of(bob, 10) == []
    assert workshop.sharing.open(token).id == share.id


def test_a_password_is_stored_as_a_hash_and_asked_for(workshop: Workshop, ann: User) -> None:
    conversation, _ = drawn(workshop, ann)

    share, _ = workshop.sharing.create(ann, conversation.id, password="open sesame")

    assert "open sesame" not in str(share)
    workshop.sharing.unlock(share, "open sesame")
    for wrong in ("open says me", ""):
        with pytest.raises(Forbidden):
            workshop.sharing.unlock(share, wrong)


def test_a_link_without_a_password_asks_for_none(workshop: Workshop, ann: User) -> None:
    conversation, _ = drawn(workshop, ann)

    workshop.sharing.unlock(opened(workshop, ann, conversation), "anything")


@pytest.mark.parametrize("seconds", [-1, 0, 59, 11 * 365 * 24 * 3600])
def test_a_wrong_life_time_is_refused(workshop: Workshop, ann: User, seconds: int) -> None:
    conversation, _ = drawn(workshop, ann)

    with pytest.raises(InputError):
        workshop.sharing.create(ann, conversation.id, expires_in=seconds)

    assert workshop.sharing.of(ann, 10) == []


def test_an_empty_conversation_cannot_be_shared(workshop: Workshop, ann: User) -> None:
    with pytest.raises(InputError):
        workshop.sharing.create(ann, workshop.threads.create(ann).id)


def test_a_picture_of_another_conversation_is_not_shown(workshop: Workshop, ann: User) -> None:
    conversation, _ = drawn(workshop, ann)
    _, other = drawn(workshop, ann)

    share = opened(workshop, ann, conversation, live=True)

    with pytest.raises(NotFound):
        workshop.sharing.image(share, other.id)
    with pytest.raises(NotFound):
        workshop.sharing.image(share, "f" * 32)


def test_an_attached_upload_is_shown_through_the_message_that_attaches_it(workshop: Workshop, ann: User) -> None:
    conversation, _ = drawn(workshop, ann)
    attached, private = workshop.upload(ann), workshop.upload(ann)
    workshop.threads.ask(ann, conversation.id, "look", attachments=(attached.id,))

    share = opened(workshop, ann, conversation)

    assert workshop.sharing.image(share, attached.id).id == attached.id
    with pytest.raises(NotFound):
        workshop.sharing.image(share, private.id)


def test_an_upload_attached_after_the_snapshot_is_not_shown(workshop: Workshop, ann: User) -> None:
    conversation, _ = drawn(workshop, ann)
    share = opened(workshop, ann, conversation)
    attached = workshop.upload(ann)
    workshop.threads.ask(ann, conversation.id, "look", attachments=(attached.id,))

    with pytest.raises(NotFound):
        workshop.sharing.image(share, attached.id)


def test_a_forged_attachment_of_somebody_elses_picture_shows_nothing(workshop: Workshop, ann: User, bob: User) -> None:
    private = workshop.upload(ann)
    conversation, _ = drawn(workshop, bob)
    forged = make_message(bob.id, conversation_id=conversation.id, role="user", attachments=(private.id,))
    workshop.messages.add(forged)

    share = opened(workshop, bob, conversation, live=True)

    with pytest.raises(NotFound):
        workshop.sharing.image(share, private.id)
    assert workshop.gallery.attached([forged]) == {}


def test_a_trashed_picture_leaves_the_link(workshop: Workshop, ann: User) -> None:
    conversation, image = drawn(workshop, ann)
    share = opened(workshop, ann, conversation)

    workshop.gallery.trash(ann, image.id)

    with pytest.raises(NotFound):
        workshop.sharing.image(share, image.id)


def test_a_snapshot_shows_what_was_there_whatever_is_done_to_the_conversation(workshop: Workshop, ann: User) -> None:
    conversation, image = drawn(workshop, ann)
    share = opened(workshop, ann, conversation)
    before = workshop.sharing.content(share)
    question, answer = workshop.messages.of(conversation.id)

    workshop.threads.rename(ann, conversation.id, "a secret")
    workshop.threads.ask_again(ann, conversation.id, answer.id)
    again = workshop.messages.of(conversation.id)[-1]
    workshop.messages.settle(again.id, "complete", content="another answer")
    workshop.threads.edit(ann, conversation.id, question.id, "another question", None)

    assert workshop.messages.get(question.id) is None
    assert workshop.sharing.content(share) == before
    assert workshop.sharing.image(share, image.id).id == image.id


def test_a_snapshot_of_version_0_1_still_shows_its_conversation_up_to_its_time(workshop: Workshop, ann: User) -> None:
    conversation, image = drawn(workshop, ann)
    _, token = workshop.sharing.create(ann, conversation.id)
    workshop.database["shares"].update_many({}, {"$unset": {"messages": 1, "image_ids": 1, "title": 1}})

    workshop.draw(ann, conversation)

    share = workshop.sharing.open(token)
    assert not share.frozen
    assert len(workshop.sharing.content(share).messages) == 2
    assert workshop.sharing.image(share, image.id).id == image.id
    workshop.threads.remove(ann, conversation.id)
    assert len(workshop.sharing.content(workshop.sharing.open(token)).messages) == 2


def test_what_a_revoked_link_showed_is_not_kept(workshop: Workshop, ann: User) -> None:
    conversation, image = drawn(workshop, ann)
    share, _ = workshop.sharing.create(ann, conversation.id)

    workshop.sharing.revoke(ann, share.id)

    (document,) = workshop.database["shares"].find()
    assert (document["messages"], document["image_ids"], document["title"]) == ([], [], "")
    assert workshop.repositories.shares.pinned(ann.id, [image.id], now()) == set()


def test_an_answer_that_is_not_written_yet_is_not_in_a_snapshot(workshop: Workshop, ann: User) -> None:
    question, answer = workshop.threads.ask(ann, None, "how do lighthouses work?")
    conversation = workshop.threads.get(Viewer(ann), question.conversation_id or "")

    share = opened(workshop, ann, conversation)
    workshop.messages.settle(answer.id, "complete", content="a secret")

    assert [each.id for each in workshop.sharing.content(share).messages] == [question.id]


def test_the_name_of_an_uploaded_file_and_its_metadata_are_told_to_no_viewer(workshop: Workshop, ann: User) -> None:
    attached = workshop.upload(ann, original_name="ann-green-passport.png", metadata={"Artist": "Ann Green"})
    question, _ = workshop.threads.ask(ann, None, "look", attachments=(attached.id,))

    for live in (False, True):
        share = opened(workshop, ann, workshop.threads.get(Viewer(ann), question.conversation_id or ""), live=live)
        for image in (
            workshop.sharing.image(share, attached.id),
            workshop.sharing.content(share).pictures[attached.id],
        ):
            assert (image.original_name, image.metadata) == (None, {})


def test_a_snapshot_that_names_somebody_elses_picture_neither_shows_nor_keeps_it(
    workshop: Workshop, ann: User, bob: User
) -> None:
    victim = workshop.draw(ann)
    conversation, _ = drawn(workshop, bob)
    _, token = workshop.sharing.create(bob, conversation.id)
    forged = {"$push": {"image_ids": victim.images[0].id, "messages.0.attachments": victim.images[0].id}}
    workshop.database["shares"].update_one({}, forged)

    share = workshop.sharing.open(token)

    assert victim.images[0].id in share.image_ids
    with pytest.raises(NotFound):
        workshop.sharing.image(share, victim.images[0].id)
    assert victim.images[0].id not in workshop.sharing.content(share).pictures
    workshop.threads.remove(ann, victim.conversation_id or "")
    assert workshop.image(victim.images[0].id).trashed_at is not None


def test_views_are_counted(workshop: Workshop, ann: User) -> None:
    conversation, _ = drawn(workshop, ann)
    share = opened(workshop, ann, conversation)

    workshop.sharing.count_view(share)
    workshop.sharing.count_view(share)

    assert [each.views for each in workshop.sharing.of(ann, 10)] == [2]
