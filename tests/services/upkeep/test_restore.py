"""Bringing local files back from their copies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from ChatBot.errors import BytesMissing, SettingsError
from ChatBot.media.paths import StoragePaths
from ChatBot.models import Image, User
from ChatBot.services.upkeep.wiring import Upkeep
from tests.services.workshop import ScriptedHost, Workshop, picture


def upkeep_of(workshop: Workshop) -> Upkeep:
    """Return the operator's services of a workshop whose storage folder is bound to its database."""
    upkeep = Upkeep.build(
        StoragePaths(workshop.root),
        workshop.files,
        workshop.chain,
        workshop.repositories,
        workshop.resolver,
        workshop.sharing,
        workshop.replicator.work_once,
        max_age_days=30,
    )
    upkeep.volume.begin()
    return upkeep


@pytest.fixture
def pictures(cloud: Workshop, ann: User) -> list[Image]:
    """Five pictures: fine, missing, truncated, in the trash and missing, missing with a wrong copy."""
    images = [cloud.upload(ann, picture(seed)) for seed in range(1, 6)]
    cloud.path(images[1]).unlink()
    cloud.path(images[2]).write_bytes(cloud.path(images[2]).read_bytes()[:-1])
    cloud.gallery.trash(ann, images[3].id)
    cloud.path(images[3]).unlink()
    cloud.path(images[4]).unlink()
    host = cloud.hosts[0]
    assert isinstance(host, ScriptedHost)
    host.pictures[images[4].copies[0].url or ""] = picture(99)
    return images


def test_a_preview_names_what_is_missing_and_touches_nothing(
    cloud: Workshop, host: ScriptedHost, pictures: list[Image]
) -> None:
    before = (host.fetches, cloud.stored_files())

    report = upkeep_of(cloud).restore.run(reserve_bytes=0, apply=False)

    assert report.checked == 4
    assert set(report.missing) == {pictures[1].id, pictures[2].id, pictures[4].id}
    assert (report.restored, report.lost) == ([], {})
    assert (host.fetches, cloud.stored_files()) == before


def test_what_is_deleted_for_good_while_it_is_restored_leaves_no_file(
    cloud: Workshop, host: ScriptedHost, ann: User
) -> None:
    doomed, other = cloud.upload(ann, picture(1)), cloud.upload(ann, picture(2))
    cloud.path(doomed).unlink()

    def delete_for_good() -> None:
        cloud.gallery.trash(ann, doomed.id)
        cloud.trash.delete(ann, [doomed.id])

    host.on_fetch = delete_for_good

    report = upkeep_of(cloud).restore.run(reserve_bytes=0, apply=True)

    assert report.restored == []
    assert not cloud.path(doomed).exists()
    assert cloud.path(other).exists()


def test_a_restore_brings_back_what_has_an_exact_copy_and_says_what_is_lost(
    cloud: Workshop, pictures: list[Image]
) -> None:
    report = upkeep_of(cloud).restore.run(reserve_bytes=0, apply=True)

    assert set(report.restored) == {pictures[1].id, pictures[2].id}
    assert list(report.lost) == [pictures[4].id]
    assert "other bytes" in report.lost[pictures[4].id]
    for image in pictures[:3]:
        assert cloud.files.read(image.folder, image.filename, image.sha256)
    assert not cloud.path(pictures[4]).exists()


def test_a_picture_in_the_trash_is_left_alone(cloud: Workshop, pictures: list[Image]) -> None:
    upkeep_of(cloud).restore.run(reserve_bytes=0, apply=True)

    assert not cloud.path(pictures[3]).exists()


def test_a_second_restore_finds_nothing_to_do(cloud: Workshop, pictures: list[Image]) -> None:
    upkeep_of(cloud).restore.run(reserve_bytes=0, apply=True)

    report = upkeep_of(cloud).restore.run(reserve_bytes=0, apply=True)

    assert (report.restored, report.missing) == ([], [pictures[4].id])


def test_each_step_is_told(cloud: Workshop, pictures: list[Image]) -> None:
    steps: list[int] = []

    upkeep_of(cloud).restore.run(reserve_bytes=0, apply=False, on_step=steps.append)

    assert steps == list(range(1, len(pictures)))


def evict(cloud: Workshop, image: Image) -> None:
    """Let a picture be in the cloud only, on purpose."""
    cloud.path(image).unlink()
    assert cloud.images.set_local(image.id, "present", "evicted")


def test_an_evicted_picture_comes_back_only_when_asked_for(cloud: Workshop, ann: User) -> None:
    image = cloud.upload(ann)
    evict(cloud, image)

    usual = upkeep_of(cloud).restore.run(reserve_bytes=0, apply=True)
    asked = upkeep_of(cloud).restore.run(reserve_bytes=0, apply=True, evicted=True)

    assert (usual.evicted, usual.restored) == (1, [])
    assert asked.restored == [image.id]
    assert cloud.image(image.id).local == "present"
    assert cloud.files.read(image.folder, image.filename, image.sha256)


def test_a_damaged_picture_counts_as_present_again(cloud: Workshop, ann: User) -> None:
    image = cloud.upload(ann)
    cloud.path(image).write_bytes(b"rotten")
    cloud.images.set_local(image.id, "present", "corrupt")

    upkeep_of(cloud).restore.run(reserve_bytes=0, apply=True)

    assert cloud.image(image.id).local == "present"


def test_a_restore_stops_before_the_disk_is_full(cloud: Workshop, pictures: list[Image]) -> None:
    report = upkeep_of(cloud).restore.run(reserve_bytes=cloud.files.free_bytes() * 2, apply=True)

    assert "make room" in report.stopped
    assert report.restored == []
    assert not cloud.path(pictures[1]).exists()


def test_one_copy_that_fails_does_not_stop_the_others_and_the_next_run_does_only_the_rest(
    cloud: Workshop, host: ScriptedHost, ann: User
) -> None:
    images = [cloud.upload(ann, picture(seed)) for seed in range(70)]
    for image in images:
        cloud.path(image).unlink()
    host.fetch_errors = [BytesMissing("not now") for _ in range(5)]

    first = upkeep_of(cloud).restore.run(reserve_bytes=0, apply=True, parallel=4)
    before = host.fetches
    second = upkeep_of(cloud).restore.run(reserve_bytes=0, apply=True, parallel=4)

    assert (len(first.restored), len(first.lost)) == (65, 5)
    assert set(second.restored) == set(first.lost)
    assert host.fetches - before == 5


def test_a_foreign_storage_is_refused(cloud: Workshop, ann: User) -> None:
    image = cloud.upload(ann)
    upkeep = upkeep_of(cloud)
    cloud.path(image).unlink()
    (cloud.root / ".chatbot-storage.json").write_text('{"id": "another"}')

    with pytest.raises(SettingsError, match="another database"):
        upkeep.restore.run(reserve_bytes=0, apply=True)

    assert not cloud.path(image).exists()


class CountingHost(ScriptedHost):
    """Counts how many fetches are under way at the same time."""

    def __init__(self) -> None:
        super().__init__("first")
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def _fetch(self, url: str) -> bytes:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.02)  # time for others to come too
        with self._lock:
            self._now -= 1
        return super()._fetch(url)


def test_no_more_pictures_are_fetched_at_a_time_than_asked_for(
    make_workshop: Callable[..., Workshop], ann: User
) -> None:
    host = CountingHost()
    cloud = make_workshop(hosts=(host,))
    for seed in range(6):
        cloud.path(cloud.upload(ann, picture(seed))).unlink()
    host.most = 0

    report = upkeep_of(cloud).restore.run(reserve_bytes=0, apply=True, parallel=2)

    assert (len(report.restored), host.most) == (6, 2)
