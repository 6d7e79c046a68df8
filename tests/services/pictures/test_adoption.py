"""Documents of the original design: seen, served under their old address too, and never lost or swept away."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId

from ChatBot.bootstrap import build
from ChatBot.container import Services
from ChatBot.errors import NotFound
from ChatBot.models import Copy, Image, Provenance, User, new_id, now
from ChatBot.services.access import Viewer
from tests.media.samples import noise, saved
from tests.standins.hosts import HostServer

NAME = "generated_20251109_182345_0.png"
ADDRESS = f"/static/Storage/Image_Gen/{NAME}"
PICTURE = saved(noise((64, 48), seed=3), "PNG")
AT = datetime(2025, 11, 9, 18, 23, tzinfo=UTC)


@pytest.fixture
def ann(services: Services) -> User:
    return services.accounts.create("ann", "correct horse battery")


def original(services: Services, *, conversation: ObjectId | None = None, **entry: Any) -> ObjectId:
    """Store a picture as the original design did, in a conversation of its own or in another's; return the message."""
    message = ObjectId()
    if conversation is None:
        conversation = ObjectId()
        services.database["conversations"].insert_one(
            {"_id": conversation, "user_id": "anonymous", "title": "Foxes", "created_at": AT, "updated_at": AT}
        )
    picture = {"url": ADDRESS, "cloud_url": ADDRESS, "delete_url": None, "service": "local", "caption": "A red fox"}
    services.database["messages"].insert_one(
        {
            "_id": message,
            "conversation_id": conversation,
            "role": "assistant",
            "content": "Here it is",
            "images": [{**picture, "generated": True, "size": 1, "mime_type": "image/png", **entry}],
            "metadata": {"model": "stable-diffusion"},
            "created_at": AT,
        }
    )
    return message


def place(services: Services) -> Path:
    """Put the file where the original design had it, long ago."""
    path = services.settings.storage_root / "Image_Gen" / NAME
    path.write_bytes(PICTURE)
    os.utime(path, (0, 0))
    return path


def adopted(services: Services, user: User) -> Image:
    return services.gallery.view_original(Viewer(user), "Image_Gen", NAME)


def shown(services: Services, image: Image) -> bytes:
    with services.resolver.open(image).file as file:
        return file.read()


def test_a_document_of_the_original_design_is_served_with_its_own_bytes(services: Services, ann: User) -> None:
    place(services)
    original(services)

    services.adoption.adopt_all()

    image = adopted(services, ann)
    assert (image.sha256, image.caption, image.copies) == (sha256(PICTURE).hexdigest(), "A red fox", ())
    assert (image.width, image.height, image.size) == (64, 48, len(PICTURE))
    assert shown(services, image) == PICTURE
    (conversation,) = services.repositories.conversations.of(ann.id, 10)
    (message,) = services.repositories.messages.of(conversation.id)
    assert (conversation.title, message.content, message.images) == ("Foxes", "Here it is", (image,))


def test_a_start_adopts_by_itself_and_a_second_time_changes_nothing(
    services: Services, make_services: Callable[..., Services], ann: User
) -> None:
    place(services)
    original(services)

    make_services()
    before = list(services.database["messages"].find())
    make_services()

    assert adopted(services, ann).original_url == ADDRESS
    assert list(services.database["messages"].find()) == before
    assert before[0]["metadata"] == {"model": "stable-diffusion"}


def test_it_belongs_to_the_administrator_and_not_to_whoever_has_the_old_name(services: Services, ann: User) -> None:
    other = services.accounts.create("anonymous", "correct horse battery")
    place(services)
    original(services)

    services.adoption.adopt_all()

    assert adopted(services, ann).owner_id == ann.id
    with pytest.raises(NotFound):
        adopted(services, other)


def test_it_belongs_to_its_own_account_before_that_of_its_conversation(services: Services, ann: User) -> None:
    bob = services.accounts.create("bob", "correct horse battery")
    conversation = services.threads.create(ann)
    place(services)
    original(services)
    owned = {"owner_id": bob.id, "conversation_id": conversation.id}
    services.database["messages"].update_one({}, {"$set": owned})

    services.adoption.adopt_all()

    assert adopted(services, bob).owner_id == bob.id
    assert services.threads.messages(Viewer(ann), conversation) == []


def test_an_entry_without_a_hash_in_a_message_of_ours_is_mended_in_its_place(services: Services, ann: User) -> None:
    image_id, message_id = "a" * 32, "b" * 32
    path = services.settings.storage_root / "Image_Gen" / f"{image_id}.png"
    path.write_bytes(PICTURE)
    entry = {"id": image_id, "url": f"/static/Storage/Image_Gen/{image_id}.png", "cloud_url": path.name}
    message = {"_id": message_id, "conversation_id": None, "owner_id": ann.id, "role": "assistant", "created_at": AT}
    services.database["messages"].insert_one({**message, "status": "complete", "images": [entry]})

    services.adoption.adopt_all()

    assert shown(services, services.gallery.view(Viewer(ann), image_id)) == PICTURE


def test_a_waiting_document_breaks_nothing_and_its_file_is_not_swept_away(services: Services) -> None:
    path = place(services)
    original(services)

    report = services.cleanup.run(apply=True, max_age_days=0, force=True)
    services.restore.run(apply=True)
    services.upkeep.verify.run(deep=True)

    assert report.debris == []
    assert path.read_bytes() == PICTURE


def test_without_any_bytes_the_document_stays_as_it_is(services: Services, ann: User) -> None:
    original(services)

    services.adoption.adopt_all()
    lost = services.database["messages"].find_one({"images.url": ADDRESS})
    place(services)
    services.adoption.adopt_all()

    assert lost is not None
    assert lost["images"][0]["caption"] == "A red fox"
    assert shown(services, adopted(services, ann)) == PICTURE


def test_a_cloud_copy_it_names_is_read_back_and_can_restore_it(
    make_services: Callable[..., Services], hosts: HostServer, host_settings: dict[str, Any]
) -> None:
    services = make_services(**host_settings)
    ann = services.accounts.create("ann", "correct horse battery")
    place(services)
    hosts.imgbb.accept(PICTURE, "image/png", NAME, {})
    url = hosts.base_url + hosts.imgbb.picture_path(hosts.imgbb.stored[0])
    original(services, cloud_url=url, service="imgbb")

    services.adoption.adopt_all()
    while services.replicator.work_once():
        pass
    image = adopted(services, ann)
    (services.settings.storage_root / "Image_Gen" / image.filename).unlink()

    assert [(copy.host, copy.state, copy.fidelity) for copy in image.copies] == [("imgbb", "verified", "exact")]
    assert shown(services, image) == PICTURE


def test_a_picture_with_its_old_metadata_is_never_sent_to_a_public_host(
    make_services: Callable[..., Services], hosts: HostServer, host_settings: dict[str, Any]
) -> None:
    services = make_services(**host_settings)
    ann = services.accounts.create("ann", "correct horse battery")
    place(services)
    original(services)
    services.adoption.adopt_all()
    image = adopted(services, ann)

    owed = services.replicator.owe(image)
    report = services.upkeep.replicate.run(apply=True)
    services.repositories.images.add_copy(image.id, Copy(host="imgbb", next_at=now()))
    while services.replicator.work_once():
        pass

    assert (owed, list(report.impossible), list(report.queued)) == (False, [image.id], [])
    assert [copy.state for copy in adopted(services, ann).copies] == ["refused"]
    assert hosts.imgbb.stored == []


def test_in_a_private_account_it_becomes_private_and_its_published_copy_is_marked_for_deletion(
    make_services: Callable[..., Services], hosts: HostServer, host_settings: dict[str, Any]
) -> None:
    services = make_services(**host_settings)
    ann = services.accounts.create("ann", "correct horse battery")
    services.privacy.set_account(ann, private=True)
    place(services)
    hosts.imgbb.accept(PICTURE, "image/png", NAME, {})
    url = hosts.base_url + hosts.imgbb.picture_path(hosts.imgbb.stored[0])
    original(services, cloud_url=url, service="imgbb")

    services.adoption.adopt_all()
    at_once = adopted(services, ann)
    services.privacy.withdraw_due()

    assert at_once.private
    assert [copy.state for copy in adopted(services, ann).copies] == ["delete_manual"]


def test_what_is_adopted_late_into_a_private_conversation_is_private_at_once(services: Services, ann: User) -> None:
    conversation = ObjectId()
    services.database["conversations"].insert_one({"_id": conversation, "title": "Foxes", "created_at": AT})
    original(services, conversation=conversation)
    services.adoption.adopt_all()
    (shown_in,) = services.repositories.conversations.of(ann.id, 10)
    services.privacy.set_conversation(ann, shown_in.id, private=True)
    original(services, conversation=conversation)

    place(services)
    services.adoption.adopt_all()

    assert [each.image.private for each in services.repositories.images.each()] == [True, True]


def test_a_waiting_picture_in_a_private_account_holds_up_nobody_s_withdrawal(
    make_services: Callable[..., Services], host_settings: dict[str, Any]
) -> None:
    services = make_services(**{**host_settings, "cloud_hosts": "imgbb"})
    ann = services.accounts.create("ann", "correct horse battery")
    image = services.image_handler.save_upload(PICTURE, Provenance(owner_id=ann.id, generated=False))
    waiting = {"_id": new_id(), "owner_id": ann.id, "role": "assistant", "images": [{"url": ADDRESS}], "created_at": AT}
    services.database["messages"].insert_one(waiting)
    services.privacy.set_account(ann, private=True)

    withdrawn = services.privacy.withdraw_due()

    located = services.repositories.images.find(image.id)
    assert withdrawn == 1
    assert located is not None
    assert [copy.state for copy in located.image.copies] == ["gone"]


def test_a_build_without_time_for_it_turns_nothing(services: Services, ann: User) -> None:
    path = place(services)
    original(services)

    build(services.settings, adoption_seconds=0).close()
    untouched = services.database["messages"].count_documents({"images.url": ADDRESS})
    build(services.settings).close()

    assert untouched == 1
    assert path.read_bytes() == PICTURE
    assert shown(services, adopted(services, ann)) == PICTURE
