"""Who may see what: a table of the rules, and a search for any combination that lets a stranger see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ChatBot.models import Conversation, Image, Message, Share, SharedMessage, User, new_id, now
from ChatBot.services.access import (
    ANYBODY,
    Viewer,
    can_administer,
    can_change,
    can_view_conversation,
    can_view_image,
    can_view_message,
    owns,
)
from tests.services.workshop import make_image, make_message, make_user

OWNER, STRANGER = make_user("owner"), make_user("stranger")
ADMINISTRATOR = make_user("administrator", role="admin")
MOMENT = now()
CONVERSATION = Conversation(id=new_id(), owner_id=OWNER.id, created_at=MOMENT, updated_at=MOMENT)
ELSEWHERE = new_id()


def share_of(conversation_id: str, *, live: bool = False, owner_id: str = OWNER.id) -> Share:
    return Share(
        id=new_id(),
        owner_id=owner_id,
        conversation_id=conversation_id,
        token_hash="0" * 64,
        live=live,
        until=MOMENT,
        created_at=MOMENT,
    )


def frozen_holder(*image_ids: str) -> Viewer:
    """Return the holder of a snapshot that names these pictures."""
    shown = SharedMessage(id=new_id(), role="user", images=image_ids, created_at=MOMENT)
    return Viewer(share=share_of(CONVERSATION.id).model_copy(update={"messages": (shown,), "image_ids": image_ids}))


def message_of(owner: User = OWNER, **fields: object) -> Message:
    return make_message(owner.id, **{"conversation_id": CONVERSATION.id, "created_at": MOMENT, **fields})


HOLDER = Viewer(share=share_of(CONVERSATION.id))
LIVE_HOLDER = Viewer(share=share_of(CONVERSATION.id, live=True))
OTHER_HOLDER = Viewer(share=share_of(ELSEWHERE, live=True))
LATER = MOMENT + timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("viewer", "sees"),
    [
        (Viewer(OWNER), True),
        (HOLDER, True),
        (OTHER_HOLDER, False),
        (Viewer(STRANGER), False),
        (Viewer(ADMINISTRATOR), False),
        (ANYBODY, False),
    ],
)
def test_a_conversation_is_seen_by_its_owner_and_by_holders_of_its_link(viewer: Viewer, sees: bool) -> None:
    assert can_view_conversation(viewer, CONVERSATION) is sees


@pytest.mark.parametrize(
    ("viewer", "fields", "sees"),
    [
        (Viewer(OWNER), {}, True),
        (Viewer(OWNER), {"conversation_id": None}, True),
        (Viewer(STRANGER), {}, False),
        (HOLDER, {}, True),
        (HOLDER, {"created_at": LATER}, False),
        (LIVE_HOLDER, {"created_at": LATER}, True),
        (OTHER_HOLDER, {}, False),
        (LIVE_HOLDER, {"owner": STRANGER}, False),
        (HOLDER, {"conversation_id": None}, False),
        (ANYBODY, {"conversation_id": None}, False),
    ],
)
def test_a_message_is_seen_by_its_owner_and_through_a_link_up_to_its_snapshot(
    viewer: Viewer, fields: dict[str, Any], sees: bool
) -> None:
    assert can_view_message(viewer, message_of(**fields)) is sees


def test_a_picture_is_seen_through_the_message_that_holds_or_attaches_it() -> None:
    image = make_image(OWNER.id)

    assert can_view_image(Viewer(OWNER), image, None)
    assert can_view_image(HOLDER, image, message_of(images=(image,)))
    assert can_view_image(HOLDER, image, message_of(attachments=(image.id,)))
    assert not can_view_image(HOLDER, image, message_of())
    assert not can_view_image(HOLDER, image, None)
    assert not can_view_image(Viewer(STRANGER), image, message_of(images=(image,)))


def test_a_frozen_share_shows_the_pictures_it_names_and_no_message() -> None:
    image, other = make_image(OWNER.id), make_image(OWNER.id)
    holder = frozen_holder(image.id)

    assert can_view_image(holder, image, None)
    assert not can_view_image(holder, other, message_of(images=(other,)))
    assert not can_view_message(holder, message_of())
    assert not can_view_conversation(holder, CONVERSATION)


def test_a_share_never_shows_a_picture_of_another_account() -> None:
    image = make_image(STRANGER.id)

    assert not can_view_image(frozen_holder(image.id), image, None)
    assert not can_view_image(LIVE_HOLDER, image, message_of(STRANGER, images=(image,)))


def test_attaching_somebody_elses_picture_shows_it_to_nobody() -> None:
    image = make_image(OWNER.id)
    forged = message_of(STRANGER, attachments=(image.id,))

    assert not can_view_image(Viewer(STRANGER), image, forged)
    assert not can_view_image(HOLDER, image, forged)


@pytest.mark.parametrize("viewer", [Viewer(OWNER), HOLDER, LIVE_HOLDER])
def test_a_picture_in_the_trash_is_seen_by_nobody(viewer: Viewer) -> None:
    image = make_image(OWNER.id, trashed_at=MOMENT)

    assert not can_view_image(viewer, image, message_of(images=(image,)))


def test_only_the_owner_changes_and_only_an_administrator_administers() -> None:
    viewers = [Viewer(OWNER), Viewer(ADMINISTRATOR), Viewer(STRANGER), HOLDER, ANYBODY]

    assert [can_change(viewer, OWNER.id) for viewer in viewers] == [True, False, False, False, False]
    assert [can_administer(viewer) for viewer in viewers] == [False, True, False, False, False]


people = st.sampled_from([OWNER, STRANGER, ADMINISTRATOR])
places = st.sampled_from([CONVERSATION.id, ELSEWHERE, None])
moments = st.sampled_from([MOMENT - timedelta(days=1), MOMENT, LATER, MOMENT + timedelta(days=1)])
shares = st.none() | st.builds(
    share_of,
    st.sampled_from([CONVERSATION.id, ELSEWHERE]),
    live=st.booleans(),
    owner_id=people.map(lambda person: person.id),
)
viewers = st.builds(Viewer, st.none() | people, shares)
images = st.builds(
    lambda owner, trashed: make_image(owner.id, trashed_at=MOMENT if trashed else None), people, st.booleans()
)


@settings(deadline=None)
@given(viewer=viewers, image=images, holder_owner=people, place=places, moment=moments, how=st.sampled_from("eax"))
def test_no_combination_lets_a_stranger_see(
    viewer: Viewer, image: Image, holder_owner: User, place: str | None, moment: object, how: str
) -> None:
    assume(not owns(viewer, image.owner_id))
    ways: dict[str, dict[str, object]] = {"e": {"images": (image,)}, "a": {"attachments": (image.id,)}, "x": {}}
    holder = message_of(holder_owner, conversation_id=place, created_at=moment, **ways[how])

    seen = can_view_image(viewer, image, holder)

    if seen:
        author_sees = holder.owner_id == image.owner_id
        share = viewer.share
        in_the_link = share is not None and holder.conversation_id == share.conversation_id
        in_the_snapshot = in_the_link and share is not None and (share.live or holder.created_at <= share.until)
        own_words = owns(viewer, holder.owner_id)
        assert author_sees
        assert image.trashed_at is None
        assert how != "x"
        assert in_the_snapshot
        assert not own_words


@settings(deadline=None)
@given(viewer=viewers, owner=people)
def test_a_link_never_gives_the_right_to_change(viewer: Viewer, owner: User) -> None:
    assert can_change(viewer, owner.id) == (viewer.user is not None and viewer.user.id == owner.id)
