"""Disk use is measured from the files, once per stretch of time for all processes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from ChatBot.db.samples import Sample
from ChatBot.errors import ProviderUnavailable
from ChatBot.models import User, now
from tests.services.workshop import ScriptedHost, Workshop, wide_picture

MakeWorkshop = Callable[..., Workshop]


def test_a_measurement_says_what_lies_on_the_disk_and_what_is_owed(make_workshop: MakeWorkshop, ann: User) -> None:
    host = ScriptedHost()
    host.down = ProviderUnavailable("down", provider="first")
    workshop = make_workshop(hosts=(host,))
    image = workshop.upload(ann, wide_picture())

    taken = workshop.stewardship.disk_use.sample()

    (sample,) = workshop.repositories.samples.since(now() - timedelta(days=1), 600)
    assert taken == 1
    assert sample.originals_bytes == workshop.path(image).stat().st_size
    assert sample.thumbnails_bytes > 0
    assert sample.free_bytes > 0
    assert sample.outbox_depth == 1


def test_one_stretch_of_time_has_one_measurement(make_workshop: MakeWorkshop) -> None:
    first, second = make_workshop(), make_workshop()
    at = now().replace(minute=0, second=0, microsecond=0)
    sample = Sample(at=at, originals_bytes=1, thumbnails_bytes=1, free_bytes=1, outbox_depth=0)

    kept = [each.repositories.samples.add(sample) for each in (first, second)]

    assert kept == [True, False]
    assert first.database["samples"].count_documents({}) == 1


def test_a_long_stretch_is_thinned_out_to_its_last_measurements(workshop: Workshop) -> None:
    start = now().replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
    for number in range(24):
        at = start + timedelta(minutes=10 * number)
        workshop.repositories.samples.add(
            Sample(at=at, originals_bytes=number, thumbnails_bytes=0, free_bytes=0, outbox_depth=0)
        )

    thinned = workshop.repositories.samples.since(start, 3600)

    assert [sample.originals_bytes for sample in thinned] == [5, 11, 17, 23]


def test_measurements_are_removed_by_the_server_after_90_days(workshop: Workshop) -> None:
    indexes = workshop.database["samples"].index_information().values()

    assert [index["expireAfterSeconds"] for index in indexes if "expireAfterSeconds" in index] == [90 * 24 * 3600]
