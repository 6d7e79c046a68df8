"""A hard quota refuses new pictures, before anybody draws them, and lets no two requests share the last place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from ChatBot.db.usage import Hold
from ChatBot.errors import Cancelled, DatabaseUnavailable, QuotaExceeded
from ChatBot.generators.base import GenerationRequest
from ChatBot.models import Provenance, User, now
from ChatBot.services.pictures.quota import Quota
from ChatBot.services.upkeep.stewardship import Limits
from tests.services.workshop import ScriptedGenerator, Workshop, at_once, make_image, make_message, picture

MakeWorkshop = Callable[..., Workshop]


def kept(workshop: Workshop, user: User) -> int:
    return workshop.stewardship.quota.used(user.id).images


def test_a_picture_beyond_the_limit_is_refused_by_the_name_of_the_limit(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop(limits=Limits(images_per_user=2))
    workshop.upload(ann, picture(1))
    workshop.upload(ann, picture(2))
    files = workshop.stored_files()

    with pytest.raises(QuotaExceeded, match=r"2 of at most 2 pictures.*IMAGE_PER_USER_LIMIT"):
        workshop.upload(ann, picture(3))

    assert kept(workshop, ann) == 2
    assert workshop.stored_files() == files


def test_bytes_beyond_the_limit_are_refused_by_the_name_of_the_limit(make_workshop: MakeWorkshop, ann: User) -> None:
    size = make_workshop().upload(ann, picture(1)).size
    workshop = make_workshop(limits=Limits(bytes_per_user=size + size // 2))

    with pytest.raises(QuotaExceeded, match="USER_QUOTA_MB"):
        workshop.upload(ann, picture(2))

    assert kept(workshop, ann) == 1


def test_quotas_are_per_account(make_workshop: MakeWorkshop, ann: User, bob: User) -> None:
    workshop = make_workshop(limits=Limits(images_per_user=1))
    workshop.upload(ann)

    workshop.upload(bob)

    assert (kept(workshop, ann), kept(workshop, bob)) == (1, 1)


def test_no_generator_is_asked_for_a_picture_that_cannot_be_kept(make_workshop: MakeWorkshop, ann: User) -> None:
    generator = ScriptedGenerator()
    workshop = make_workshop(generator=generator, limits=Limits(images_per_user=1))
    workshop.draw(ann)

    with pytest.raises(QuotaExceeded):
        workshop.generation.start(ann, None, GenerationRequest("a second fox"))

    assert len(generator.requests) == 1


def test_a_request_for_more_pictures_than_there_is_room_for_is_refused_whole(
    make_workshop: MakeWorkshop, ann: User
) -> None:
    workshop = make_workshop(limits=Limits(images_per_user=3))

    with pytest.raises(QuotaExceeded):
        workshop.generation.start(ann, None, GenerationRequest("foxes", count=4))


def test_of_many_requests_at_the_same_moment_only_as_many_as_fit_are_kept(
    make_workshop: MakeWorkshop, ann: User
) -> None:
    workshop = make_workshop(limits=Limits(images_per_user=3))

    results = at_once(lambda number: workshop.upload(ann, picture(number)), 8)

    refused = [result for result in results if isinstance(result, QuotaExceeded)]
    assert len(refused) == 5, results
    assert kept(workshop, ann) == 3
    assert len([name for name in workshop.stored_files() if name.endswith(".png")]) == 3


def test_a_picture_that_was_paid_for_and_found_no_room_is_kept_for_a_second_try(
    make_workshop: MakeWorkshop, ann: User
) -> None:
    generator = ScriptedGenerator()
    workshop = make_workshop(generator=generator, limits=Limits(images_per_user=1))
    generator.gate.clear()
    answer = workshop.generation.start(ann, None, GenerationRequest("a fox"))
    assert generator.begun.wait(30)
    taken = workshop.upload(ann, picture(5))

    generator.gate.set()
    refused = workshop.settled(answer)
    workshop.gallery.trash(ann, taken.id)
    again = workshop.chat.regenerate(ann, str(refused.conversation_id), refused.id)
    answered = workshop.settled(again)

    assert (refused.status, refused.over_quota, refused.images) == ("failed", True, ())
    assert "IMAGE_PER_USER_LIMIT" in (refused.error or "")
    assert answered.status == "complete"
    assert len(answered.images) == 1
    assert len(generator.requests) == 1


def test_the_trash_makes_room_and_what_comes_back_from_it_counts_again(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop(limits=Limits(images_per_user=1))
    first = workshop.upload(ann, picture(1))
    workshop.gallery.trash(ann, first.id)
    second = workshop.upload(ann, picture(2))

    workshop.gallery.untrash(ann, first.id)

    assert kept(workshop, ann) == 2
    workshop.gallery.trash(ann, second.id)
    with pytest.raises(QuotaExceeded):
        workshop.upload(ann, picture(3))


def test_room_of_a_refused_write_is_given_back(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop(limits=Limits(images_per_user=1))
    stopped = make_message(ann.id, status="cancelled")
    workshop.messages.add(stopped)
    staged = workshop.handler.stage(picture(1), Provenance(owner_id=ann.id, generated=True))

    with pytest.raises(Cancelled):
        workshop.handler.commit(stopped.id, [staged])

    counter = workshop.database["usage"].find_one({"_id": ann.id})
    assert counter is not None
    assert (counter["images"], counter["holds"]) == (0, [])


def test_room_stays_held_while_the_outcome_of_a_write_is_unknown(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop(limits=Limits(images_per_user=1))

    with pytest.raises(DatabaseUnavailable), workshop.stewardship.quota.room_for([make_image(ann.id)]):
        raise DatabaseUnavailable("no answer")

    with pytest.raises(QuotaExceeded):
        workshop.upload(ann)


def test_room_that_a_dead_process_held_comes_back(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop(limits=Limits(images_per_user=1))
    usage = workshop.repositories.usage
    usage.recount(ann.id, now())
    usage.hold_anyway(ann.id, Hold.of({"a" * 32: 1}).model_copy(update={"until": now() - timedelta(seconds=1)}))

    workshop.upload(ann)

    assert kept(workshop, ann) == 1


def test_a_picture_whose_hold_was_never_let_go_is_counted_once(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop(limits=Limits(images_per_user=2))
    usage = workshop.repositories.usage
    image = workshop.upload(ann, picture(1))
    usage.hold_anyway(ann.id, Hold.of({image.id: image.size}))

    workshop.upload(ann, picture(2))

    assert kept(workshop, ann) == 2


def test_a_count_is_given_up_when_the_numbers_changed_meanwhile(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop(limits=Limits(images_per_user=5))
    usage = workshop.repositories.usage
    usage.recount(ann.id, now())
    real = usage.count

    def count_late(owner_id: str, without: list[str]) -> object:
        found = real(owner_id, without)
        usage.hold_anyway(owner_id, Hold.of({"b" * 32: 7}))
        return found

    usage.count = count_late  # type: ignore[assignment,method-assign] # another request comes in between
    try:
        written = usage.recount(ann.id, now())
    finally:
        del usage.count

    assert not written


def test_counts_from_a_time_without_limits_are_not_trusted(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop()
    workshop.repositories.usage.recount(ann.id, now() - timedelta(minutes=1))
    workshop.upload(ann)

    quota = Quota(workshop.repositories.usage, max_images=1)

    with pytest.raises(QuotaExceeded):
        quota.require_room(ann.id)


def test_without_limits_nothing_is_counted(workshop: Workshop, ann: User) -> None:
    workshop.upload(ann)

    assert workshop.database["usage"].count_documents({}) == 0
