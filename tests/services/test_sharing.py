"""Share links: what they show, to whom, until when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ChatBot.errors import InputError, NotFound
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
    shown, messages = workshop.sharing.content(share)

    assert shown.id == conversation.id
    assert [message.role for message in messages] == ["user", "assistant"]
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

    assert len(workshop.sharing.content(snapshot)[1]) == 2
    assert len(workshop.sharing.content(live)[1]) == 4
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
    assert workshop.sharing.unlock(share, "open sesame")
    assert not workshop.sharing.unlock(share, "open says me")
    assert not workshop.sharing.unlock(share, "")


def test_a_link_without_a_password_asks_for_none(workshop: Workshop, ann: User) -> None:
    conversation, _ = drawn(workshop, ann)

    assert workshop.sharing.unlock(opened(workshop, ann, conversation), "anything")


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


def test_views_are_counted(workshop: Workshop, ann: User) -> None:
    conversation, _ = drawn(workshop, ann)
    share = opened(workshop, ann, conversation)

    workshop.sharing.count_view(share)
    workshop.sharing.count_view(share)

    assert [each.views for each in workshop.sharing.of(ann, 10)] == [2]
