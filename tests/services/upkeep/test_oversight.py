"""Administrators see the whole installation and no address of it; a failed copy can be tried again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ChatBot.errors import Conflict, NotFound, ProviderRefused, ProviderUnavailable
from ChatBot.models import User, new_id
from tests.services.workshop import ScriptedHost, Workshop, only_copy, picture, states

MakeWorkshop = Callable[..., Workshop]


def test_totals_count_what_is_kept_and_what_is_in_the_trash(workshop: Workshop, ann: User, bob: User) -> None:
    kept = workshop.upload(ann, picture(1))
    trashed = workshop.upload(bob, picture(2))
    workshop.gallery.trash(bob, trashed.id)
    workshop.threads.create(ann)

    totals = workshop.stewardship.oversight.overview().totals

    assert totals["users"] == 2
    assert totals["conversations"] == 1
    assert (totals["pictures"], totals["bytes"]) == (1, kept.size)
    assert (totals["trashed"], totals["trashed_bytes"]) == (1, trashed.size)
    assert totals["free_bytes"] > 0


def test_an_empty_installation_has_an_overview(workshop: Workshop) -> None:
    overview = workshop.stewardship.oversight.overview()

    assert overview.totals["pictures"] == 0
    assert (overview.outbox_depth, overview.oldest_owed_seconds) == (0, None)
    assert (overview.failures, overview.orphans, overview.hosts) == ((), (), ())


def test_hosts_are_counted_by_state_with_those_that_are_not_active_any_more(
    make_workshop: MakeWorkshop, ann: User
) -> None:
    make_workshop(hosts=(ScriptedHost("old"),)).upload(ann, picture(1))
    workshop = make_workshop(hosts=(ScriptedHost("new"),))
    workshop.upload(ann, picture(2))

    hosts = workshop.stewardship.oversight.overview().hosts

    assert [(host.name, host.active, host.copies) for host in hosts] == [
        ("new", True, {"verified": 1}),
        ("old", False, {"verified": 1}),
    ]
    assert hosts[0].condition.state == "ready"


def test_the_outbox_says_how_much_is_owed_and_for_how_long(make_workshop: MakeWorkshop, ann: User) -> None:
    host = ScriptedHost()
    host.down = ProviderUnavailable("down", provider="first")
    workshop = make_workshop(hosts=(host,))
    first = workshop.upload(ann, picture(1))
    workshop.upload(ann, picture(2))
    third = workshop.upload(ann, picture(3))
    workshop.gallery.trash(ann, third.id)

    overview = workshop.stewardship.oversight.overview()

    assert overview.outbox_depth == 2
    assert overview.oldest_owed_at == first.created_at
    assert overview.oldest_owed_seconds is not None
    assert overview.oldest_owed_seconds >= 0


def test_failures_name_their_reason_and_no_address(make_workshop: MakeWorkshop, ann: User) -> None:
    host = ScriptedHost()
    host.upload_errors = [
        ProviderRefused("no, see https://first.invalid/delete/secret", provider="first", reason="type")
    ]
    workshop = make_workshop(hosts=(host,))
    image = workshop.upload(ann)

    (failure,) = workshop.stewardship.oversight.overview().failures

    assert (failure.image_id, failure.host, failure.state) == (image.id, "first", "refused")
    assert failure.error == "no, see (address)"
    assert "://" not in failure.model_dump_json()


@pytest.mark.parametrize("error", ["refused", "down"])
def test_a_failed_copy_is_sent_again_when_asked(make_workshop: MakeWorkshop, ann: User, error: str) -> None:
    host = ScriptedHost()
    host.upload_errors = [
        ProviderRefused("wrong key", provider="first", reason="auth")
        if error == "refused"
        else ProviderUnavailable("busy", provider="first", retry_after_seconds=3600)
    ]
    workshop = make_workshop(hosts=(host,))
    image = workshop.upload(ann)
    due_before = workshop.replicator.work_once()

    workshop.stewardship.oversight.retry(image.id, "first")
    worked = workshop.replicator.work_once()

    assert (due_before, worked) == (False, True)
    assert states(workshop.image(image.id)) == {"first": "verified"}
    assert "asked_again" in [entry.what for entry in workshop.history.of(image.id)]


def test_a_suspect_copy_is_read_again_and_keeps_its_reference(make_workshop: MakeWorkshop, ann: User) -> None:
    host = ScriptedHost()
    host.alters = lambda _: picture(9, 32, 32)
    workshop = make_workshop(hosts=(host,))
    image = workshop.upload(ann)
    url = only_copy(workshop.image(image.id)).url
    host.pictures[str(url)] = workshop.path(image).read_bytes()

    workshop.stewardship.oversight.retry(image.id, "first")
    workshop.replicator.work_once()

    copy = only_copy(workshop.image(image.id))
    assert (copy.state, copy.url, host.uploads) == ("verified", url, 1)


def test_a_copy_that_did_not_fail_is_left_alone(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop(hosts=(ScriptedHost(),))
    image = workshop.upload(ann)
    before = workshop.image(image.id)

    with pytest.raises(Conflict):
        workshop.stewardship.oversight.retry(image.id, "first")
    with pytest.raises(NotFound):
        workshop.stewardship.oversight.retry(image.id, "another")
    with pytest.raises(NotFound):
        workshop.stewardship.oversight.retry(new_id(), "first")

    assert workshop.image(image.id) == before


def test_a_picture_that_is_gone_still_has_its_history(make_workshop: MakeWorkshop, ann: User) -> None:
    workshop = make_workshop(trash_days=0)
    image = workshop.upload(ann)
    workshop.gallery.trash(ann, image.id)
    located = workshop.images.find(image.id, trashed=True)
    assert located is not None
    workshop.deletion.purge(located)

    found, entries = workshop.stewardship.oversight.picture(image.id)

    assert found is None
    assert [entry.what for entry in entries] == ["purged", "trashed", "stored"]
    with pytest.raises(NotFound):
        workshop.stewardship.oversight.picture(new_id())
