"""Records follow their documents: through every change, interleaving and crash."""

from __future__ import annotations

import json
import random
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ChatBot.db.ledger import KINDS, REMOVAL_DELAY, REMOVAL_DROPPED
from ChatBot.db.repositories import Repositories
from ChatBot.errors import IntegrityError, StorageError
from ChatBot.media.files import FileStore
from ChatBot.media.paths import StoragePaths
from ChatBot.media.records import COMPLETE, DiskRecords, record_lock
from ChatBot.models import Conversation, Message, Recorded, User, new_id, now
from ChatBot.services.pictures.deletion import Deletion
from ChatBot.services.records import SUFFIX, Records, decode_record, encode_record
from tests.services.workshop import ScriptedHost, Workshop, make_image, make_message, make_user


class HookedRecords(DiskRecords):
    """Calls ``after_put`` once a record's file is written: another process that is faster, or a crash."""

    def __init__(self, files: FileStore) -> None:
        super().__init__(files)
        self.after_put: list[Callable[[], None]] = []
        self.written: list[str] = []

    def put(self, filename: str, data: bytes) -> None:
        super().put(filename, data)
        self.written.append(filename)
        if self.after_put:
            self.after_put.pop(0)()


def crash() -> None:
    raise StorageError("killed")


class Clerk:
    """Whoever writes the records of a workshop."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.ledger = workshop.repositories.ledger
        self.store = HookedRecords(workshop.files)
        self.records = Records(self.ledger, self.store, record_lock(StoragePaths(workshop.root), "disk"))

    def catch_up(self) -> None:
        """Do all that is due, removals too, however young."""
        self.workshop.database["removals"].update_many({}, [{"$set": {"at": "$asked_at"}}])
        self.workshop.database["removals"].update_many({}, {"$set": {"at": now() - REMOVAL_DELAY}})
        while self.records.work_once():
            pass

    def read(self, model: type[Recorded], document_id: str) -> Recorded:
        """Return what the record of a document says."""
        [kind] = [kind for kind, (_, each) in KINDS.items() if each is model]
        filename = f"{kind}-{document_id}{SUFFIX}"
        return decode_record(filename, self.store.get(filename), model)

    def folder(self) -> dict[str, Recorded]:
        """Return what all records say."""
        return {
            filename.removesuffix(SUFFIX): decode_record(filename, self.store.get(filename), KINDS[filename[0]][1])
            for filename in self.store.names()
            if filename != COMPLETE
        }

    def forget_everything(self) -> None:
        """Empty the database and the folder, for the next example."""
        for collection, _ in (*KINDS.values(), ("removals", Recorded)):
            self.workshop.database[collection].delete_many({})
        for filename in self.store.names():
            self.store.remove(filename)
        self.store.put(COMPLETE, b"{}")

    def documents(self) -> dict[str, Recorded]:
        """Return what is worth a record in the database."""
        found: dict[str, Recorded] = {}
        for kind, (collection, model) in KINDS.items():
            for document in self.workshop.database[collection].find({}):
                found[f"{kind}-{document['_id']}"] = model.from_document(document)
        return found


def same(value: Recorded) -> Recorded:
    """Return a value without the marks that are not part of a record."""
    return value.model_copy(update={"unrecorded": ()})


def agree(clerk: Clerk) -> None:
    """Check that each record says what its document says, and that there are no others."""
    records, documents = clerk.folder(), clerk.documents()
    assert {name: same(value) for name, value in records.items()} == {
        name: same(value) for name, value in documents.items()
    }


@pytest.fixture
def clerk(workshop: Workshop) -> Clerk:
    return Clerk(workshop)


def test_a_new_picture_has_a_record_with_everything_that_is_known_of_it(
    make_workshop: Callable[..., Workshop], ann: User
) -> None:
    clerk = Clerk(make_workshop(hosts=(ScriptedHost(),)))
    image = clerk.workshop.upload(ann)

    clerk.catch_up()

    located = clerk.workshop.images.find(image.id)
    assert located is not None
    message = clerk.read(Message, located.message_id)
    assert isinstance(message, Message)
    assert message.images == (clerk.workshop.image(image.id),)
    assert message.images[0].copies[0].delete_url


def test_records_are_for_this_account_only(clerk: Clerk, ann: User) -> None:
    clerk.catch_up()

    path = clerk.workshop.root / "records" / f"u-{ann.id}.json"

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_record_says_nothing_about_where_it_was_written(clerk: Clerk, ann: User) -> None:
    clerk.catch_up()

    record = json.loads((clerk.workshop.root / "records" / f"u-{ann.id}.json").read_bytes())

    assert "unrecorded" not in record["document"]


def test_words_that_still_stream_are_not_recorded(clerk: Clerk, ann: User) -> None:
    conversation = clerk.workshop.threads.create(ann)
    answer = make_message(ann.id, conversation_id=conversation.id, status="queued")
    clerk.workshop.messages.add(answer)
    clerk.catch_up()
    clerk.store.written.clear()

    clerk.workshop.messages.begin(answer.id, new_id(), now() + timedelta(minutes=1))
    for words in ("Once", "Once upon", "Once upon a time"):
        clerk.workshop.messages.set_content(answer.id, words)
        clerk.catch_up()

    assert clerk.store.written == []


def test_a_settled_answer_is_recorded_once(clerk: Clerk, ann: User) -> None:
    answer = make_message(ann.id, status="queued")
    clerk.workshop.messages.add(answer)
    clerk.catch_up()
    clerk.store.written.clear()

    clerk.workshop.messages.settle(answer.id, "complete", content="Once upon a time")
    clerk.catch_up()

    assert clerk.store.written == [f"m-{answer.id}{SUFFIX}"]


def test_a_change_while_the_record_is_written_is_recorded_too(clerk: Clerk, ann: User) -> None:
    clerk.catch_up()
    image = clerk.workshop.upload(ann)

    def describe() -> None:
        clerk.workshop.gallery.describe(ann, image.id, caption="Lighthouse")

    clerk.store.after_put.append(describe)
    clerk.catch_up()

    agree(clerk)


def test_a_slow_process_does_not_leave_its_older_record_behind(clerk: Clerk, ann: User) -> None:
    clerk.catch_up()
    image = clerk.workshop.upload(ann)
    located = clerk.workshop.images.find(image.id)
    assert located is not None
    name = f"m-{located.message_id}"

    def overtake() -> None:
        """Another machine, which this one's lock does not hold up, records a newer revision."""
        clerk.workshop.gallery.describe(ann, image.id, caption="Lighthouse")
        value = clerk.ledger.read(name)
        assert value is not None
        assert clerk.ledger.settle({name: value.revision}, "disk") == []

    clerk.store.after_put.append(overtake)
    clerk.catch_up()

    agree(clerk)


def test_a_crash_between_the_file_and_its_mark_writes_the_record_again(clerk: Clerk, ann: User) -> None:
    clerk.catch_up()
    clerk.workshop.upload(ann)
    clerk.store.after_put.append(crash)

    with pytest.raises(StorageError):
        clerk.catch_up()
    clerk.store.written.clear()
    clerk.catch_up()

    assert len(clerk.store.written) == 1
    agree(clerk)


def test_a_removed_conversation_takes_its_records_along(clerk: Clerk, ann: User) -> None:
    conversation = clerk.workshop.threads.create(ann, "Secrets")
    clerk.workshop.threads.ask(ann, conversation.id, "the word is mellon")
    clerk.catch_up()

    clerk.workshop.threads.remove(ann, conversation.id)
    clerk.catch_up()

    everything = "".join(path.read_text() for path in (clerk.workshop.root / "records").glob("*.json"))
    assert "mellon" not in everything
    assert "Secrets" not in everything
    agree(clerk)


def test_a_record_that_was_written_while_its_document_went_goes_too(clerk: Clerk, ann: User) -> None:
    conversation = clerk.workshop.threads.create(ann)
    clerk.store.after_put += [lambda: None, lambda: clerk.workshop.threads.remove(ann, conversation.id)]

    clerk.catch_up()
    clerk.catch_up()

    agree(clerk)


def test_a_removal_whose_document_stays_is_dropped(clerk: Clerk, ann: User) -> None:
    clerk.catch_up()
    asked_at = now() - REMOVAL_DROPPED - timedelta(minutes=1)
    removal = {"_id": f"u-{ann.id}", "at": asked_at, "asked_at": asked_at, "unrecorded": ["disk"]}
    clerk.workshop.database["removals"].insert_one(removal)

    clerk.records.work_once()

    assert clerk.workshop.database["removals"].count_documents({}) == 0
    agree(clerk)


def test_a_young_removal_waits_for_its_document(clerk: Clerk, ann: User) -> None:
    clerk.catch_up()
    asked_at = now() - timedelta(seconds=5)
    removal = {"_id": f"u-{ann.id}", "at": asked_at, "asked_at": asked_at, "unrecorded": ["disk"]}
    clerk.workshop.database["removals"].insert_one(removal)

    clerk.records.work_once()

    assert clerk.workshop.database["removals"].count_documents({}) == 1
    assert clerk.records.work_once() is False
    agree(clerk)


def test_a_wiped_folder_gets_all_records_again(clerk: Clerk, ann: User) -> None:
    clerk.workshop.upload(ann)
    clerk.catch_up()
    for path in (clerk.workshop.root / "records").glob("*.json"):
        path.unlink()

    Clerk(clerk.workshop).catch_up()

    agree(clerk)


def test_documents_from_before_there_were_records_get_them(clerk: Clerk, ann: User) -> None:
    clerk.workshop.upload(ann)
    for collection, _ in KINDS.values():
        clerk.workshop.database[collection].update_many({}, {"$unset": {"unrecorded": 1, "revision": 1}})

    clerk.catch_up()

    agree(clerk)


def test_a_document_that_cannot_be_read_does_not_hold_up_the_others(clerk: Clerk, ann: User) -> None:
    clerk.workshop.database["conversations"].insert_one({"_id": new_id(), "unrecorded": ["disk"], "title": 7})
    image = clerk.workshop.upload(ann)

    clerk.catch_up()

    located = clerk.workshop.images.find(image.id)
    assert located is not None
    assert clerk.read(Message, located.message_id)


def test_the_tombstones_record_is_on_the_disk_before_the_picture_goes(clerk: Clerk, ann: User) -> None:
    workshop = clerk.workshop
    image = workshop.upload(ann)
    workshop.gallery.trash(ann, image.id)
    seen: list[bool] = []

    def bury(image_id: str) -> None:
        clerk.records.bury(image_id)
        seen.append(workshop.path(image).exists())

    deletion = Deletion(
        workshop.images, workshop.repositories.tombstones, workshop.files, workshop.chain, trash_days=30, bury=bury
    )
    located = workshop.images.find(image.id, trashed=True)
    assert located is not None

    deletion.purge(located)

    assert seen == [True]
    assert (workshop.root / "records" / f"t-{image.id}.json").exists()
    assert not workshop.path(image).exists()
    clerk.catch_up()
    agree(clerk)


@dataclass
class Life:
    """Somebody who changes things, whoever records the changes, and chance."""

    clerk: Clerk
    user: User
    chance: random.Random

    def conversation(self) -> Conversation:
        """Return the last used conversation, a new one when there is none."""
        threads = self.clerk.workshop.threads
        return next(iter(threads.of(self.user, 1)), None) or threads.create(self.user)

    def image_id(self, *, trashed: bool = False) -> str | None:
        """Return one of the pictures, None when there is none."""
        found = [each.image for each in self.clerk.workshop.images.each(self.user.id)]
        ids = [image.id for image in found if (image.trashed_at is not None) == trashed]
        return self.chance.choice(ids) if ids else None


Step = Callable[[Life], None]


def upload(life: Life) -> None:
    life.clerk.workshop.messages.add(
        make_message(life.user.id, conversation_id=None, images=(make_image(life.user.id),))
    )


def answer(life: Life) -> None:
    conversation = life.conversation()
    message = make_message(life.user.id, conversation_id=conversation.id, status="queued")
    life.clerk.workshop.messages.add(message)
    life.clerk.workshop.messages.set_content(message.id, "Once upon")
    if life.chance.random() < 0.5:
        life.clerk.workshop.messages.settle(message.id, "streaming", images=[make_image(life.user.id)])
    life.clerk.workshop.messages.settle(message.id, "complete", content="Once upon a time")


def describe(life: Life) -> None:
    if image_id := life.image_id():
        life.clerk.workshop.gallery.describe(
            life.user, image_id, caption=str(life.chance.random()), tags=["a"], favourite=True
        )


def trash(life: Life) -> None:
    if image_id := life.image_id():
        life.clerk.workshop.gallery.trash(life.user, image_id)


def untrash(life: Life) -> None:
    if image_id := life.image_id(trashed=True):
        life.clerk.workshop.images.untrash(image_id)


def purge(life: Life) -> None:
    image_id = life.image_id(trashed=True)
    located = life.clerk.workshop.images.find(image_id, trashed=True) if image_id else None
    if located:
        life.clerk.workshop.deletion.purge(located)


def evict(life: Life) -> None:
    if image_id := life.image_id():
        life.clerk.workshop.images.set_local(image_id, "present", "evicted")


def ask(life: Life) -> None:
    life.clerk.workshop.threads.ask(life.user, life.conversation().id, "a question")


def share(life: Life) -> None:
    conversation = life.conversation()
    if life.clerk.workshop.messages.of(conversation.id):
        life.clerk.workshop.sharing.create(life.user, conversation.id)


def revoke(life: Life) -> None:
    for each in life.clerk.workshop.sharing.of(life.user, 1):
        life.clerk.workshop.sharing.revoke(life.user, each.id)


def remove(life: Life) -> None:
    life.clerk.workshop.threads.remove(life.user, life.conversation().id)


def promote(life: Life) -> None:
    life.clerk.workshop.repositories.users.set_role(life.user.id, life.chance.choice(["admin", "member"]))


def record(life: Life) -> None:
    life.clerk.records.work_once()


def record_and_crash(life: Life) -> None:
    life.clerk.store.after_put = [crash]
    try:
        life.clerk.records.work_once()
    except StorageError:
        life.clerk.records = Clerk(life.clerk.workshop).records
    life.clerk.store.after_put = []


def record_while_something_changes(life: Life) -> None:
    step = life.chance.choice([describe, trash, untrash, promote, revoke, remove, evict])
    life.clerk.store.after_put = [lambda: step(life)]
    life.clerk.records.work_once()
    life.clerk.store.after_put = []


STEPS: list[Step] = [
    upload, answer, describe, trash, untrash, purge, evict, ask, share, revoke, remove, promote,
    record, record_and_crash, record_while_something_changes,
]  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), max_size=25), seed=st.integers(0, 2**32))
def test_any_order_of_changes_and_crashes_ends_with_records_equal_to_the_documents(
    clerk: Clerk, repositories: Repositories, steps: list[Step], seed: int
) -> None:
    user = make_user(f"user {new_id()}")
    repositories.users.add(user)
    life = Life(clerk, user, random.Random(seed))
    upload(life)
    answer(life)

    for step in steps:
        step(life)
        if life.chance.random() < 0.5:  # else the changes pile up
            settle_the_unanswered(life)
            clerk.catch_up()
            agree(clerk)

    settle_the_unanswered(life)
    clerk.catch_up()
    agree(clerk)
    clerk.forget_everything()


def settle_the_unanswered(life: Life) -> None:
    for document in life.clerk.workshop.database["messages"].find({"status": "queued"}):
        life.clerk.workshop.messages.settle(document["_id"], "cancelled")


def test_a_record_comes_back_as_it_was() -> None:
    message = make_message(images=(), content="naïve 😀 \x00 text", request={"strength": 0.1, "seed": 2**63})

    data = encode_record(message)

    assert decode_record(f"m-{message.id}.json", data, Message) == message


def _tampered(value: Recorded, **changes: object) -> bytes:
    record = json.loads(encode_record(value))
    record["document"].update(changes)
    return json.dumps(record).encode()


USER = make_user()
GOOD = encode_record(USER)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b"{}",
        b'{"format": 1, "kind": "u", "document": []}',
        b'{"format": 1, "kind": "u", "document": {"id": ["x"]}}',
        GOOD[:-1],
        GOOD.replace(b'"format": 1', b'"format": 2'),
        GOOD.replace(b'"kind": "u"', b'"kind": "m"'),
        GOOD.replace(b'"kind": "u"', b'"kind": {}'),
        GOOD.replace(USER.id.encode(), new_id().encode()),
        _tampered(USER, role="admin"),
        _tampered(USER, username=7),
        GOOD[:60] + bytes([GOOD[60] ^ 1]) + GOOD[61:],
        b" " * 64_000_001,
    ],
    ids=range(20),
)
def test_what_is_not_the_whole_record_is_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        decode_record(f"u-{USER.id}.json", data, User)


@pytest.mark.parametrize(
    "images",
    [
        lambda _: (make_image(new_id()),),
        lambda owner: (make_image(owner, filename=f"{new_id()}.png"),),
        lambda owner: (make_image(owner, filename="../../records/u-0.json"),),
        lambda owner: (make_image(owner, id=USER.id), make_image(owner, id=USER.id)),
    ],
    ids=["somebody else's", "under another name", "outside", "twice"],
)
def test_a_message_with_pictures_that_are_not_its_own_is_refused(images: Callable[[str], tuple[object, ...]]) -> None:
    owner = new_id()
    message = make_message(owner, images=images(owner))

    with pytest.raises(IntegrityError):
        decode_record(f"m-{message.id}.json", encode_record(message), Message)


def test_two_processes_never_write_at_the_same_time(tmp_path: Path) -> None:
    paths = StoragePaths(tmp_path)
    paths.ensure()
    entered = threading.Event()

    def other_process() -> None:
        with record_lock(paths, "disk"):
            entered.set()

    waiting = threading.Thread(target=other_process)
    with record_lock(paths, "disk"):
        waiting.start()
        let_in = entered.wait(0.2)
    waiting.join()

    assert not let_in
    assert entered.is_set()
