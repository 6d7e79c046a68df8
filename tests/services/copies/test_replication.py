"""The outbox: each copy is worked on by one at a time, and proved by reading it back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from itertools import pairwise

import pytest

from ChatBot.errors import BytesMissing, ProviderRefused, ProviderUnavailable
from ChatBot.hosts.base import Receipt, Upload
from ChatBot.hosts.guarded import FAILURES_UNTIL_OPEN, OPEN_SECONDS, GuardedHost
from ChatBot.models import Copy, Image, User, now
from ChatBot.services.copies.replication import Delivery, wait_for
from tests.services.workshop import (
    ScriptedHost,
    Workshop,
    at_once,
    make_due,
    make_image,
    make_message,
    only_copy,
    picture,
    re_encoded,
    states,
)

BUSY = ProviderUnavailable("busy", provider="first")


def broken_off(workshop: Workshop, user: User, seed: int = 1) -> Image:
    """Return a picture whose first upload was never finished, as a killed process leaves it, and is due again."""
    host = workshop.hosts[0]
    assert isinstance(host, ScriptedHost)
    host.upload_errors.append(KeyError("the process ends here"))
    image = workshop.upload(user, picture(seed))
    assert states(image) == {"first": "leased"}
    make_due(workshop, image.id)
    return image


@pytest.fixture
def other() -> ScriptedHost:
    return ScriptedHost("second")


@pytest.fixture
def pair(make_workshop: Callable[..., Workshop], host: ScriptedHost, other: ScriptedHost) -> Workshop:
    return make_workshop(hosts=(host, other))


@pytest.mark.timeout(30)
def test_many_pictures_wait_for_a_silent_host_no_longer_than_one_does() -> None:
    upload = Upload("0" * 32, b"", "image/png", "0" * 64)

    wait_for([Delivery(upload, Future()) for _ in range(100)], seconds=1)


def test_a_refusal_moves_on_to_the_next_host_and_is_recorded(
    pair: Workshop, host: ScriptedHost, other: ScriptedHost, ann: User
) -> None:
    host.down = ProviderRefused("too large", provider="first", reason="too_large")

    image = pair.upload(ann)

    assert states(image) == {"first": "refused", "second": "verified"}
    assert image.best_copy is not None
    assert image.best_copy.host == "second"
    assert len(other.pictures) == 1


def test_a_failed_host_still_owes_its_copy(pair: Workshop, host: ScriptedHost, ann: User) -> None:
    host.upload_errors.append(BUSY)
    image = pair.upload(ann)
    before = states(image)
    make_due(pair, image.id)

    worked = pair.replicator.work_once()

    assert before == {"first": "retry", "second": "verified"}
    assert worked
    assert states(pair.image(image.id)) == {"first": "verified", "second": "verified"}
    assert len(host.pictures) == 1


def test_a_copy_is_not_tried_again_before_its_time(pair: Workshop, host: ScriptedHost, ann: User) -> None:
    host.upload_errors.append(ProviderUnavailable("busy", provider="first", retry_after_seconds=600))
    pair.upload(ann)

    assert not pair.replicator.work_once()
    assert host.uploads == 1


def test_with_all_hosts_down_the_picture_stays_and_is_sent_when_they_return(
    pair: Workshop, host: ScriptedHost, other: ScriptedHost, ann: User
) -> None:
    host.down = other.down = BUSY
    image = pair.upload(ann)
    assert states(image) == {"first": "retry", "second": "retry"}
    host.down = other.down = None
    make_due(pair, image.id)

    while pair.replicator.work_once():
        pass

    assert states(pair.image(image.id)) == {"first": "verified", "second": "verified"}
    assert len(host.pictures) == len(other.pictures) == 1


def test_a_lease_that_ran_out_is_taken_over_by_another_process(
    pair: Workshop, make_workshop: Callable[..., Workshop], host: ScriptedHost, ann: User
) -> None:
    image = broken_off(pair, ann)
    successor = make_workshop(hosts=pair.hosts)

    worked = successor.replicator.work_once()

    assert worked
    assert states(pair.image(image.id)) == {"first": "verified"}
    assert len(host.pictures) == 1


def test_a_lease_that_runs_is_left_alone(
    pair: Workshop, make_workshop: Callable[..., Workshop], host: ScriptedHost, ann: User
) -> None:
    host.upload_errors.append(KeyError("the process ends here"))
    pair.upload(ann)
    successor = make_workshop(hosts=pair.hosts)

    assert not successor.replicator.work_once()
    assert host.uploads == 1


def test_many_workers_of_many_processes_never_work_the_same_copy(
    pair: Workshop, make_workshop: Callable[..., Workshop], host: ScriptedHost, ann: User
) -> None:
    images = [broken_off(pair, ann, seed) for seed in (1, 2, 3)]
    processes = [pair, make_workshop(hosts=pair.hosts)]
    before = host.uploads

    worked = at_once(lambda number: [processes[number % 2].replicator.work_once() for _ in range(3)], 6)

    assert all(isinstance(result, list) for result in worked)
    assert sum(sum(result) for result in worked) == 3
    assert host.uploads - before == 3
    assert [states(pair.image(image.id)) for image in images] == [{"first": "verified"}] * 3


def test_a_late_upload_that_lost_its_lease_is_taken_back(
    pair: Workshop, make_workshop: Callable[..., Workshop], host: ScriptedHost, ann: User
) -> None:
    image = broken_off(pair, ann)
    successor = make_workshop(hosts=pair.hosts)

    def stall(_: object) -> None:
        host.on_upload = lambda _: None
        make_due(pair, image.id)
        assert successor.replicator.work_once()

    host.on_upload = stall

    pair.replicator.work_once()

    copy = only_copy(pair.image(image.id))
    assert copy.state == "verified"
    assert list(host.pictures) == [copy.url]


def test_an_upload_that_ends_after_its_picture_was_purged_is_taken_back(
    pair: Workshop, host: ScriptedHost, ann: User
) -> None:
    image = broken_off(pair, ann)

    def purge(_: object) -> None:
        make_due(pair, image.id)
        pair.images.trash(image.id)
        located = pair.images.find(image.id, trashed=True)
        assert located is not None
        assert pair.deletion.purge(located) == "confirmed"

    host.on_upload = purge

    pair.replicator.work_once()

    assert host.pictures == {}
    assert pair.images.find(image.id, trashed=True) is None


class OneAddressHost(ScriptedHost):
    """A host that knows a picture again and answers with the address that it already has."""

    def _upload(self, upload: Upload) -> Receipt:
        receipt = super()._upload(upload)
        url = f"https://{self.name}.invalid/{upload.sha256}"
        self.pictures[url] = self.pictures.pop(receipt.url)
        return Receipt(self.name, url)


def test_a_late_upload_with_the_recorded_address_is_not_taken_back(
    make_workshop: Callable[..., Workshop], ann: User
) -> None:
    host = OneAddressHost("first")
    workshop, successor = make_workshop(hosts=(host,)), make_workshop(hosts=(host,))
    image = broken_off(workshop, ann)

    def stall(_: object) -> None:
        host.on_upload = lambda _: None
        make_due(workshop, image.id)
        assert successor.replicator.work_once()

    host.on_upload = stall

    workshop.replicator.work_once()

    copy = only_copy(workshop.image(image.id))
    assert copy.state == "verified"
    assert list(host.pictures) == [copy.url]


def test_other_bytes_behind_the_url_make_the_copy_suspect_and_keep_its_url(
    pair: Workshop, host: ScriptedHost, ann: User
) -> None:
    host.alters = lambda _: picture(9, 32, 32)

    image = pair.upload(ann)

    copy = only_copy(image)
    assert (copy.state, copy.fidelity, copy.verified_at) == ("suspect", None, None)
    assert copy.url in host.pictures
    assert copy.delete_url
    assert image.best_copy is None


def test_a_host_that_re_encodes_gives_a_transcoded_copy(pair: Workshop, host: ScriptedHost, ann: User) -> None:
    host.alters = re_encoded

    image = pair.upload(ann)

    assert (only_copy(image).state, only_copy(image).fidelity) == ("verified", "transcoded")


def test_a_copy_that_the_hosts_network_shows_late_is_verified_later(
    pair: Workshop, host: ScriptedHost, ann: User
) -> None:
    host.fetch_errors = [BytesMissing("404"), BytesMissing("404")]
    image = pair.upload(ann)
    seen = [states(image)]

    for _ in range(2):
        make_due(pair, image.id)
        pair.replicator.work_once()
        seen.append(states(pair.image(image.id)))

    assert seen == [{"first": "uploaded"}, {"first": "uploaded"}, {"first": "verified"}]
    assert host.uploads == 1


def test_an_uploaded_copy_whose_reader_died_is_read_by_another_and_not_sent_again(
    pair: Workshop, make_workshop: Callable[..., Workshop], host: ScriptedHost, ann: User
) -> None:
    host.fetch_errors = [BytesMissing("404")]
    image = pair.upload(ann)
    make_due(pair, image.id)

    worked = make_workshop(hosts=pair.hosts).replicator.work_once()

    assert worked
    assert states(pair.image(image.id)) == {"first": "verified"}
    assert host.uploads == 1


def test_a_picture_whose_file_is_damaged_is_never_sent(pair: Workshop, host: ScriptedHost, ann: User) -> None:
    image = broken_off(pair, ann)
    pair.path(image).write_bytes(b"something else")

    pair.replicator.work_once()

    assert host.pictures == {}
    assert only_copy(pair.image(image.id)).state == "retry"


def test_copies_of_trashed_pictures_do_not_hold_up_the_others(pair: Workshop, ann: User) -> None:
    past = now() - timedelta(hours=1)
    owed = {"host": "first", "state": "retry", "next_at": past}
    for number in range(25):  # their ids sort first, so that every index shows them first
        trashed = make_image(ann.id, id=f"{number:032x}", trashed_at=past, copies=(owed,))
        pair.messages.add(make_message(ann.id, images=(trashed,)))
    image = broken_off(pair, ann)

    worked = pair.replicator.work_once()

    assert worked
    assert states(pair.image(image.id)) == {"first": "verified"}
    assert not pair.replicator.work_once()


def test_whoever_looks_is_told_of_every_change(pair: Workshop, host: ScriptedHost, ann: User) -> None:
    host.upload_errors.append(BUSY)
    image = pair.upload(ann)
    told = len(pair.changed)
    make_due(pair, image.id)

    pair.replicator.work_once()

    assert told == 1
    assert pair.changed == [image.id] * 2


class TimedHost(ScriptedHost):
    """Notes when it was sent something, by a clock."""

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        super().__init__(name)
        self.clock = clock
        self.asked: list[float] = []

    def _upload(self, upload: Upload) -> Receipt:
        self.asked.append(self.clock())
        return super()._upload(upload)


class Outage:
    """Two hosts that are down behind their breakers, and pictures that wait; time moves from attempt to attempt."""

    def __init__(self, make_workshop: Callable[..., Workshop], user: User) -> None:
        self.begun = self.at = now()
        self.hosts = [TimedHost(name, self.seconds) for name in ("first", "second")]
        self.guarded = [GuardedHost(host, parallel_uploads=2, clock=self.seconds) for host in self.hosts]
        self.workshop = make_workshop(hosts=tuple(self.guarded), clock=lambda: self.at)
        self.tries = 0
        self.seen: set[str] = set()
        for host in self.hosts:
            host.down = ProviderUnavailable("busy", provider=host.name)
        self.pictures = [self.workshop.upload(user, picture(number)).id for number in range(2)]

    def seconds(self) -> float:
        return (self.at - self.begun).total_seconds()

    def copies(self) -> list[Copy]:
        return [copy for located in self.workshop.images.find_many(self.pictures) for copy in located.image.copies]

    def lasts(self, outage: timedelta) -> None:
        """Let the worker do what is due, as long as the hosts are down."""
        while self.at < self.begun + outage:
            copies = self.copies()
            assert {copy.state for copy in copies} == {"retry"}
            self.at = max(self.at, min(copy.next_at for copy in copies if copy.next_at))
            self.tries += self.workshop.replicator.work_once()
            self.seen |= {host.condition.state for host in self.guarded}

    def ends(self) -> None:
        """Let the hosts answer again, and the worker do what is due an hour later."""
        for host in self.hosts:
            host.down = None
        self.at += timedelta(hours=1)
        while self.workshop.replicator.work_once():
            pass


@pytest.mark.parametrize("duration", [timedelta(minutes=10), timedelta(days=1)], ids=["ten minutes", "a day"])
def test_after_hosts_were_down_for_long_everything_arrives(
    make_workshop: Callable[..., Workshop], ann: User, duration: timedelta
) -> None:
    outage = Outage(make_workshop, ann)

    outage.lasts(duration)
    waited = outage.copies()
    asked = [list(host.asked) for host in outage.hosts]
    outage.ends()

    assert len(waited) == 2 * 2
    assert outage.tries < 2 * (40 + 2 * duration / timedelta(minutes=10))
    assert [(copy.state, copy.fidelity) for copy in outage.copies()] == [("verified", "exact")] * 4
    for times in asked:
        tries = list(pairwise(times[FAILURES_UNTIL_OPEN - 1 :]))
        assert tries, "an open breaker never let a try through"
        assert all(later - earlier > OPEN_SECONDS - 1 for earlier, later in tries), "it did so too early"
    assert sum(map(len, asked)) < outage.tries + 2 * 2, "no try was refused by an open breaker"
    assert outage.seen == {"ready", "left_alone"}
    assert [host.condition.state for host in outage.guarded] == ["ready", "ready"], "an answer closes the breaker"
