"""The soft limit evicts what nobody looks at, and only what is proved to be safe elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from ChatBot.errors import ProviderUnavailable, SettingsError
from ChatBot.media.volume import VolumeMark
from ChatBot.models import Image, User, now
from ChatBot.services.upkeep.retention import KEPT_IN_A_ROW
from ChatBot.services.upkeep.stewardship import Limits
from ChatBot.services.upkeep.volume import Volume
from tests.services.workshop import TRAITS, ScriptedHost, Workshop, picture, re_encoded

MakeWorkshop = Callable[..., Workshop]


def with_pictures(make_workshop: MakeWorkshop, owner: User, count: int, host: ScriptedHost) -> list[Image]:
    """Return pictures that have a copy on the host and a local file, oldest first."""
    workshop = make_workshop(hosts=(host,))
    mark_volume(workshop)
    return [workshop.image(workshop.upload(owner, picture(number)).id) for number in range(count)]


def mark_volume(workshop: Workshop) -> None:
    Volume(VolumeMark(workshop.root), workshop.repositories.marks).begin()


def limited(make_workshop: MakeWorkshop, host: ScriptedHost, local_bytes: int) -> Workshop:
    return make_workshop(hosts=(host,), limits=Limits(local_bytes=local_bytes))


def present(workshop: Workshop, images: list[Image]) -> list[bool]:
    """Say of each picture whether its file is there; the documents must agree."""
    found = [workshop.path(image).exists() for image in images]
    assert found == [workshop.image(image.id).local == "present" for image in images]
    return found


def test_the_longest_unseen_go_until_the_rest_fits(make_workshop: MakeWorkshop, ann: User) -> None:
    host = ScriptedHost()
    images = with_pictures(make_workshop, ann, 4, host)
    workshop = limited(make_workshop, host, sum(image.size for image in images) - 1)
    days = [now() - timedelta(days=number) for number in (9, 30, 1, 12)]
    for image, day in zip(images, days, strict=True):
        workshop.repositories.views.mark([image.id], day)

    evicted = workshop.stewardship.retention.evict_least_viewed()

    assert evicted == 1
    assert present(workshop, images) == [True, False, True, True]
    entry = workshop.history.of(images[1].id)[0]
    assert (entry.what, entry.detail) == ("evicted", "LOCAL_MAX_MB")


def test_a_picture_that_was_never_seen_is_as_old_as_itself(make_workshop: MakeWorkshop, ann: User) -> None:
    host = ScriptedHost()
    images = with_pictures(make_workshop, ann, 2, host)
    workshop = limited(make_workshop, host, images[0].size + images[1].size - 1)
    workshop.repositories.views.mark([images[0].id], now() + timedelta(days=1))

    workshop.stewardship.retention.evict_least_viewed()

    assert present(workshop, images) == [True, False]


def test_an_evicted_picture_is_shown_again_from_its_copy(make_workshop: MakeWorkshop, ann: User) -> None:
    host = ScriptedHost()
    (image,) = with_pictures(make_workshop, ann, 1, host)
    workshop = limited(make_workshop, host, 1)
    workshop.stewardship.retention.evict_least_viewed()

    with workshop.resolver.open(workshop.image(image.id)).file as file:
        data = file.read()

    assert len(data) == image.size
    assert workshop.image(image.id).local == "present"


@pytest.mark.parametrize("trouble", ["wrong bytes", "gone", "down", "untrusted"])
def test_without_a_copy_that_is_proved_in_this_run_nothing_goes(
    make_workshop: MakeWorkshop, ann: User, trouble: str
) -> None:
    host = ScriptedHost()
    images = with_pictures(make_workshop, ann, 1, host)
    workshop = limited(make_workshop, host, 1)
    if trouble == "wrong bytes":
        host.pictures = {url: re_encoded(data) for url, data in host.pictures.items()}
    elif trouble == "gone":
        host.pictures = {}
    elif trouble == "down":
        host.down = ProviderUnavailable("down", provider="first")
    else:
        host.traits = TRAITS.__class__(**{**vars(TRAITS), "trusted": False})

    evicted = workshop.stewardship.retention.evict_least_viewed()

    assert evicted == 0
    assert present(workshop, images) == [True]


def test_favourites_and_what_an_open_share_shows_stay(make_workshop: MakeWorkshop, ann: User) -> None:
    host = ScriptedHost()
    (favourite,) = with_pictures(make_workshop, ann, 1, host)
    workshop = limited(make_workshop, host, 1)
    workshop.gallery.describe(ann, favourite.id, favourite=True)
    message = workshop.draw(ann)
    workshop.sharing.create(ann, str(message.conversation_id))

    workshop.stewardship.retention.evict_least_viewed()

    assert present(workshop, [favourite, *message.images]) == [True, True]


def test_a_host_that_is_down_is_not_asked_for_every_picture(make_workshop: MakeWorkshop, ann: User) -> None:
    host = ScriptedHost()
    with_pictures(make_workshop, ann, KEPT_IN_A_ROW + 5, host)
    workshop = limited(make_workshop, host, 1)
    host.down = ProviderUnavailable("down", provider="first")
    asked = host.fetches

    workshop.stewardship.retention.evict_least_viewed()

    assert host.fetches - asked == KEPT_IN_A_ROW


def test_what_fits_is_left_alone_and_no_host_is_asked(make_workshop: MakeWorkshop, ann: User) -> None:
    host = ScriptedHost()
    images = with_pictures(make_workshop, ann, 2, host)
    asked = host.fetches

    roomy = limited(make_workshop, host, 10_000_000).stewardship.retention.evict_least_viewed()
    unlimited = limited(make_workshop, host, 0).stewardship.retention.evict_least_viewed()

    assert (roomy, unlimited) == (0, 0)
    assert host.fetches == asked
    assert present(make_workshop(hosts=(host,)), images) == [True, True]


def test_nothing_is_evicted_from_a_folder_of_another_database(make_workshop: MakeWorkshop, ann: User) -> None:
    host = ScriptedHost()
    images = with_pictures(make_workshop, ann, 1, host)
    workshop = limited(make_workshop, host, 1)
    workshop.database["marks"].delete_many({})

    with pytest.raises(SettingsError):
        workshop.stewardship.retention.evict_least_viewed()

    assert workshop.path(images[0]).exists()
