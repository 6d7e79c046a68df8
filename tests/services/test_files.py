"""Files that are no pictures are as durable as pictures, and never leave for a public host."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest

from ChatBot.assistants.base import Finished, TextDelta
from ChatBot.errors import NotFound, PictureRefused
from ChatBot.models import User
from tests.media.samples import pdf
from tests.services.workshop import (
    ScriptedAssistant,
    ScriptedGenerator,
    ScriptedHost,
    Workshop,
    picture,
    states,
)


def test_a_file_is_kept_byte_for_byte_here_and_on_the_private_host_alone(
    house: Workshop, public: ScriptedHost, bucket: ScriptedHost, ann: User
) -> None:
    data = pdf("the only copy")

    kept = house.upload(ann, data, original_name="plan.pdf")

    file = house.root / "uploads" / kept.filename
    assert (kept.kind, kept.mime_type, kept.size, kept.name) == ("file", "application/pdf", len(data), "plan.pdf")
    assert file.read_bytes() == data
    assert states(house.image(kept.id)) == {"bucket": "verified"}
    assert list(bucket.pictures.values()) == [data]
    assert public.uploads == 0


def test_with_public_hosts_only_a_file_stays_on_this_disk(
    make_workshop: Callable[..., Workshop], public: ScriptedHost, ann: User
) -> None:
    house = make_workshop(hosts=(public,))

    kept = house.upload(ann, pdf())

    assert house.image(kept.id).copies == ()
    assert not house.replicator.owe(house.image(kept.id))
    assert not house.replicator.work_once()
    assert public.uploads == 0


def test_a_lost_file_comes_back_from_its_copy(house: Workshop, ann: User) -> None:
    kept = house.upload(ann, pdf("come back"))
    (house.root / "uploads" / kept.filename).unlink()

    with house.resolver.open(house.image(kept.id)).file as file:
        assert file.read() == pdf("come back")
    assert (house.root / "uploads" / kept.filename).read_bytes() == pdf("come back")


def test_another_file_behind_the_address_is_no_copy(house: Workshop, bucket: ScriptedHost, ann: User) -> None:
    bucket.alters = lambda _: pdf("somebody else's")

    kept = house.upload(ann, pdf("mine"))

    assert states(house.image(kept.id)) == {"bucket": "suspect"}


def test_there_are_no_renditions_of_a_file(house: Workshop, ann: User) -> None:
    kept = house.upload(ann, pdf())

    assert house.resolver.at_hand(kept, 256) is None
    with pytest.raises(NotFound):
        house.resolver.open_thumbnail(kept, 256)


def test_half_a_file_is_refused_and_leaves_nothing(house: Workshop, bucket: ScriptedHost, ann: User) -> None:
    with pytest.raises(PictureRefused):
        house.upload(ann, pdf()[:-8])

    assert list((house.root / "uploads").iterdir()) == []
    assert bucket.uploads == 0


def test_a_generator_cannot_hand_in_a_file(make_workshop: Callable[..., Workshop], ann: User) -> None:
    house = make_workshop(generator=ScriptedGenerator(pdf()))

    message = house.draw(ann, house.threads.create(ann, "drawing"))

    assert message.status == "failed"
    assert message.images == ()


def test_the_gallery_keeps_pictures_and_files_apart(house: Workshop, ann: User) -> None:
    kept, drawn = house.upload(ann, pdf()), house.upload(ann, picture())

    pictures, _ = house.gallery.page(ann, 10)
    files, _ = house.gallery.page(ann, 10, kind="file")

    assert [image.id for image in pictures] == [drawn.id]
    assert [image.id for image in files] == [kept.id]


def test_the_assistant_is_told_the_name_of_a_file_and_sees_the_pictures(
    make_workshop: Callable[..., Workshop], ann: User
) -> None:
    assistant = ScriptedAssistant([TextDelta("I see."), Finished("stop")])
    house = make_workshop(assistant=assistant)
    conversation = house.threads.create(ann)
    kept, shown = house.upload(ann, pdf(), original_name="plan.pdf"), house.upload(ann, picture())

    _, answer = house.chat.post(ann, conversation.id, "What is this?", [kept.id, shown.id])
    house.settled(answer)

    question = assistant.heard[0][-1]
    assert question.content == "What is this?\n[attached file, not readable here: plan.pdf]"
    assert [data for _, data in question.images] == [house.files.read(shown.folder, shown.filename, shown.sha256)]


def test_a_deleted_file_goes_from_everywhere(
    make_workshop: Callable[..., Workshop], bucket: ScriptedHost, ann: User
) -> None:
    house = make_workshop(hosts=(bucket,), trash_days=0)
    kept = house.upload(ann, pdf())
    house.gallery.trash(ann, kept.id)

    house.deletion.purge_due()

    assert bucket.pictures == {}
    assert house.stored_files() == set()
    assert house.images.find(kept.id, trashed=True) is None


def test_a_viewer_who_continues_gets_the_file_under_its_name(house: Workshop, ann: User, bob: User) -> None:
    conversation = house.threads.create(ann, "papers")
    kept = house.upload(ann, pdf("shared"), original_name="plan.pdf")
    _, answer = house.chat.post(ann, conversation.id, "Read this.", [kept.id])
    house.settled(answer)
    share, _ = house.sharing.create(ann, conversation.id)

    house.continuing.copy(bob, share, "once")

    (own,), _ = house.gallery.page(bob, 10, kind="file")
    assert (own.name, own.kind, own.sha256) == ("plan.pdf", "file", sha256(pdf("shared")).hexdigest())
    assert own.id != kept.id
    assert own.off_public_hosts
    assert house.sharing.content(share).cover is None
