"""Picture requests: at most one effect per key, nothing left behind by what failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ChatBot.errors import (
    Cancelled,
    Conflict,
    InputError,
    NotFound,
    ProviderRefused,
    ProviderUnavailable,
    StorageFull,
)
from ChatBot.generators.base import GenerationRequest
from ChatBot.media.files import FileStore
from ChatBot.models import Message, User
from ChatBot.sentence import Sentence
from ChatBot.services.access import Viewer
from tests.services.workshop import (
    SETTLED_SECONDS,
    ScriptedGenerator,
    ScriptedHost,
    Workshop,
    at_once,
    picture,
)

REQUEST = GenerationRequest("a red fox", seed=7)


@pytest.fixture
def generator() -> ScriptedGenerator:
    return ScriptedGenerator()


@pytest.fixture
def studio(make_workshop: Callable[..., Workshop], generator: ScriptedGenerator) -> Workshop:
    return make_workshop(generator=generator)


def kinds(workshop: Workshop, message: Message) -> list[str]:
    """Return the kinds of events a message's conversation has seen."""
    assert message.conversation_id
    return [event.type for event in workshop.repositories.events.after(message.conversation_id, 0)]


def test_a_request_becomes_a_question_and_an_answer_with_its_picture(studio: Workshop, ann: User) -> None:
    message = studio.settled(studio.generation.start(ann, None, REQUEST))

    conversation = studio.threads.get(Viewer(ann), message.conversation_id or "")
    question, answer = studio.threads.messages(Viewer(ann), conversation)
    (image,) = answer.images
    assert (question.content, conversation.title) == ("/image a red fox", "a red fox")
    assert (answer.id, answer.status) == (message.id, "complete")
    assert (image.prompt, image.seed, image.model, image.generator) == ("a red fox", 7, "scripted-1", "scripted")
    assert (image.generated, image.folder, image.owner_id) == (True, "Image_Gen", ann.id)
    assert studio.path(image).exists()


def test_what_happens_is_told_in_order(studio: Workshop, ann: User) -> None:
    message = studio.settled(studio.generation.start(ann, None, REQUEST))

    told = [kind for kind in kinds(studio, message) if kind not in ("message", "conversation")]
    assert told == ["progress", "progress", "stored", "updated", "done"]


def test_the_same_key_from_many_threads_draws_once(studio: Workshop, generator: ScriptedGenerator, ann: User) -> None:
    messages = at_once(lambda _: studio.generation.start(ann, None, REQUEST, idempotency_key="k"), 8)

    settled = [studio.settled(message) for message in messages]
    assert len({message.id for message in settled}) == 1
    assert len(generator.requests) == 1
    assert len(settled[0].images) == 1
    assert len(studio.threads.of(ann, 10)) == 1
    assert len(list(studio.images.each(ann.id))) == 1


def test_a_repeated_key_answers_with_the_first_message(
    studio: Workshop, generator: ScriptedGenerator, ann: User
) -> None:
    first = studio.settled(studio.generation.start(ann, None, REQUEST, idempotency_key="k"))

    again = studio.generation.start(ann, None, REQUEST, idempotency_key="k")

    assert (again.id, again.images) == (first.id, first.images)
    assert len(generator.requests) == 1


def test_a_key_that_was_used_for_another_request_is_a_conflict(studio: Workshop, ann: User) -> None:
    studio.settled(studio.generation.start(ann, None, REQUEST, idempotency_key="k"))

    with pytest.raises(Conflict, match="Idempotency-Key"):
        studio.generation.start(ann, None, replace(REQUEST, seed=8), idempotency_key="k")

    assert len(studio.threads.of(ann, 10)) == 1


def test_keys_of_two_accounts_do_not_meet(studio: Workshop, ann: User, bob: User) -> None:
    hers = studio.generation.start(ann, None, REQUEST, idempotency_key="k")
    his = studio.generation.start(bob, None, REQUEST, idempotency_key="k")

    assert hers.id != his.id
    assert studio.settled(his).owner_id == bob.id


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": "  "},
        {"prompt": "x" * 32_001},
        {"negative_prompt": "x" * 32_001},
        {"width": 63},
        {"height": 2049},
        {"count": 0},
        {"count": 9},
        {"seed": -1},
        {"seed": 2**32},
    ],
)
def test_a_request_out_of_bounds_writes_nothing(studio: Workshop, ann: User, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        studio.generation.start(ann, None, replace(REQUEST, **wrong))

    assert studio.threads.of(ann, 10) == []


def test_an_unknown_generator_is_named_with_the_known_ones(studio: Workshop, ann: User) -> None:
    with pytest.raises(InputError, match="scripted"):
        studio.generation.start(ann, None, REQUEST, generator="nothing")


def test_nobody_draws_into_another_accounts_conversation(studio: Workshop, ann: User, bob: User) -> None:
    conversation = studio.threads.create(ann)

    with pytest.raises(NotFound):
        studio.generation.start(bob, conversation.id, REQUEST)

    assert studio.messages.of(conversation.id) == []


@pytest.mark.parametrize(
    "error",
    [
        ProviderRefused("The picture was refused: moderation.", provider="scripted", reason="moderation"),
        ProviderUnavailable("The generator does not answer.", provider="scripted"),
    ],
)
def test_a_generator_that_fails_fails_the_message_with_its_reason(
    studio: Workshop, generator: ScriptedGenerator, ann: User, error: Exception
) -> None:
    generator.error = error

    message = studio.settled(studio.generation.start(ann, None, REQUEST))

    assert (message.status, message.error, message.images) == ("failed", str(error), ())
    assert {"failed", "done"} <= set(kinds(studio, message))
    assert studio.stored_files() == set()


def test_a_reason_with_values_is_kept_with_them(studio: Workshop, generator: ScriptedGenerator, ann: User) -> None:
    reason = Sentence("At most %(most)s pixels.", most=4_000_000)
    generator.error = ProviderUnavailable(reason, provider="scripted")

    message = studio.settled(studio.generation.start(ann, None, REQUEST))

    assert message.error is not None
    assert message.error == "At most 4,000,000 pixels."
    assert (message.error.original, message.error.values) == (reason.original, reason.values)


def test_a_generator_that_breaks_fails_the_message_without_its_secrets(
    studio: Workshop, generator: ScriptedGenerator, ann: User
) -> None:
    generator.error = RuntimeError("key=hunter2")

    message = studio.settled(studio.generation.start(ann, None, REQUEST))

    assert message.status == "failed"
    assert "hunter2" not in str(message.error)
    assert kinds(studio, message)[-1] == "done"


@pytest.mark.parametrize("bad", [b"", b"<html>", picture()[:300]], ids=["empty", "page", "half"])
def test_picture_bytes_that_cannot_be_kept_keep_none_of_the_request(
    make_workshop: Callable[..., Workshop], ann: User, bad: bytes
) -> None:
    host = ScriptedHost()
    studio = make_workshop(hosts=(host,), generator=ScriptedGenerator(picture(1), bad))

    message = studio.settled(studio.generation.start(ann, None, replace(REQUEST, count=2)))

    studio.replicator.close()
    assert (message.status, message.images) == ("failed", ())
    assert studio.stored_files() == set()
    assert host.pictures == {}


class FillingStore(FileStore):
    """A disk that has room for one picture."""

    room = 1

    def write(self, folder: str, filename: str, data: bytes, **options: bool) -> None:
        if not self.room:
            raise StorageFull("no room")
        self.room -= 1
        super().write(folder, filename, data, **options)


def test_a_disk_that_fills_at_the_second_picture_keeps_neither(
    make_workshop: Callable[..., Workshop], ann: User
) -> None:
    host = ScriptedHost()
    generator = ScriptedGenerator(picture(1), picture(2))
    studio = make_workshop(hosts=(host,), generator=generator, store=FillingStore)

    message = studio.settled(studio.generation.start(ann, None, replace(REQUEST, count=2)))

    studio.replicator.close()
    assert (message.status, message.error) == ("failed", "no room")
    assert studio.stored_files() == set()
    assert host.pictures == {}


def test_a_message_that_is_cancelled_while_it_is_drawn_keeps_no_file(
    studio: Workshop, generator: ScriptedGenerator, ann: User
) -> None:
    generator.gate.clear()
    generator.heeds_cancelling = False
    message = studio.generation.start(ann, None, REQUEST)
    assert generator.begun.wait(SETTLED_SECONDS)

    studio.chat.cancel(ann, message.conversation_id or "", message.id)
    generator.gate.set()

    settled = studio.settled(message)
    assert (settled.status, settled.images) == ("cancelled", ())
    assert studio.stored_files() == set()


def test_a_generator_that_heeds_the_cancelling_stops(studio: Workshop, generator: ScriptedGenerator, ann: User) -> None:
    generator.gate.clear()
    message = studio.generation.start(ann, None, REQUEST)
    assert generator.begun.wait(SETTLED_SECONDS)

    studio.chat.cancel(ann, message.conversation_id or "", message.id)
    generator.gate.set()

    assert studio.settled(message).status == "cancelled"
    assert studio.stored_files() == set()


def test_a_message_that_was_cancelled_before_its_turn_is_never_drawn(
    studio: Workshop, generator: ScriptedGenerator, ann: User
) -> None:
    _, answer = studio.threads.ask(ann, None, "/image a red fox", request=studio.generation.check(REQUEST))
    studio.chat.cancel(ann, answer.conversation_id or "", answer.id)

    studio.generation.run(answer)

    assert studio.settled(answer).status == "cancelled"
    studio.drawing.close()
    assert generator.requests == []


def test_drawing_outside_a_running_message_is_refused(studio: Workshop, ann: User) -> None:
    message = studio.settled(studio.generation.start(ann, None, REQUEST))

    with pytest.raises(Cancelled):
        studio.generation.draw(message, REQUEST, lambda: False)

    assert len(studio.stored_files()) == 1


def test_a_request_is_drawn_with_what_was_asked(studio: Workshop, generator: ScriptedGenerator, ann: User) -> None:
    wanted = GenerationRequest("a fox", "blur", 256, 128, 1, 5)

    studio.settled(studio.generation.start(ann, None, wanted))

    assert generator.requests == [wanted]
