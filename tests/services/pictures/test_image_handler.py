"""The order of a save, and what is kept when one of its steps fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from ChatBot.db.messages import Messages
from ChatBot.errors import (
    Cancelled,
    ChatBotError,
    DatabaseUnavailable,
    PictureRefused,
    ProviderRefused,
    ProviderUnavailable,
    StorageFull,
)
from ChatBot.media.files import FileStore
from ChatBot.media.paths import StoragePaths
from ChatBot.models import Message, Provenance, User
from ChatBot.services.pictures.image_handler import ImageHandler, Staged
from tests.services.workshop import (
    LIMITS,
    SETTLED_SECONDS,
    ScriptedHost,
    Workshop,
    make_message,
    only_copy,
    picture,
    states,
    wide_picture,
)


class DiaryStore(FileStore):
    """Notes when a picture's write begins and when it is durable; fails as told."""

    def __init__(self, paths: StoragePaths, diary: list[str], before: Callable[[], None] = lambda: None) -> None:
        super().__init__(paths)
        self.diary = diary
        self.before = before
        self.error: ChatBotError | None = None
        self.thumbnail_error: ChatBotError | None = None

    def write(self, folder: str, filename: str, data: bytes, **options: bool) -> None:
        self.before()
        if self.error:
            raise self.error
        super().write(folder, filename, data, **options)
        self.diary.append("file durable")

    def write_thumbnail(self, image_id: str, width: int, data: bytes) -> None:
        if self.thumbnail_error:
            raise self.thumbnail_error
        super().write_thumbnail(image_id, width, data)


@dataclass
class DiaryMessages:
    """Notes when a document is written; refuses, or writes and says nothing, as told."""

    messages: Messages
    diary: list[str]
    refusal: ChatBotError | None = None
    silence: ChatBotError | None = None

    def add(self, *messages: Message) -> None:
        self._write(lambda: self.messages.add(*messages))

    def settle(self, *arguments: Any, **options: Any) -> Message | None:
        message: Message | None = self._write(lambda: self.messages.settle(*arguments, **options))
        return message

    def get(self, message_id: str) -> Message | None:
        return self.messages.get(message_id)

    def _write(self, write: Callable[[], Any]) -> Any:
        if self.refusal:
            raise self.refusal
        result = write()
        self.diary.append("document written")
        if self.silence:
            raise self.silence
        return result


@dataclass
class Bench:
    """A handler between recording fakes."""

    workshop: Workshop
    host: ScriptedHost
    store: DiaryStore
    messages: DiaryMessages
    handler: ImageHandler
    diary: list[str]

    def stage(self, user: User, seed: int = 1) -> Staged:
        return self.handler.stage(picture(seed), Provenance(owner_id=user.id, generated=True))

    def wait_for_uploads(self) -> None:
        self.workshop.replicator.close()


@pytest.fixture
def bench(make_workshop: Callable[..., Workshop]) -> Bench:
    diary: list[str] = []
    host = ScriptedHost(diary=diary)
    stores: list[DiaryStore] = []

    def store(paths: StoragePaths) -> FileStore:
        stores.append(DiaryStore(paths, diary))
        return stores[0]

    workshop = make_workshop(hosts=(host,), store=store)
    messages = DiaryMessages(workshop.messages, diary)
    handler = ImageHandler(
        workshop.files,
        messages,  # type: ignore[arg-type] # it has the three methods that a save calls
        workshop.replicator,
        workshop.privacy,
        LIMITS,
        cloud_wait_seconds=SETTLED_SECONDS,
    )
    return Bench(workshop, host, stores[0], messages, handler, diary)


def test_the_upload_starts_before_the_write_ends(bench: Bench, ann: User) -> None:
    uploading = threading.Event()
    bench.host.on_upload = lambda _: uploading.set()
    seen = []
    bench.store.before = lambda: seen.append(uploading.wait(SETTLED_SECONDS))

    bench.handler.save_upload(picture(), Provenance(owner_id=ann.id, generated=False))

    assert seen == [True]


def test_the_file_is_durable_before_the_document_and_the_document_before_the_answer(bench: Bench, ann: User) -> None:
    bench.handler.save_upload(picture(), Provenance(owner_id=ann.id, generated=False))
    bench.diary.append("acknowledged")

    steps = [step for step in bench.diary if not step.startswith("first:")]
    assert steps == ["file durable", "document written", "acknowledged"]


def test_a_generated_picture_follows_the_same_order(bench: Bench, ann: User) -> None:
    message = make_message(ann.id, status="streaming")
    bench.workshop.messages.add(message)

    bench.handler.commit(message.id, [bench.stage(ann)])

    steps = [step for step in bench.diary if not step.startswith("first:")]
    assert steps == ["file durable", "document written"]


def test_the_first_document_already_holds_the_pending_copy(bench: Bench, ann: User) -> None:
    bench.host.gate.clear()
    message = make_message(ann.id, status="streaming")
    bench.workshop.messages.add(message)

    committed = bench.handler.commit(message.id, [bench.stage(ann)])

    assert states(committed.images[0]) == {"first": "leased"}
    assert only_copy(committed.images[0]).lease_until is not None
    bench.host.gate.set()


def test_the_answer_shows_the_copy_that_was_proved_in_time(bench: Bench, ann: User) -> None:
    image = bench.handler.save_upload(picture(), Provenance(owner_id=ann.id, generated=False))

    copy = only_copy(image)
    assert (copy.state, copy.fidelity) == ("verified", "exact")
    assert bench.host.pictures[copy.url or ""] == bench.workshop.path(image).read_bytes()
    assert copy.delete_url


def test_the_answer_does_not_wait_for_a_host_that_hangs(make_workshop: Callable[..., Workshop], ann: User) -> None:
    host = ScriptedHost()
    host.gate.clear()
    workshop = make_workshop(hosts=(host,), cloud_wait_seconds=0.01)

    image = workshop.upload(ann)

    assert states(image) == {"first": "leased"}
    host.gate.set()
    workshop.replicator.close()
    assert states(workshop.image(image.id)) == {"first": "verified"}


@pytest.mark.parametrize(
    "error",
    [ProviderUnavailable("down", provider="first"), ProviderRefused("no", provider="first", reason="auth")],
)
def test_a_host_that_fails_does_not_fail_the_save(bench: Bench, ann: User, error: ChatBotError) -> None:
    bench.host.down = error

    image = bench.handler.save_upload(picture(), Provenance(owner_id=ann.id, generated=False))

    assert bench.workshop.path(image).exists()
    assert only_copy(image).error == str(error)


def test_a_host_that_breaks_in_an_unforeseen_way_does_not_fail_the_save(bench: Bench, ann: User) -> None:
    bench.host.upload_errors.append(KeyError("a defect of the host's class"))

    image = bench.handler.save_upload(picture(), Provenance(owner_id=ann.id, generated=False))

    assert bench.workshop.path(image).exists()
    assert states(image) == {"first": "leased"}


def test_a_save_with_thumbnails_writes_them(bench: Bench, ann: User) -> None:
    image = bench.handler.save_upload(wide_picture(), Provenance(owner_id=ann.id, generated=False))

    assert bench.workshop.stored_files() == {image.filename, f"{image.id}_256.webp"}


def test_the_document_says_what_is_true_of_the_bytes(bench: Bench, ann: User) -> None:
    image = bench.handler.save_upload(picture(), Provenance(owner_id=ann.id, generated=False, original_name="fox.png"))

    stored = bench.workshop.image(image.id)
    data = bench.workshop.path(image).read_bytes()
    assert (stored.size, stored.width, stored.height) == (len(data), 64, 48)
    assert (stored.owner_id, stored.folder, stored.original_name) == (ann.id, "uploads", "fox.png")
    assert bench.workshop.files.read(image.folder, image.filename, stored.sha256) == data


@pytest.mark.parametrize("data", [b"", b"hello", picture()[:200]], ids=["empty", "text", "half"])
def test_what_is_no_picture_is_refused_and_goes_nowhere(bench: Bench, ann: User, data: bytes) -> None:
    with pytest.raises(PictureRefused):
        bench.handler.save_upload(data, Provenance(owner_id=ann.id, generated=False))

    assert bench.diary == []
    assert bench.workshop.stored_files() == set()


def test_a_full_disk_keeps_nothing_and_takes_the_upload_back(bench: Bench, ann: User) -> None:
    bench.store.error = StorageFull("no room")

    with pytest.raises(StorageFull):
        bench.handler.save_upload(picture(), Provenance(owner_id=ann.id, generated=False))

    bench.wait_for_uploads()
    assert bench.host.pictures == {}
    assert "document written" not in bench.diary
    assert bench.workshop.stored_files() == set()


def test_a_disk_that_fills_at_the_thumbnail_keeps_nothing_either(bench: Bench, ann: User) -> None:
    bench.store.thumbnail_error = StorageFull("no room")

    with pytest.raises(StorageFull):
        bench.handler.save_upload(wide_picture(), Provenance(owner_id=ann.id, generated=False))

    bench.wait_for_uploads()
    assert bench.host.pictures == {}
    assert bench.workshop.stored_files() == set()


def test_a_document_that_is_refused_takes_file_and_upload_with_it(bench: Bench, ann: User) -> None:
    bench.messages.refusal = ChatBotError("the document is too large")

    with pytest.raises(ChatBotError, match="too large"):
        bench.handler.save_upload(wide_picture(), Provenance(owner_id=ann.id, generated=False))

    bench.wait_for_uploads()
    assert bench.host.pictures == {}
    assert bench.workshop.stored_files() == set()


def test_a_document_of_unknown_outcome_keeps_file_and_copy(bench: Bench, ann: User) -> None:
    bench.messages.silence = DatabaseUnavailable("no confirmation")

    with pytest.raises(DatabaseUnavailable):
        bench.handler.save_upload(picture(), Provenance(owner_id=ann.id, generated=False))

    bench.wait_for_uploads()
    (located,) = bench.workshop.images.each(ann.id)
    assert bench.workshop.path(located.image).exists()
    assert states(located.image) == {"first": "verified"}


def test_an_upload_whose_document_never_came_is_taken_back(bench: Bench, ann: User) -> None:
    bench.messages.refusal = DatabaseUnavailable("no answer")

    with pytest.raises(DatabaseUnavailable):
        bench.handler.save_upload(picture(), Provenance(owner_id=ann.id, generated=False))

    bench.wait_for_uploads()
    assert bench.host.pictures == {}
    assert len(bench.workshop.stored_files()) == 1


@pytest.mark.parametrize("status", ["cancelled", "failed", "complete"])
def test_pictures_of_a_message_that_no_longer_waits_are_discarded(bench: Bench, ann: User, status: str) -> None:
    message = make_message(ann.id, status=status)
    bench.workshop.messages.add(message)
    staged = [bench.stage(ann, 1), bench.stage(ann, 2)]

    with pytest.raises(Cancelled):
        bench.handler.commit(message.id, staged)

    bench.wait_for_uploads()
    assert bench.host.pictures == {}
    assert bench.workshop.stored_files() == set()


def test_all_pictures_of_one_request_appear_in_one_write(bench: Bench, ann: User) -> None:
    message = make_message(ann.id, status="streaming")
    bench.workshop.messages.add(message)

    committed = bench.handler.commit(message.id, [bench.stage(ann, 1), bench.stage(ann, 2)])

    assert len(committed.images) == 2
    assert bench.diary.count("document written") == 1


def test_without_hosts_a_picture_has_no_copies(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann)

    assert image.copies == ()
    assert workshop.path(image).exists()
