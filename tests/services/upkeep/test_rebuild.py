"""MongoDB from the records alone: all is back, nothing deleted or closed is, and forgeries gain nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from ChatBot.container import Services
from ChatBot.db.ledger import KINDS
from ChatBot.errors import Forbidden, NotFound, SettingsError
from ChatBot.generators.base import GenerationRequest
from ChatBot.models import Image, Message, Provenance, Recorded, Share, User, new_id, now
from ChatBot.sentence import Sentence
from ChatBot.services.records import SUFFIX, encode_record
from ChatBot.services.upkeep.rebuild import RebuildReport
from tests.services.workshop import make_image, make_message, make_user, picture

PASSWORD = "correct horse battery"
Database_ = Database[dict[str, Any]]


class Installation:
    """A server's services, which can lose their database and be built again on the same disk."""

    def __init__(self, make_services: Callable[..., Services], **overrides: Any) -> None:
        self._make = lambda: make_services(**overrides)
        self.services = self._make()

    @property
    def records(self) -> Path:
        return self.services.settings.storage_root / "records"

    def catch_up(self) -> None:
        """Let the records follow the documents."""
        self.services.database["removals"].update_many({}, {"$set": {"at": now() - timedelta(minutes=1)}})
        for records in self.services.records:
            while records.work_once():
                pass

    def lose_database(self) -> None:
        """Drop it once the records are in step, and start again."""
        self.catch_up()
        self.services.database.client.drop_database(self.services.database.name)
        self.services = self._make()

    def rebuild(self, *, apply: bool = True) -> RebuildReport:
        return self.services.rebuild.run(apply=apply)

    def register(self, name: str) -> User:
        return self.services.accounts.register(name, PASSWORD)

    def draw(self, user: User, conversation_id: str | None = None) -> Message:
        request = GenerationRequest("a lighthouse", width=128, height=128)
        generation = self.services.generation
        return generation.finished(generation.start(user, conversation_id, request), 30)

    def upload(self, user: User, seed: int = 1) -> Image:
        return self.services.image_handler.save_upload(picture(seed), Provenance(owner_id=user.id, generated=False))

    def purge(self, image: Image) -> None:
        self.services.repositories.images.trash(image.id)
        located = self.services.repositories.images.find(image.id, trashed=True)
        assert located is not None
        self.services.deletion.purge(located)

    def put(self, value: Recorded) -> str:
        """Put a record into the folder that no document of ours made; returns its name."""
        kind = next(kind for kind, (_, model) in KINDS.items() if model is type(value))
        (self.records / f"{kind}-{value.id}{SUFFIX}").write_bytes(encode_record(value))  # type: ignore[attr-defined]
        return f"{kind}-{value.id}"  # type: ignore[attr-defined]


def everything(database: Database_) -> dict[str, dict[str, Any]]:
    """Return all documents that have records, without what is not part of them."""
    return {
        f"{collection}/{document['_id']}": {
            name: value for name, value in document.items() if name not in ("unrecorded", "lease_owner", "lease_until")
        }
        for collection, _ in KINDS.values()
        for document in database[collection].find({})
    }


@pytest.fixture
def installation(make_services: Callable[..., Services]) -> Installation:
    return Installation(make_services)


@pytest.fixture
def lived_in(installation: Installation) -> Installation:
    """Two people, conversations, pictures with words about them, one in the trash, one deleted, shares of all sorts."""
    services = installation.services
    ann, bob = installation.register("ann"), installation.register("Bøb")
    answer = installation.draw(ann)
    services.gallery.describe(ann, answer.images[0].id, caption="Leuchtturm", tags=["sea", "night"], favourite=True)
    assert answer.conversation_id
    services.threads.rename(ann, answer.conversation_id, "At the sea")
    services.threads.ask(ann, answer.conversation_id, "and what is it?", attachments=(installation.upload(ann).id,))
    installation.draw(bob)
    services.gallery.trash(ann, installation.upload(ann, 2).id)
    installation.purge(installation.upload(ann, 3))
    services.sharing.create(ann, answer.conversation_id, password="hunter22")
    revoked, _ = services.sharing.create(ann, answer.conversation_id)
    services.sharing.revoke(ann, revoked.id)
    services.sharing.create(ann, answer.conversation_id, expires_in=60)
    services.linking.keep(ann, answer.images[0].id, "for the blog")
    ended, _ = services.linking.keep(ann, answer.images[0].id)
    services.linking.revoke(ann, ended.id)
    services.privacy.set_conversation(ann, answer.conversation_id, True)
    removed = services.threads.create(bob, "Forget this")
    services.threads.ask(bob, removed.id, "and this")
    services.threads.remove(bob, removed.id)
    for running in services.database["messages"].find({"status": "queued"}):
        services.repositories.messages.settle(running["_id"], "complete", content="A lighthouse.")
    for number, reason in enumerate([Sentence("At most %(most)s.", most=3), Sentence("It stopped.")]):
        _, failed = services.threads.ask(bob, None, f"and now? {number}")
        services.repositories.messages.settle(failed.id, "failed", error=reason)
    return installation


def test_a_lost_database_is_back_as_it_was(lived_in: Installation) -> None:
    before = everything(lived_in.services.database)
    reasons = [document["error"] for document in before.values() if document.get("error")]

    lived_in.lose_database()
    lived_in.rebuild()

    assert everything(lived_in.services.database) == before
    assert {"text": "At most %(most)s.", "values": {"most": 3}} in reasons
    assert "It stopped." in reasons


def test_a_preview_writes_nothing_and_tells_what_applying_does(lived_in: Installation) -> None:
    lived_in.lose_database()

    preview = lived_in.rebuild(apply=False)

    assert everything(lived_in.services.database) == {}
    applied = lived_in.rebuild()
    assert preview.added == applied.added
    assert sorted(preview.images) == sorted(applied.images)
    assert applied.added["users"] == 2


def test_doing_it_again_changes_nothing(lived_in: Installation) -> None:
    lived_in.lose_database()
    lived_in.rebuild()
    before = everything(lived_in.services.database)

    again = lived_in.rebuild()

    assert everything(lived_in.services.database) == before
    assert not any(again.added.values())
    assert again.images == []


def test_nothing_is_missing_so_nothing_is_added(lived_in: Installation) -> None:
    lived_in.catch_up()
    before = everything(lived_in.services.database)

    report = lived_in.rebuild()

    assert everything(lived_in.services.database) == before
    assert (report.lost, report.damaged, report.skipped, report.closed) == ({}, {}, {}, [])


def test_people_log_in_with_their_old_password(lived_in: Installation) -> None:
    lived_in.lose_database()

    lived_in.rebuild()

    assert lived_in.services.accounts.authenticate("ANN", PASSWORD).role == "admin"
    assert lived_in.services.accounts.authenticate("bøb", PASSWORD).role == "member"


def test_the_next_who_registers_is_no_administrator(lived_in: Installation) -> None:
    lived_in.lose_database()
    lived_in.rebuild()

    stranger = lived_in.register("stranger")

    assert stranger.role == "member"


def test_an_open_link_opens_and_a_revoked_or_expired_one_does_not(lived_in: Installation) -> None:
    ann = lived_in.services.accounts.authenticate("ann", PASSWORD)
    [conversation] = lived_in.services.threads.of(ann, 1)
    sharing = lived_in.services.sharing
    (good, good_token), (bad, bad_token) = (sharing.create(ann, conversation.id) for _ in range(2))
    sharing.revoke(ann, bad.id)
    old, old_token = sharing.create(ann, conversation.id, expires_in=60)
    shares = lived_in.services.database["shares"]
    shares.update_one(
        {"_id": old.id},
        {"$set": {"expires_at": now() - timedelta(seconds=1), "unrecorded": ["disk"]}, "$inc": {"revision": 1}},
    )

    lived_in.lose_database()
    lived_in.rebuild()

    sharing = lived_in.services.sharing
    assert sharing.open(good_token).id == good.id
    assert sharing.content(sharing.open(good_token)).pictures
    for token in (bad_token, old_token):
        with pytest.raises(NotFound):
            sharing.open(token)


def test_the_link_of_a_deleted_conversation_shows_it_also_after_the_database_was_lost(
    installation: Installation,
) -> None:
    ann = installation.register("ann")
    answer = installation.draw(ann)
    _, token = installation.services.sharing.create(ann, answer.conversation_id or "", live=True)
    installation.services.threads.remove(ann, answer.conversation_id or "")
    before = installation.services.sharing.content(installation.services.sharing.open(token))

    installation.lose_database()
    installation.rebuild()

    sharing = installation.services.sharing
    after = sharing.content(sharing.open(token))
    assert (after.title, after.messages) == (before.title, before.messages)
    assert list(after.pictures) == [answer.images[0].id]


def test_a_purged_picture_stays_gone_even_with_its_file_and_its_record_from_a_backup(
    installation: Installation, tmp_path: Path
) -> None:
    ann = installation.register("ann")
    image = installation.upload(ann)
    installation.catch_up()
    backup = tmp_path / "backup"
    shutil.copytree(installation.services.settings.storage_root, backup)
    installation.purge(image)

    installation.lose_database()
    shutil.copytree(backup, installation.services.settings.storage_root, dirs_exist_ok=True)
    report = installation.rebuild()

    assert report.gone == [image.id]
    assert installation.services.repositories.images.find(image.id, trashed=True) is None
    assert report.images == []


def test_a_purge_that_still_owes_a_remote_deletion_goes_on(
    make_services: Callable[..., Services], host_settings: dict[str, Any], hosts: Any
) -> None:
    installation = Installation(make_services, **host_settings, trash_days=0)
    ann = installation.register("ann")
    image = installation.upload(ann)
    hosts.postimages.fault = "500"
    hosts.imgbb.fault = "500"
    installation.services.repositories.images.trash(image.id)
    installation.services.deletion.purge_due()

    installation.lose_database()
    installation.rebuild()

    located = installation.services.repositories.images.find(image.id, trashed=True)
    assert located is None or (
        located.image.purging and not installation.services.repositories.images.untrash(image.id)
    )


def test_a_picture_without_bytes_is_listed_and_does_not_come_back(installation: Installation) -> None:
    ann = installation.register("ann")
    image, kept = installation.upload(ann), installation.upload(ann, 2)
    (installation.services.settings.storage_root / image.folder / image.filename).unlink()

    installation.lose_database()
    report = installation.rebuild()

    assert list(report.lost) == [image.id]
    assert report.images == [kept.id]
    assert installation.services.repositories.images.find(image.id) is None


@pytest.mark.parametrize(("damage", "state"), [(None, "evicted"), (b"other bytes", "corrupt")])
def test_a_picture_whose_bytes_are_only_in_the_cloud_comes_back_as_such(
    make_services: Callable[..., Services], host_settings: dict[str, Any], damage: bytes | None, state: str
) -> None:
    installation = Installation(make_services, **host_settings)
    ann = installation.register("ann")
    image = installation.upload(ann)
    path = installation.services.settings.storage_root / image.folder / image.filename
    path.unlink()
    if damage:
        path.write_bytes(damage)

    installation.lose_database()
    installation.rebuild()

    located = installation.services.repositories.images.find(image.id)
    assert located is not None
    assert located.image.local == state
    with installation.services.resolver.open(located.image).file as file:
        assert len(file.read()) == image.size


def test_the_words_around_a_lost_picture_come_back(installation: Installation) -> None:
    ann = installation.register("ann")
    answer = installation.draw(ann)
    image = answer.images[0]
    (installation.services.settings.storage_root / image.folder / image.filename).unlink()

    installation.lose_database()
    installation.rebuild()

    found = installation.services.repositories.messages.get(answer.id)
    assert found is not None
    assert (found.conversation_id, found.images) == (answer.conversation_id, ())


def test_an_answer_that_was_under_way_says_that_it_was_interrupted(installation: Installation) -> None:
    ann = installation.register("ann")
    image = installation.upload(ann)
    located = installation.services.repositories.images.find(image.id)
    assert located is not None
    messages = installation.services.database["messages"]
    messages.update_one({"_id": located.message_id}, {"$set": {"status": "streaming"}})

    installation.lose_database()
    installation.rebuild()

    found = installation.services.repositories.messages.get(located.message_id)
    assert found is not None
    assert (found.status, found.error) == ("interrupted", "The server stopped while this was being made.")


def test_a_name_that_somebody_took_meanwhile_does_not_keep_an_account_away(installation: Installation) -> None:
    old = installation.register("ann")
    image = installation.upload(old)
    installation.lose_database()
    new = installation.services.accounts.register("Ann", "another password")

    report = installation.rebuild()

    assert report.renamed == {old.id: f"ann {old.id[:8]}"}
    assert installation.services.accounts.authenticate(f"ann {old.id[:8]}", PASSWORD).id == old.id
    assert installation.services.accounts.authenticate("ann", "another password").id == new.id
    located = installation.services.repositories.images.find(image.id)
    assert located is not None
    assert located.image.owner_id == old.id


def test_damaged_and_foreign_files_are_named_and_the_rest_comes_back(lived_in: Installation) -> None:
    lived_in.catch_up()
    before = everything(lived_in.services.database)
    folder = lived_in.records
    victim = next(folder.glob("s-*.json"))
    victim.write_bytes(victim.read_bytes()[:-20])
    (folder / "notes.txt").write_text("mine")
    (folder / f"m-{new_id()}.json").symlink_to("/etc/passwd")
    (folder / "m-..json").write_text("{}")
    shares = f"shares/{victim.stem[2:]}"
    del before[shares]

    lived_in.lose_database()
    report = lived_in.rebuild()

    assert everything(lived_in.services.database) == before
    assert len(report.damaged) == 4


def test_a_picture_that_two_records_claim_is_given_to_neither(installation: Installation) -> None:
    ann, mallory = installation.register("ann"), installation.register("mallory")
    image = installation.upload(ann)
    stolen = image.model_copy(update={"owner_id": mallory.id})
    installation.lose_database()
    installation.put(make_message(mallory.id, conversation_id=None, images=(stolen,)))

    report = installation.rebuild()

    assert list(report.skipped) == [image.id]
    assert installation.services.repositories.images.find(image.id) is None


def test_a_record_cannot_take_a_picture_that_the_database_has(installation: Installation) -> None:
    ann, mallory = installation.register("ann"), installation.register("mallory")
    image = installation.upload(ann)
    installation.catch_up()
    stolen = image.model_copy(update={"owner_id": mallory.id})
    installation.put(make_message(mallory.id, conversation_id=None, images=(stolen,), revision=99))

    installation.rebuild()

    located = installation.services.repositories.images.find(image.id)
    assert located is not None
    assert located.image.owner_id == ann.id


def test_a_record_cannot_put_a_message_into_somebody_elses_conversation(installation: Installation) -> None:
    ann, mallory = installation.register("ann"), installation.register("mallory")
    conversation = installation.services.threads.create(ann)
    installation.catch_up()
    forged = make_message(mallory.id, conversation_id=conversation.id, content="ann said so")
    name = installation.put(forged)

    report = installation.rebuild()

    assert list(report.skipped) == [name]
    assert installation.services.repositories.messages.of(conversation.id) == []


def test_a_record_cannot_share_somebody_elses_conversation(installation: Installation) -> None:
    ann, mallory = installation.register("ann"), installation.register("mallory")
    conversation = installation.services.threads.create(ann)
    installation.catch_up()
    forged = Share(
        id=new_id(), owner_id=mallory.id, conversation_id=conversation.id, token_hash="0" * 64, until=now(),
        created_at=now(),
    )  # fmt: skip
    name = installation.put(forged)

    report = installation.rebuild()

    assert list(report.skipped) == [name]
    assert installation.services.database["shares"].count_documents({}) == 0


def test_a_message_of_nobody_is_left_out(installation: Installation) -> None:
    installation.register("ann")
    installation.catch_up()
    name = installation.put(make_message(images=()))

    report = installation.rebuild()

    assert list(report.skipped) == [name]


def test_a_record_that_points_outside_storage_reaches_nothing(installation: Installation) -> None:
    ann = installation.register("ann")
    installation.catch_up()
    image = make_image(ann.id)
    message = make_message(ann.id, conversation_id=None, images=(image,))
    record = json.loads(encode_record(message))
    record["document"]["images"][0]["filename"] = f"{image.id}.png/../../../../etc/passwd"
    (installation.records / f"m-{message.id}.json").write_text(json.dumps(record))

    report = installation.rebuild()

    assert list(report.damaged) == [f"m-{message.id}.json"]


def test_an_older_database_gets_the_pictures_and_the_closings_that_came_after_it(installation: Installation) -> None:
    services = installation.services
    ann = installation.register("ann")
    answer = installation.draw(ann)
    assert answer.conversation_id
    trashed, purged = installation.upload(ann, 4), installation.upload(ann, 5)
    share, token = services.sharing.create(ann, answer.conversation_id)
    link, linked = services.linking.keep(ann, answer.images[0].id)
    dump = {name: list(services.database[name].find({})) for name, _ in KINDS.values()}
    services.gallery.trash(ann, trashed.id)
    installation.purge(purged)
    services.sharing.revoke(ann, share.id)
    services.linking.revoke(ann, link.id)
    later = installation.draw(ann, answer.conversation_id)
    installation.lose_database()
    for name, documents in dump.items():
        if documents:
            installation.services.database[name].insert_many(documents)

    report = installation.rebuild()

    assert sorted(report.closed) == sorted([trashed.id, purged.id, share.id, link.id])
    assert report.images == [later.images[0].id]
    images = installation.services.repositories.images
    assert images.find(trashed.id) is None
    assert images.find(purged.id) is None
    with pytest.raises(NotFound):
        installation.services.sharing.open(token)
    with pytest.raises(NotFound):
        installation.services.linking.open(linked)


def test_a_newer_document_is_not_overwritten_by_an_older_record(installation: Installation) -> None:
    ann = installation.register("ann")
    image = installation.upload(ann)
    installation.catch_up()
    installation.services.gallery.describe(ann, image.id, caption="newer")
    before = everything(installation.services.database)

    installation.rebuild()

    assert everything(installation.services.database) == before


def test_records_that_are_nowhere_are_a_setting_to_mend(installation: Installation) -> None:
    with pytest.raises(SettingsError, match="s3"):
        installation.services.rebuild.run(apply=False, source="s3")


def test_registration_stays_as_it_was_set(make_services: Callable[..., Services]) -> None:
    installation = Installation(make_services, allow_registration=False)
    installation.services.accounts.create("ann", PASSWORD)

    installation.lose_database()
    installation.rebuild()

    with pytest.raises(Forbidden):
        installation.register("stranger")


def test_an_account_that_is_put_back_owns_what_it_owned(installation: Installation) -> None:
    ghost = make_user("ghost")
    installation.services.repositories.users.add(ghost)
    image = installation.upload(ghost)

    installation.lose_database()
    installation.rebuild()

    located = installation.services.repositories.images.find(image.id)
    assert located is not None
    assert located.image.owner_id == ghost.id
