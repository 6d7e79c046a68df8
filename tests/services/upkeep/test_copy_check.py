"""Proofs that have grown old, and copies in doubt: looked at again, and replaced only after two bad looks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ChatBot.db.messages import HAS_IMAGES
from ChatBot.errors import ProviderUnavailable
from ChatBot.hosts.chain import HostChain
from ChatBot.models import Copy, Image, User, now
from ChatBot.services.upkeep.copy_check import CHECKS_PER_RUN, CopyCheck
from tests.services.kept import KeptWorkshop
from tests.services.workshop import ScriptedHost, only_copy, picture, re_encoded

LONG_AGO = timedelta(days=31)
DOWN = ProviderUnavailable("asleep", provider="first")


@pytest.fixture
def check(shop: KeptWorkshop) -> CopyCheck:
    return checking(shop, shop.chain)


def checking(shop: KeptWorkshop, chain: HostChain, days: int = 30) -> CopyCheck:
    kept = shop.repositories
    retire, changed = shop.replicator.retire, shop.changed.append
    return CopyCheck(kept.copy_checks, kept.images, shop.files, chain, retire, changed, days=days, history=shop.history)


def proved_long_ago(shop: KeptWorkshop, user: User, seed: int = 1, days: float = 31) -> Image:
    """Keep a picture whose copy was verified so many days ago."""
    image = shop.upload(user, picture(seed))
    shop.change(image, {"images.0.copies.0.verified_at": now() - timedelta(days=days)})
    return shop.image(image.id)


def its_turn(shop: KeptWorkshop, image: Image) -> None:
    """Let the wait before the next look be over."""
    shop.change(image, {"images.0.copies.0.next_at": now() - timedelta(seconds=1)})


def spoil(host: ScriptedHost, image: Image) -> None:
    host.pictures[only_copy(image).url or ""] = b"<html>gone</html>"


def test_an_old_proof_is_renewed(shop: KeptWorkshop, check: CopyCheck, host: ScriptedHost, ann: User) -> None:
    image = proved_long_ago(shop, ann)
    before = host.fetches

    proved = [check.check_due(), check.check_due()]

    assert proved == [1, 0]
    assert host.fetches == before + 1
    copy = only_copy(shop.image(image.id))
    assert copy.state == "verified"
    assert copy.verified_at is not None
    assert now() - copy.verified_at < timedelta(minutes=1)


def test_a_young_proof_and_a_trashed_picture_cost_no_download(
    shop: KeptWorkshop, check: CopyCheck, host: ScriptedHost, ann: User
) -> None:
    shop.upload(ann)
    trashed = proved_long_ago(shop, ann, 2)
    shop.gallery.trash(ann, trashed.id)
    before = host.fetches

    check.check_due()

    assert host.fetches == before


def test_the_oldest_proof_comes_first_and_a_run_is_bounded(
    shop: KeptWorkshop, check: CopyCheck, host: ScriptedHost, ann: User
) -> None:
    younger = [proved_long_ago(shop, ann, seed, days=40) for seed in range(CHECKS_PER_RUN)]
    oldest = proved_long_ago(shop, ann, 99, days=50)
    before = host.fetches

    proved = check.check_due()

    assert proved == CHECKS_PER_RUN == host.fetches - before
    assert is_fresh(only_copy(shop.image(oldest.id)))
    assert sum(is_fresh(only_copy(shop.image(image.id))) for image in younger) == CHECKS_PER_RUN - 1


def is_fresh(copy: Copy) -> bool:
    return copy.verified_at is not None and now() - copy.verified_at < timedelta(hours=1)


def test_a_bad_answer_makes_the_copy_suspect_and_keeps_its_address(
    shop: KeptWorkshop, check: CopyCheck, host: ScriptedHost, ann: User
) -> None:
    image = proved_long_ago(shop, ann)
    address = only_copy(image).url
    host.pictures.clear()

    check.check_due()

    copy = only_copy(shop.image(image.id))
    assert (copy.state, copy.url) == ("suspect", address)
    assert copy.next_at is not None
    assert copy.next_at > now() + timedelta(minutes=30)
    assert shop.changed[-1] == image.id


def test_an_exact_copy_that_comes_back_re_encoded_is_suspect(
    shop: KeptWorkshop, check: CopyCheck, host: ScriptedHost, ann: User
) -> None:
    image = proved_long_ago(shop, ann)
    host.pictures = {url: re_encoded(data) for url, data in host.pictures.items()}

    check.check_due()

    assert only_copy(shop.image(image.id)).state == "suspect"


def test_a_suspect_copy_that_gives_the_picture_again_is_verified(
    shop: KeptWorkshop, check: CopyCheck, host: ScriptedHost, ann: User
) -> None:
    image = proved_long_ago(shop, ann)
    kept, host.pictures = host.pictures, {}
    check.check_due()
    host.pictures = kept
    its_turn(shop, image)

    proved = check.check_due()

    assert proved == 1
    copy = only_copy(shop.image(image.id))
    assert (copy.state, copy.attempts, copy.next_at, copy.error) == ("verified", 0, None, None)


def test_a_second_bad_answer_brings_a_fresh_copy_beside_it_and_then_the_bad_one_goes(
    shop: KeptWorkshop, check: CopyCheck, host: ScriptedHost, ann: User
) -> None:
    image = proved_long_ago(shop, ann)
    spoil(host, image)
    check.check_due()
    once = shop.image(image.id).copies
    its_turn(shop, image)

    check.check_due()
    twice = shop.image(image.id).copies
    while shop.replicator.work_once():
        pass

    assert [copy.state for copy in once] == ["suspect"]
    assert [copy.state for copy in twice] == ["suspect", "pending"]
    copy = only_copy(shop.image(image.id))
    assert copy.state == "verified"
    assert list(host.pictures) == [copy.url]


def test_a_bad_copy_is_not_replaced_while_this_disk_has_not_the_bytes(
    shop: KeptWorkshop, check: CopyCheck, host: ScriptedHost, ann: User
) -> None:
    image = proved_long_ago(shop, ann)
    spoil(host, image)
    shop.path(image).write_bytes(b"damaged")
    check.check_due()
    its_turn(shop, image)

    check.check_due()

    copy = only_copy(shop.image(image.id))
    assert (copy.state, copy.url, copy.attempts) == ("suspect", only_copy(image).url, 2)


def test_a_host_that_does_not_answer_is_asked_once_a_run_and_doubted_only_in_the_end(
    shop: KeptWorkshop, check: CopyCheck, host: ScriptedHost, ann: User
) -> None:
    images = [proved_long_ago(shop, ann, seed) for seed in range(3)]
    host.down = DOWN
    before = host.fetches

    check.check_due()
    asked = host.fetches - before
    states = []
    for _ in range(4):
        for image in images[1:]:
            shop.change(image, {"images.0.copies.0.verified_at": now()})
        its_turn(shop, images[0])
        check.check_due()
        states.append(only_copy(shop.image(images[0].id)).state)

    assert asked == 1
    assert states[0] == "verified"
    assert states[-1] == "suspect"
    assert only_copy(shop.image(images[0].id)).url == only_copy(images[0]).url


def test_a_copy_is_looked_at_by_one_process_at_a_time(
    shop: KeptWorkshop, check: CopyCheck, host: ScriptedHost, ann: User
) -> None:
    image = proved_long_ago(shop, ann)
    others: list[int] = []
    fetch, before = host.fetch, host.fetches
    host.fetch = lambda url: (others.append(checking(shop, HostChain([ScriptedHost()])).check_due()), fetch(url))[1]  # type: ignore[method-assign] # another process, in the middle of the first one's look

    proved = check.check_due()

    assert (proved, others, host.fetches - before) == (1, [0], 1)
    assert only_copy(shop.image(image.id)).state == "verified"


def test_with_no_days_only_copies_in_doubt_are_looked_at(shop: KeptWorkshop, host: ScriptedHost, ann: User) -> None:
    proved_long_ago(shop, ann)
    doubtful = shop.upload(ann, picture(2))
    shop.change(doubtful, {"images.0.copies.0.state": "suspect"})
    before = host.fetches

    proved = checking(shop, shop.chain, days=0).check_due()

    assert (proved, host.fetches - before) == (1, 1)


def test_finding_what_is_due_is_served_by_indexes(shop: KeptWorkshop, ann: User) -> None:
    proved_long_ago(shop, ann)
    broad = [{"images.copies.verified_at": {"$lt": now()}}, {"images.copies.state": "suspect", **HAS_IMAGES}]

    plan = str(shop.database["messages"].find({"$or": broad}).explain()["queryPlanner"]["winningPlan"])

    assert "COLLSCAN" not in plan
    assert "proofs" in plan
