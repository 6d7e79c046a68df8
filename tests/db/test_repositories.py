"""Every repository on the real server: what it stores comes back, and each change happens once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pymongo.database import Database

from ChatBot.db.images import PAGE
from ChatBot.db.messages import HAS_IMAGES
from ChatBot.db.repositories import Repositories
from ChatBot.errors import Conflict, InputError
from ChatBot.models import Conversation, Copy, Image, Message, Share, Token, new_id, now
from ChatBot.sentence import Sentence
from tests.services.workshop import at_once, make_image, make_message, make_user

MOMENT = now()
LATER, EARLIER = MOMENT + timedelta(hours=1), MOMENT - timedelta(hours=1)


@pytest.fixture
def kept(repositories: Repositories) -> Repositories:
    return repositories


def with_image(kept: Repositories, **fields: Any) -> Image:
    """Store a message with one picture and return the picture."""
    image = make_image(**fields)
    kept.messages.add(make_message(image.owner_id, images=(image,), created_at=image.created_at))
    return image


def image_of(kept: Repositories, image_id: str) -> Image:
    located = kept.images.find(image_id, trashed=True)
    assert located is not None
    return located.image


# --- users, tokens, sessions ----------------------------------------------------------------------------------------


def test_an_account_comes_back_as_it_was(kept: Repositories) -> None:
    user = make_user("ann")

    kept.users.add(user)

    assert kept.users.get(user.id) == kept.users.by_name("ann") == user
    assert kept.users.get(new_id()) is None
    assert kept.users.by_name("bob") is None


def test_a_name_is_stored_once(kept: Repositories) -> None:
    results = at_once(lambda _: kept.users.add(make_user("ann")), 6)

    assert sum(isinstance(result, Conflict) for result in results) == 5
    assert kept.users.count() == 1


def test_exactly_one_account_is_ever_the_first(kept: Repositories) -> None:
    users = [make_user(f"user {number}") for number in range(8)]
    for user in users:
        kept.users.add(user)

    claims = at_once(lambda number: kept.users.claim_first(users[number].id), 8)

    assert sorted(claims) == [False] * 7 + [True]
    roles = [kept.users.get(user.id).role for user in users]  # type: ignore[union-attr] # they were just added
    assert roles.count("admin") == 1
    assert claims[roles.index("admin")] is True


def test_the_first_stays_the_first_when_it_asks_again(kept: Repositories) -> None:
    first, second = make_user("first"), make_user("second")
    kept.users.add(first)
    kept.users.add(second)

    assert [kept.users.claim_first(each.id) for each in (first, second, first)] == [True, False, True]


def test_a_token_is_used_by_its_hash_and_removed_by_its_owner_only(kept: Repositories) -> None:
    token = Token(id=new_id(), owner_id=new_id(), name="t", token_hash="a" * 64, created_at=MOMENT)
    kept.tokens.add(token)

    used = kept.tokens.use("a" * 64)

    assert used is not None
    assert used.id == token.id
    assert kept.tokens.use("b" * 64) is None
    assert kept.tokens.of(token.owner_id)[0].last_used_at is not None
    assert not kept.tokens.remove(token.id, new_id())
    assert kept.tokens.remove(token.id, token.owner_id)
    assert kept.tokens.use("a" * 64) is None


def test_a_session_lives_until_its_time_or_its_removal(kept: Repositories) -> None:
    kept.sessions.begin("a", {"x": 1}, None, LATER)
    kept.sessions.renew("a", {"x": 2}, "ann", LATER)
    kept.sessions.begin("b", {}, "ann", LATER)

    assert kept.sessions.load("a", MOMENT) == {"x": 2}
    assert kept.sessions.load("a", LATER) is None
    kept.sessions.remove("a")
    assert kept.sessions.load("a", MOMENT) is None
    assert kept.sessions.remove_of("ann") == 1
    assert kept.sessions.load("b", MOMENT) is None


# --- conversations and shares ---------------------------------------------------------------------------------------


def conversation(owner_id: str, **fields: Any) -> Conversation:
    return Conversation(**{"id": new_id(), "owner_id": owner_id, "created_at": MOMENT, "updated_at": MOMENT, **fields})


def test_pages_of_conversations_skip_and_repeat_nothing_within_one_millisecond(kept: Repositories) -> None:
    owner = new_id()
    made = [conversation(owner) for _ in range(7)]
    for each in made:
        kept.conversations.add(each)
    kept.conversations.add(conversation(new_id()))
    seen: list[Conversation] = []

    while page := kept.conversations.of(owner, 3, (seen[-1].updated_at, seen[-1].id) if seen else None):
        seen += page

    assert sorted(each.id for each in seen) == sorted(each.id for each in made)


def test_a_touched_conversation_moves_to_the_top(kept: Repositories) -> None:
    owner = new_id()
    old, new = conversation(owner, updated_at=EARLIER), conversation(owner, updated_at=MOMENT)
    kept.conversations.add(old)
    kept.conversations.add(new)

    kept.conversations.touch(old.id)

    assert [each.id for each in kept.conversations.of(owner, 10)] == [old.id, new.id]
    kept.conversations.set_title(old.id, "renamed")
    assert kept.conversations.get(old.id).title == "renamed"  # type: ignore[union-attr] # it was just read
    kept.conversations.remove(old.id)
    assert kept.conversations.get(old.id) is None


def share(**fields: Any) -> Share:
    wanted = {
        "id": new_id(),
        "owner_id": new_id(),
        "conversation_id": new_id(),
        "token_hash": new_id() * 2,
        "until": MOMENT,
        "created_at": MOMENT,
    }
    return Share(**{**wanted, **fields})


def test_a_share_opens_until_it_expires_or_is_revoked(kept: Repositories) -> None:
    timed, forever = share(expires_at=LATER), share()
    kept.shares.add(timed)
    kept.shares.add(forever)

    assert kept.shares.open(timed.token_hash, LATER - timedelta(milliseconds=1)) is not None
    assert kept.shares.open(timed.token_hash, LATER) is None
    assert not kept.shares.revoke(forever.id, new_id())
    assert kept.shares.revoke(forever.id, forever.owner_id)
    assert not kept.shares.revoke(forever.id, forever.owner_id)
    assert kept.shares.open(forever.token_hash, MOMENT) is None


def test_closing_a_conversation_closes_its_shares_only(kept: Repositories) -> None:
    hers, other = share(), share()
    kept.shares.add(hers)
    kept.shares.add(other)

    kept.shares.revoke_of(hers.conversation_id)

    assert [each.id for each in kept.shares.each_open(MOMENT)] == [other.id]


# --- messages -------------------------------------------------------------------------------------------------------


def test_a_message_with_its_pictures_comes_back_as_it_was(kept: Repositories) -> None:
    copy = Copy(host="first", state="verified", url="https://first.invalid/a", uploaded_at=MOMENT)
    image = make_image(tags=("a", "b"), copies=(copy,), metadata={"dotted.key": "$value"})
    message = make_message(image.owner_id, images=(image,), request={"seed": 2**32 - 1}, attachments=(new_id(),))

    kept.messages.add(message)

    assert kept.messages.get(message.id) == message


def test_text_that_cannot_be_stored_is_an_input_error(kept: Repositories) -> None:
    with pytest.raises(InputError):
        kept.messages.add(make_message(content="\ud800"))


def test_messages_come_oldest_first_up_to_a_moment(kept: Repositories) -> None:
    place = new_id()
    times = (LATER, EARLIER, MOMENT)
    made = {at: make_message(conversation_id=place, created_at=at) for at in times}
    kept.messages.add(*made.values(), make_message(created_at=MOMENT))

    assert [each.id for each in kept.messages.of(place)] == [made[at].id for at in sorted(times)]
    assert [each.id for each in kept.messages.of(place, MOMENT)] == [made[EARLIER].id, made[MOMENT].id]


def test_an_idempotency_key_is_used_once_and_nothing_of_the_second_write_stays(kept: Repositories) -> None:
    owner = new_id()

    def ask(_: int) -> Message:
        answer, question = make_message(owner, idempotency_key="k"), make_message(owner)
        kept.messages.add(answer, question)
        return answer

    results = at_once(ask, 8)

    (written,) = [result for result in results if isinstance(result, Message)]
    assert sum(isinstance(result, Conflict) for result in results) == 7
    assert kept.messages.by_key(owner, "k") == written
    assert kept.messages.totals()["messages"] == 2
    assert kept.messages.by_key(new_id(), "k") is None


def test_a_message_is_settled_by_exactly_one(kept: Repositories) -> None:
    message = make_message(status="streaming")
    kept.messages.add(message)

    results = at_once(lambda number: kept.messages.settle(message.id, "complete", content=str(number)), 8)

    (won,) = [result for result in results if result is not None]
    assert kept.messages.get(message.id).content == won.content  # type: ignore[union-attr] # it was just added


def test_settling_adds_pictures_in_the_same_write(kept: Repositories) -> None:
    message = make_message(status="streaming", images=(make_image(),))
    kept.messages.add(message)

    settled = kept.messages.settle(message.id, "complete", images=[make_image(), make_image()])

    assert settled is not None
    assert (len(settled.images), settled.status) == (3, "complete")


def test_the_reason_of_a_failure_is_kept_with_its_values(kept: Repositories) -> None:
    message = make_message(status="streaming")
    kept.messages.add(message)

    settled = kept.messages.settle(message.id, "failed", error=Sentence("At most %(most)s.", most=3))

    assert settled is not None
    assert settled.error == "At most 3."
    assert settled.error.values == {"most": 3}
    assert kept.messages.get(message.id) == settled


def test_the_text_of_a_settled_message_no_longer_changes(kept: Repositories) -> None:
    message = make_message(status="streaming")
    kept.messages.add(message)
    kept.messages.set_content(message.id, "so far")
    kept.messages.settle(message.id, "cancelled")

    kept.messages.set_content(message.id, "too late")

    assert kept.messages.get(message.id).content == "so far"  # type: ignore[union-attr] # it was just added


def test_an_abandoned_answer_is_adopted_by_exactly_one(kept: Repositories) -> None:
    message = make_message(status="queued")
    kept.messages.add(message)
    owners = [new_id() for _ in range(6)]

    adopted = at_once(lambda number: kept.messages.adopt(owners[number], LATER, MOMENT), 6)

    assert [each.id for each in adopted if each] == [message.id]


def test_an_answer_whose_lease_runs_is_not_adopted(kept: Repositories) -> None:
    message = make_message(status="queued")
    kept.messages.add(message)
    assert kept.messages.begin(message.id, new_id(), LATER)

    assert kept.messages.adopt(new_id(), LATER, MOMENT) is None
    assert kept.messages.adopt(new_id(), LATER + timedelta(hours=1), LATER) is not None


def test_detached_messages_keep_their_pictures_and_lose_their_words(kept: Repositories) -> None:
    drawn, said = make_message(images=(make_image(),)), make_message(content="words")
    kept.messages.add(drawn, said)

    kept.messages.detach([drawn.id, said.id])

    assert kept.messages.get(said.id) is None
    assert kept.messages.get(drawn.id).conversation_id is None  # type: ignore[union-attr] # it has a picture


def test_pages_of_the_gallery_skip_and_repeat_nothing(kept: Repositories) -> None:
    owner = new_id()
    made = [with_image(kept, owner_id=owner, created_at=MOMENT) for _ in range(7)]
    with_image(kept, owner_id=owner, trashed_at=MOMENT)
    with_image(kept)
    seen: list[Message] = []

    while page := kept.messages.gallery(owner, 3, (seen[-1].created_at, seen[-1].id) if seen else None):
        seen += page

    assert sorted(each.images[0].id for each in seen) == sorted(each.id for each in made)


# --- images ---------------------------------------------------------------------------------------------------------


def test_one_picture_id_is_in_one_message_only(kept: Repositories) -> None:
    image = with_image(kept)

    with pytest.raises(Conflict):
        kept.messages.add(make_message(images=(image,)))


def test_a_trashed_picture_is_found_only_when_asked_for(kept: Repositories) -> None:
    live, trashed = with_image(kept), with_image(kept, trashed_at=MOMENT)

    assert kept.images.find(trashed.id) is None
    assert kept.images.find(trashed.id, trashed=True) is not None
    assert [each.image.id for each in kept.images.find_many([trashed.id, live.id, new_id()])] == [live.id]
    assert kept.images.known_ids([trashed.id, live.id, new_id()]) == {trashed.id, live.id}


def test_pictures_are_found_in_the_order_they_were_asked_for(kept: Repositories) -> None:
    made = [with_image(kept).id for _ in range(4)]

    assert [each.image.id for each in kept.images.find_many(made[::-1])] == made[::-1]


def test_the_local_state_moves_from_the_expected_one_only(kept: Repositories) -> None:
    first, second = make_image(), make_image()
    kept.messages.add(make_message(images=(first, second)))

    moved = at_once(lambda _: kept.images.set_local(second.id, "present", "evicted"), 6)

    assert moved.count(True) == 1
    assert (image_of(kept, first.id).local, image_of(kept, second.id).local) == ("present", "evicted")


def test_a_picture_goes_into_the_trash_and_out_of_it_once(kept: Repositories) -> None:
    image = with_image(kept)

    assert at_once(lambda _: kept.images.trash(image.id), 4).count(True) == 1
    assert at_once(lambda _: kept.images.untrash(image.id), 4).count(True) == 1
    assert image_of(kept, image.id).trashed_at is None


def test_going_through_all_pictures_repeats_and_skips_none_across_pages_of_one_millisecond(kept: Repositories) -> None:
    owner_id = new_id()
    images = [make_image(owner_id) for _ in range(PAGE + 5)]
    kept.messages.add(*(make_message(owner_id=owner_id, images=(image,), created_at=MOMENT) for image in images))

    found = [located.image.id for located in kept.images.each(owner_id)]

    assert sorted(found) == sorted(image.id for image in images)


def test_going_through_all_pictures_is_served_by_an_index(kept: Repositories) -> None:
    collection = kept.images._collection

    plan = collection.find(HAS_IMAGES).sort([("created_at", 1), ("_id", 1)]).explain()["queryPlanner"]["winningPlan"]

    assert "'SORT'" not in str(plan)
    assert "by_age" in str(plan)


def call_one_of(acts: Sequence[Callable[[], object]], number: int) -> object:
    return acts[number]()


def test_a_picture_is_either_taken_back_or_purged_never_both(kept: Repositories) -> None:
    for _ in range(10):
        image = with_image(kept, trashed_at=MOMENT)
        acts: list[Callable[[], object]] = [
            partial(kept.images.untrash, image.id),
            partial(kept.images.begin_purge, image, LATER),
        ]

        taken_back, purging = at_once(partial(call_one_of, acts), 2)

        assert bool(taken_back) != (purging is not None)
        assert (image_of(kept, image.id).trashed_at is None) is bool(taken_back)


def test_only_a_trashed_picture_is_removed(kept: Repositories) -> None:
    live, trashed = make_image(), make_image(trashed_at=MOMENT)
    message = make_message(images=(live, trashed))
    kept.messages.add(message)

    kept.images.remove(live.id)
    kept.images.remove(trashed.id)

    assert [image.id for image in kept.messages.get(message.id).images] == [live.id]  # type: ignore[union-attr]


def owed(**fields: Any) -> Copy:
    return Copy(**{"host": "first", "state": "retry", "next_at": EARLIER, **fields})


@pytest.mark.parametrize(
    ("copy", "due"),
    [
        (owed(), True),
        (owed(state="pending"), True),
        (owed(state="uploaded"), True),
        (owed(next_at=MOMENT), True),
        (owed(next_at=LATER), False),
        (owed(next_at=None), False),
        (owed(state="leased", lease_owner="a" * 32, lease_until=EARLIER), True),
        (owed(state="leased", lease_owner="a" * 32, lease_until=LATER), False),
        (owed(state="verified"), False),
        (owed(state="refused"), False),
        (owed(state="suspect"), False),
        (owed(state="gone"), False),
        (owed(state="deleting"), False),
    ],
)
def test_a_copy_is_due_by_its_state_and_its_time(kept: Repositories, copy: Copy, due: bool) -> None:
    image = with_image(kept, copies=(copy,))

    lease = kept.images.lease_due("b" * 32, 60, MOMENT)

    assert (lease is not None) is due
    assert lease is None or (lease.located.image.id, lease.host) == (image.id, "first")


def test_a_due_copy_is_leased_by_exactly_one_even_of_the_same_process(kept: Repositories) -> None:
    with_image(kept, copies=(owed(state="leased", lease_owner="b" * 32, lease_until=EARLIER),))

    leases = at_once(lambda _: kept.images.lease_due("b" * 32, 60, MOMENT), 8)

    assert sum(lease is not None for lease in leases) == 1


def test_a_stale_lease_no_longer_writes(kept: Repositories) -> None:
    image = with_image(kept, copies=(owed(),))
    first = kept.images.lease_due("b" * 32, 60, MOMENT)
    second = kept.images.lease_due("b" * 32, 60, LATER)
    assert first is not None
    assert second is not None

    late = kept.images.set_copy(image.id, first.located.image.copies[0], owed(state="refused"))
    fresh = kept.images.set_copy(image.id, second.located.image.copies[0], owed(state="verified"))

    assert (late, fresh) == (False, True)
    assert image_of(kept, image.id).copies[0].state == "verified"


def test_the_due_copies_of_one_picture_can_be_asked_for_alone(kept: Repositories) -> None:
    neighbour, image = make_image(copies=(owed(),)), make_image(copies=(owed(),))
    kept.messages.add(make_message(images=(neighbour, image)))

    leases = [kept.images.lease_due("b" * 32, 60, MOMENT, image.id) for _ in range(2)]

    assert [lease and lease.located.image.id for lease in leases] == [image.id, None]
    assert kept.images.due(MOMENT, 10) == [neighbour.id]


def test_copies_of_trashed_pictures_are_not_due(kept: Repositories) -> None:
    for number in range(25):  # their ids sort first, so that every index shows them first
        with_image(kept, id=f"{number:032x}", trashed_at=MOMENT, copies=(owed(),))
    live = with_image(kept, copies=(owed(),))

    lease = kept.images.lease_due("b" * 32, 60, MOMENT)

    assert lease is not None
    assert lease.located.image.id == live.id
    assert kept.images.due(MOMENT, 10) == []
    assert kept.images.lease_due("b" * 32, 60, MOMENT) is None


def test_a_change_of_one_copy_leaves_its_neighbours_alone(kept: Repositories) -> None:
    image = make_image(copies=(owed(), owed(host="second")))
    other = make_image(copies=(owed(),))
    kept.messages.add(make_message(images=(other, image)))

    kept.images.set_copy(image.id, image.copies[1], owed(host="second", state="refused"))

    assert [copy.state for copy in image_of(kept, image.id).copies] == ["retry", "refused"]
    assert [copy.state for copy in image_of(kept, other.id).copies] == ["retry"]


def test_a_host_has_one_copy_of_a_picture(kept: Repositories) -> None:
    image = with_image(kept)

    added = at_once(lambda _: kept.images.add_copy(image.id, owed()), 6)

    assert added.count(True) == 1
    assert len(image_of(kept, image.id).copies) == 1


def test_copies_are_counted_by_host_and_state(kept: Repositories) -> None:
    with_image(kept, copies=(owed(), owed(host="second", state="verified")))
    with_image(kept, copies=(owed(),))

    assert kept.images.copies_by_state() == [
        {"host": "first", "state": "retry", "count": 2},
        {"host": "second", "state": "verified", "count": 1},
    ]


# --- events and tombstones ------------------------------------------------------------------------------------------


def test_entries_get_one_number_each_from_many_threads(kept: Repositories) -> None:
    place = new_id()

    events = at_once(lambda number: kept.events.append(place, "entry", {"number": number}), 8)

    assert sorted(event.seq for event in events) == list(range(1, 9))
    assert [event.seq for event in kept.events.after(place, 3)] == [4, 5, 6, 7, 8]
    assert [event.seq for event in kept.events.after(place, 3, limit=2)] == [4, 5]
    assert kept.events.last_seq(place) == 8


def test_a_forgotten_conversation_has_no_entries(kept: Repositories) -> None:
    place, other = new_id(), new_id()
    kept.events.append(place, "entry", {})
    kept.events.append(other, "entry", {})

    kept.events.remove_of(place)

    assert (kept.events.after(place, 0), kept.events.last_seq(place)) == ([], 0)
    assert kept.events.last_seq(other) == 1


def test_a_tombstone_keeps_its_first_time_and_says_little(
    kept: Repositories, emptied_database: Database[dict[str, Any]]
) -> None:
    image = make_image(prompt="a secret", original_name="secret.png")
    kept.tombstones.add(image)
    first = emptied_database["tombstones"].find_one()

    kept.tombstones.add(image)

    assert first is not None
    assert emptied_database["tombstones"].find_one() == first
    assert "secret" not in str(first)
    assert kept.tombstones.among([image.id, new_id()]) == {image.id}
