"""Bundles of shared conversations: what is in them, and what breaks them off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest

from ChatBot.errors import NotFound, ProviderUnavailable
from ChatBot.models import Image, Share, User, now
from ChatBot.services.access import Viewer
from ChatBot.services.sharing.bundles import MANIFEST
from tests.media.samples import pdf
from tests.services.workshop import ScriptedHost, Workshop, picture

GIVEN = b'{"a manifest": "of the caller"}'
PICTURES = 3


def shared(workshop: Workshop, owner: User, *, live: bool = False) -> tuple[Share, list[Image]]:
    """Share a conversation with two uploads, one of them a PDF, in one message and a drawn picture in the next."""
    attached = [workshop.upload(owner, picture(7), original_name="../../a.exe"), workshop.upload(owner, pdf("plan"))]
    first = workshop.draw(owner)
    conversation = workshop.threads.get(Viewer(owner), first.conversation_id or "")
    named = tuple(each.id for each in attached)
    _, reply = workshop.threads.ask(owner, conversation.id, "and these?", attachments=named)
    workshop.messages.settle(reply.id, "complete", content="A lighthouse.")
    share, _ = workshop.sharing.create(owner, conversation.id, live=live)
    return share, [first.images[0], *attached]


def pieces(workshop: Workshop, share: Share) -> Iterator[bytes]:
    """Return the bundle as it is sent."""
    parts = workshop.bundles.parts(workshop.sharing.content(share))
    return workshop.bundles.archive(share, parts, GIVEN).pieces()


def contents(written: bytes) -> dict[str, bytes]:
    """Return what an archive holds, by name."""
    with ZipFile(BytesIO(written)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("live", [False, True])
def test_a_bundle_has_every_picture_and_file_byte_for_byte_in_order(workshop: Workshop, ann: User, live: bool) -> None:
    share, images = shared(workshop, ann, live=live)

    found = contents(b"".join(pieces(workshop, share)))

    names = [f"00{place}-{each.id[:8]}.{each.filename[-3:]}" for place, each in enumerate(images, start=1)]
    assert list(found) == [MANIFEST, *names]
    assert list(found.values()) == [GIVEN, *(workshop.path(each).read_bytes() for each in images)]


def test_what_is_sent_counts_as_looked_at(workshop: Workshop, ann: User) -> None:
    share, _ = shared(workshop, ann)

    b"".join(pieces(workshop, share))

    assert workshop.stewardship.viewing.flush() == PICTURES


def test_no_name_in_a_bundle_comes_from_a_text_or_from_a_record(workshop: Workshop, ann: User) -> None:
    share, images = shared(workshop, ann)
    for image, hostile in zip(images, ("../../etc/passwd", "C:\\x", "\u202egnp.exe"), strict=True):
        workshop.images.change(image.id, caption=hostile, original_name=hostile, filename=f"x.{hostile}")

    parts = workshop.bundles.parts(workshop.sharing.content(share))

    assert [part.name for part in parts] == [None] * PICTURES  # no such file, and no copy anywhere
    workshop.images.change(images[0].id, filename=images[0].filename, mime_type="image/../../x")
    (first, *_) = workshop.bundles.parts(workshop.sharing.content(share))
    assert first.name == f"001-{images[0].id[:8]}.bin"


def test_a_thousand_pictures_have_names_that_sort_as_they_appear(workshop: Workshop, ann: User) -> None:
    share, images = shared(workshop, ann)
    shown = workshop.sharing.content(share)
    many = {f"{number:032x}": images[0].model_copy(update={"id": f"{number:032x}"}) for number in range(1000)}

    names = [part.name or "" for part in workshop.bundles.parts(type(shown)("", (), many))]

    assert names == sorted(names)
    assert len(set(names)) == 1000


def close_it(workshop: Workshop, owner: User, share: Share, _: Image) -> None:
    workshop.sharing.revoke(owner, share.id)


def let_it_expire(workshop: Workshop, _: User, share: Share, __: Image) -> None:
    past = {"$set": {"expires_at": now() - timedelta(milliseconds=1)}}
    workshop.database["shares"].update_one({"_id": share.id}, past)


def delete_the_next(workshop: Workshop, owner: User, _: Share, image: Image) -> None:
    workshop.gallery.trash(owner, image.id)


def lose_the_next(workshop: Workshop, _: User, __: Share, image: Image) -> None:
    workshop.path(image).unlink()


def damage_the_next(workshop: Workshop, _: User, __: Share, image: Image) -> None:
    workshop.path(image).write_bytes(picture(99))


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("happens", [close_it, let_it_expire, delete_the_next, lose_the_next, damage_the_next])
def test_what_happens_meanwhile_breaks_a_bundle_off_before_the_next_picture(
    workshop: Workshop, ann: User, happens: Callable[[Workshop, User, Share, Image], None], live: bool
) -> None:
    share, images = shared(workshop, ann, live=live)
    sending = pieces(workshop, share)
    sent = [next(sending), next(sending)]  # the manifest and the first picture
    stored = workshop.path(images[1]).read_bytes()

    happens(workshop, ann, share, images[1])
    with pytest.raises(NotFound):
        sent.extend(sending)

    received = b"".join(sent)
    assert workshop.path(images[0]).read_bytes() in received
    assert stored not in received
    assert b"PK\x05\x06" not in received  # no end, so no program takes it for an archive


def test_a_lost_file_comes_from_its_copy_and_is_healed(cloud: Workshop, ann: User) -> None:
    share, images = shared(cloud, ann)
    kept = cloud.path(images[0]).read_bytes()
    cloud.path(images[0]).unlink()

    found = contents(b"".join(pieces(cloud, share)))

    assert list(found.values())[1] == kept == cloud.path(images[0]).read_bytes()


def test_a_host_that_is_away_breaks_it_off_and_is_asked_only_when_the_turn_comes(
    cloud: Workshop, host: ScriptedHost, ann: User
) -> None:
    share, images = shared(cloud, ann)
    cloud.path(images[1]).unlink()
    host.down = ProviderUnavailable("first is away", provider="first")
    fetched = host.fetches
    sending = pieces(cloud, share)

    sent = [next(sending), next(sending)]
    assert host.fetches == fetched
    with pytest.raises(NotFound):
        sent.extend(sending)

    assert host.fetches == fetched + 1


@pytest.mark.parametrize("how", ["lost", "damaged"])
def test_a_picture_that_is_known_to_be_nowhere_is_left_out_and_named(workshop: Workshop, ann: User, how: str) -> None:
    share, images = shared(workshop, ann)
    if how == "lost":
        workshop.path(images[1]).unlink()
    else:
        workshop.path(images[1]).write_bytes(picture(99))
        with pytest.raises(NotFound):
            workshop.resolver.open(workshop.image(images[1].id))  # now it is known

    parts = workshop.bundles.parts(workshop.sharing.content(share))
    found = contents(b"".join(pieces(workshop, share)))

    assert [part.image.id for part in parts if part.name is None] == [images[1].id]
    assert list(found.values()) == [GIVEN, *(workshop.path(images[each]).read_bytes() for each in (0, 2))]


def test_a_damaged_file_that_was_put_right_by_hand_is_sent_again(workshop: Workshop, ann: User) -> None:
    share, images = shared(workshop, ann)
    workshop.images.set_local(images[1].id, "present", "corrupt")

    found = contents(b"".join(pieces(workshop, share)))

    assert list(found.values()) == [GIVEN, *(workshop.path(each).read_bytes() for each in images)]


def test_a_bundle_of_nothing_is_refused(workshop: Workshop, ann: User) -> None:
    share, images = shared(workshop, ann)
    for image in images:
        workshop.gallery.trash(ann, image.id)

    with pytest.raises(NotFound, match="no pictures"):
        pieces(workshop, share)
