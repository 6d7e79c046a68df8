"""Chat turns with a scripted assistant: streams, tool calls, stops, failures, asking again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest

from ChatBot.assistants.base import Finished, Piece, TextDelta, ToolCall
from ChatBot.errors import ChatBotError, Conflict, InputError, NotFound, ProviderRefused, ProviderUnavailable
from ChatBot.models import Conversation, Message, User
from ChatBot.services.access import Viewer
from ChatBot.services.conversations.chat import PICTURES_PER_TURN, TOOL_ROUNDS
from ChatBot.services.conversations.threads import MESSAGE_CHARACTERS
from tests.fixtures.server import eventually
from tests.services.workshop import (
    SETTLED_SECONDS,
    ScriptedAssistant,
    ScriptedGenerator,
    ScriptedHost,
    Workshop,
    make_message,
    picture,
)

MakeWorkshop = Callable[..., Workshop]
STOP = Finished("stop")


def draws(prompt: str = "a red fox", call_id: str = "call-1", **arguments: object) -> list[Piece]:
    """Return the pieces of an answer that calls the tool."""
    return [ToolCall(call_id, "generate_image", {"prompt": prompt, **arguments}), Finished("tool_calls")]


def posted(workshop: Workshop, user: User, content: str = "hello") -> tuple[Conversation, Message]:
    """Post into a new conversation and return it and the settled answer."""
    conversation = workshop.threads.create(user)
    _, answer = workshop.chat.post(user, conversation.id, content)
    return conversation, workshop.settled(answer)


def deltas(workshop: Workshop, answer: Message) -> list[tuple[int, str]]:
    """Return offset and text of each piece that was published."""
    events = workshop.repositories.events.after(answer.conversation_id or "", 0)
    return [(event.data["offset"], event.data["text"]) for event in events if event.type == "delta"]


def kinds(workshop: Workshop, answer: Message) -> list[str]:
    """Return the kinds of events of an answer's conversation, once its end is among them."""

    def heard() -> list[str]:
        return [event.type for event in workshop.repositories.events.after(answer.conversation_id or "", 0)]

    assert eventually(lambda: "done" in heard())
    return heard()


def tool_result(assistant: ScriptedAssistant, number: int = 1) -> dict[str, object]:
    """Return what the model was told about its last tool call when it was asked for the given time."""
    last = assistant.heard[number][-1]
    assert last.role == "tool"
    return dict(json.loads(last.content))


def test_the_pieces_of_a_stream_add_up_to_the_text(make_workshop: MakeWorkshop, ann: User) -> None:
    words = [f"word{number} " for number in range(200)]
    workshop = make_workshop(assistant=ScriptedAssistant([*map(TextDelta, words), STOP]))

    _, answer = posted(workshop, ann)

    text = ""
    for offset, piece in deltas(workshop, answer):
        assert offset == len(text)
        text += piece
    assert text == answer.content == "".join(words)
    assert answer.status == "complete"
    assert kinds(workshop, answer)[-2:] == ["updated", "done"]


def test_the_model_hears_the_conversation_so_far(make_workshop: MakeWorkshop, ann: User) -> None:
    assistant = ScriptedAssistant()
    workshop = make_workshop(assistant=assistant)
    conversation, _ = posted(workshop, ann, "first")

    _, answer = workshop.chat.post(ann, conversation.id, "second")
    workshop.settled(answer)

    said = [(turn.role, turn.content) for turn in assistant.heard[1][1:]]
    assert assistant.heard[1][0].role == "system"
    assert said == [("user", "first"), ("assistant", "Hello."), ("user", "second")]


def test_an_attached_picture_is_shown_to_the_model(make_workshop: MakeWorkshop, ann: User) -> None:
    assistant = ScriptedAssistant()
    workshop = make_workshop(assistant=assistant)
    image = workshop.upload(ann)
    conversation = workshop.threads.create(ann)

    _, answer = workshop.chat.post(ann, conversation.id, "what is this?", [image.id])
    workshop.settled(answer)

    ((mime_type, data),) = assistant.heard[0][-1].images
    assert (mime_type, data) == ("image/png", workshop.path(image).read_bytes())


def test_an_attached_picture_that_left_this_disk_is_shown_from_its_copy(make_workshop: MakeWorkshop, ann: User) -> None:
    assistant = ScriptedAssistant()
    workshop = make_workshop(assistant=assistant, hosts=(ScriptedHost(),))
    image = workshop.upload(ann)
    bytes_kept = workshop.path(image).read_bytes()
    workshop.path(image).unlink()
    conversation = workshop.threads.create(ann)

    _, answer = workshop.chat.post(ann, conversation.id, "what is this?", [image.id])
    workshop.settled(answer)

    assert assistant.heard[0][-1].images == (("image/png", bytes_kept),)


def test_a_damaged_attachment_is_not_shown_and_stops_nothing(make_workshop: MakeWorkshop, ann: User) -> None:
    assistant = ScriptedAssistant()
    workshop = make_workshop(assistant=assistant)
    image = workshop.upload(ann)
    workshop.path(image).write_bytes(b"damage")
    conversation = workshop.threads.create(ann)

    _, answer = workshop.chat.post(ann, conversation.id, "what is this?", [image.id])

    assert workshop.settled(answer).status == "complete"
    assert assistant.heard[0][-1].images == ()


def test_another_accounts_picture_cannot_be_attached(workshop: Workshop, ann: User, bob: User) -> None:
    image = workshop.upload(ann)
    conversation = workshop.threads.create(bob)

    with pytest.raises(NotFound):
        workshop.chat.post(bob, conversation.id, "mine now", [image.id])

    assert workshop.messages.of(conversation.id) == []


def test_a_forged_attachment_is_shown_to_no_model(make_workshop: MakeWorkshop, ann: User, bob: User) -> None:
    assistant = ScriptedAssistant()
    workshop = make_workshop(assistant=assistant)
    image = workshop.upload(ann)
    conversation = workshop.threads.create(bob)
    forged = make_message(
        bob.id, role="user", conversation_id=conversation.id, content="mine now", attachments=(image.id,)
    )
    workshop.messages.add(forged)

    _, answer = workshop.chat.post(bob, conversation.id, "what is on it?")
    workshop.settled(answer)

    assert [turn.content for turn in assistant.heard[0][1:]] == ["mine now", "what is on it?"]
    assert not any(turn.images for turn in assistant.heard[0])


def test_a_tool_call_draws_and_the_model_goes_on(make_workshop: MakeWorkshop, ann: User) -> None:
    assistant = ScriptedAssistant([TextDelta("I draw."), *draws()], [TextDelta("Here it is."), STOP])
    workshop = make_workshop(assistant=assistant)

    _, answer = posted(workshop, ann)

    (image,) = answer.images
    assert (answer.status, answer.content) == ("complete", "I draw.\n\nHere it is.")
    assert (image.prompt, image.owner_id) == ("a red fox", ann.id)
    assert tool_result(assistant) == {"status": "ok", "shown_to_user": True, "image_ids": [image.id]}
    assert assistant.heard[1][-2].tool_calls[0].id == assistant.heard[1][-1].tool_call_id == "call-1"


def test_words_before_a_drawing_are_shown_before_it_is_made(make_workshop: MakeWorkshop, ann: User) -> None:
    words = [TextDelta("One "), TextDelta("moment.")]
    workshop = make_workshop(assistant=ScriptedAssistant([*words, *draws()], [TextDelta("Done."), STOP]))

    _, answer = posted(workshop, ann)

    events = workshop.repositories.events.after(answer.conversation_id or "", 0)
    before = [event for event in events if event.seq < next(each.seq for each in events if each.type == "stored")]
    assert "".join(event.data["text"] for event in before if event.type == "delta") == "One moment."


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (ToolCall("c", "delete_everything", {}), "no tool"),
        (ToolCall("c", "generate_image", {}), "prompt"),
        (ToolCall("c", "generate_image", {"prompt": "a fox", "size": "9x9"}), "size"),
    ],
)
def test_a_tool_call_that_cannot_be_followed_is_told_to_the_model(
    make_workshop: MakeWorkshop, ann: User, call: ToolCall, reason: str
) -> None:
    assistant = ScriptedAssistant([call, Finished("tool_calls")], [TextDelta("Sorry."), STOP])
    workshop = make_workshop(assistant=assistant)

    _, answer = posted(workshop, ann)

    assert tool_result(assistant)["status"] == "error"
    assert reason in str(tool_result(assistant)["error"])
    assert (answer.status, answer.content, answer.images) == ("complete", "Sorry.", ())


def test_a_generator_that_fails_is_told_to_the_model(make_workshop: MakeWorkshop, ann: User) -> None:
    assistant = ScriptedAssistant(draws(), [TextDelta("It did not work."), STOP])
    generator = ScriptedGenerator()
    generator.error = ProviderUnavailable("The generator is asleep.", provider="scripted")
    workshop = make_workshop(assistant=assistant, generator=generator)

    _, answer = posted(workshop, ann)

    assert tool_result(assistant) == {"status": "error", "error": "The generator is asleep."}
    assert answer.content == "It did not work."


def test_a_model_that_never_stops_calling_ends_after_its_rounds(make_workshop: MakeWorkshop, ann: User) -> None:
    assistant = ScriptedAssistant([ToolCall("c", "nothing", {}), Finished("tool_calls")])
    workshop = make_workshop(assistant=assistant)

    _, answer = posted(workshop, ann)

    assert answer.status == "complete"
    assert len(assistant.heard) == TOOL_ROUNDS


def test_one_answer_makes_no_more_pictures_than_its_cap(make_workshop: MakeWorkshop, ann: User) -> None:
    calls = [ToolCall(f"c{number}", "generate_image", {"prompt": "a fox"}) for number in range(PICTURES_PER_TURN + 2)]
    assistant = ScriptedAssistant([*calls, Finished("tool_calls")], [STOP])
    generator = ScriptedGenerator()
    workshop = make_workshop(assistant=assistant, generator=generator)

    _, answer = posted(workshop, ann)

    assert len(answer.images) == len(generator.requests) == PICTURES_PER_TURN
    assert tool_result(assistant)["status"] == "error"


def test_a_stop_keeps_what_was_written(make_workshop: MakeWorkshop, ann: User) -> None:
    reached, gate = threading.Event(), threading.Event()

    def pause() -> None:
        reached.set()
        gate.wait(SETTLED_SECONDS)

    assistant = ScriptedAssistant([TextDelta("As far as this"), pause, TextDelta(" and no further."), STOP])
    workshop = make_workshop(assistant=assistant)
    conversation = workshop.threads.create(ann)
    _, answer = workshop.chat.post(ann, conversation.id, "hello")
    assert reached.wait(SETTLED_SECONDS)

    stopped = workshop.chat.cancel(ann, conversation.id, answer.id)
    gate.set()
    workshop.chatting.wait(answer.id, SETTLED_SECONDS)

    settled = workshop.settled(answer)
    assert stopped.status == settled.status == "cancelled"
    assert settled.content == "As far as this"
    assert assistant.closed == 1


def test_a_stop_asked_of_another_process_is_noticed(make_workshop: MakeWorkshop, ann: User) -> None:
    reached = threading.Event()
    endless: list[object] = [TextDelta("on"), reached.set]
    endless += [step for _ in range(1000) for step in (lambda: threading.Event().wait(0.05), TextDelta("."))]
    workshop = make_workshop(assistant=ScriptedAssistant(endless))  # type: ignore[arg-type]
    conversation = workshop.threads.create(ann)
    _, answer = workshop.chat.post(ann, conversation.id, "hello")
    assert reached.wait(SETTLED_SECONDS)

    make_workshop().chat.cancel(ann, conversation.id, answer.id)

    workshop.chatting.wait(answer.id, SETTLED_SECONDS)
    assert workshop.chatting.active() == []
    assert workshop.settled(answer).status == "cancelled"


def test_nobody_stops_another_accounts_answer(workshop: Workshop, ann: User, bob: User) -> None:
    conversation, answer = posted(workshop, ann)

    with pytest.raises(NotFound):
        workshop.chat.cancel(bob, conversation.id, answer.id)


@pytest.mark.parametrize("end", [[Finished("length", truncated=True)], []], ids=["said so", "just ended"])
def test_a_stream_that_breaks_off_fails_and_keeps_its_text(
    make_workshop: MakeWorkshop, ann: User, end: list[Piece]
) -> None:
    workshop = make_workshop(assistant=ScriptedAssistant([TextDelta("Half an answ"), *end]))

    _, answer = posted(workshop, ann)

    assert (answer.status, answer.content) == ("failed", "Half an answ")
    assert "broke off" in str(answer.error)


@pytest.mark.parametrize(
    "error",
    [
        ProviderRefused("The key is wrong.", provider="scripted", reason="auth"),
        ProviderUnavailable("The model does not answer.", provider="scripted"),
    ],
)
def test_a_model_that_fails_fails_the_answer_with_its_reason_and_keeps_the_text(
    make_workshop: MakeWorkshop, ann: User, error: ChatBotError
) -> None:
    workshop = make_workshop(assistant=ScriptedAssistant([TextDelta("So far "), TextDelta("so good"), error]))

    _, answer = posted(workshop, ann)

    assert (answer.status, answer.error, answer.content) == ("failed", str(error), "So far so good")
    assert {"failed", "done"} <= set(kinds(workshop, answer))


def test_an_assistant_that_crashes_fails_the_answer_and_leaves_nobody_waiting(
    make_workshop: MakeWorkshop, ann: User
) -> None:
    workshop = make_workshop(assistant=ScriptedAssistant([TextDelta("So far"), RuntimeError("key=hunter2")]))

    _, answer = posted(workshop, ann)

    assert answer.status == "failed"
    assert "hunter2" not in str(answer.error)
    assert kinds(workshop, answer)[-1] == "done"


def test_an_empty_message_is_refused_and_writes_nothing(workshop: Workshop, ann: User) -> None:
    conversation = workshop.threads.create(ann)

    with pytest.raises(InputError):
        workshop.chat.post(ann, conversation.id, "  \n")

    assert workshop.messages.of(conversation.id) == []


def test_a_message_into_another_accounts_conversation_is_refused(workshop: Workshop, ann: User, bob: User) -> None:
    conversation = workshop.threads.create(ann)

    with pytest.raises(NotFound):
        workshop.chat.post(bob, conversation.id, "hello")

    assert workshop.messages.of(conversation.id) == []


def test_an_image_command_draws_without_the_model(make_workshop: MakeWorkshop, ann: User) -> None:
    assistant = ScriptedAssistant()
    workshop = make_workshop(assistant=assistant)

    _, answer = posted(workshop, ann, "/image a red fox")

    assert [image.prompt for image in answer.images] == ["a red fox"]
    assert assistant.heard == []


def test_the_title_of_a_new_conversation_is_what_was_to_be_drawn_without_its_options(
    make_workshop: MakeWorkshop, ann: User
) -> None:
    workshop = make_workshop()

    conversation, _ = posted(workshop, ann, "/image a lighthouse at dusk --size 256x256 --seed 7")

    assert workshop.threads.get(Viewer(ann), conversation.id).title == "a lighthouse at dusk"


def test_a_wrong_image_command_is_refused_and_writes_nothing(workshop: Workshop, ann: User) -> None:
    conversation = workshop.threads.create(ann)

    with pytest.raises(InputError):
        workshop.chat.post(ann, conversation.id, "/image a fox --size 1x1")

    assert workshop.messages.of(conversation.id) == []


def test_regenerating_replaces_the_answer_and_keeps_the_old_picture_in_the_gallery(
    make_workshop: MakeWorkshop, ann: User
) -> None:
    generator = ScriptedGenerator(picture(1))
    workshop = make_workshop(generator=generator)
    conversation, old = posted(workshop, ann, "/image a red fox")
    generator.pictures = (picture(2),)

    answer = workshop.settled(workshop.chat.regenerate(ann, conversation.id, old.id))

    shown = workshop.threads.messages(Viewer(ann), conversation)
    gallery, _ = workshop.gallery.page(ann, 10)
    assert [message.id for message in shown][1:] == [answer.id]
    assert {image.id for image in gallery} == {old.images[0].id, answer.images[0].id}
    assert workshop.path(old.images[0]).exists()


def test_editing_a_question_drops_what_followed_and_keeps_its_pictures_in_the_gallery(
    make_workshop: MakeWorkshop, ann: User
) -> None:
    assistant = ScriptedAssistant()
    workshop = make_workshop(assistant=assistant)
    conversation, first = posted(workshop, ann, "/image a red fox")
    _, second = workshop.chat.post(ann, conversation.id, "thanks")
    workshop.settled(second)
    question = workshop.threads.messages(Viewer(ann), conversation)[0]

    _, answer = workshop.chat.edit(ann, conversation.id, question.id, "just talk")
    workshop.settled(answer)

    shown = workshop.threads.messages(Viewer(ann), conversation)
    gallery, _ = workshop.gallery.page(ann, 10)
    assert [message.content for message in shown] == ["just talk", "Hello."]
    assert [image.id for image in gallery] == [first.images[0].id]


@pytest.mark.parametrize(("content", "reason"), [(" ", "empty"), ("x" * (MESSAGE_CHARACTERS + 1), "characters")])
def test_an_edit_that_cannot_be_a_message_changes_nothing(
    workshop: Workshop, ann: User, content: str, reason: str
) -> None:
    conversation, _ = posted(workshop, ann)
    question = workshop.threads.messages(Viewer(ann), conversation)[0]

    with pytest.raises(InputError, match=reason):
        workshop.chat.edit(ann, conversation.id, question.id, content)

    assert len(workshop.threads.messages(Viewer(ann), conversation)) == 2


def test_an_answer_that_is_being_written_is_neither_regenerated_nor_edited_away(
    make_workshop: MakeWorkshop, ann: User
) -> None:
    gate = threading.Event()
    workshop = make_workshop(assistant=ScriptedAssistant([lambda: gate.wait(SETTLED_SECONDS), STOP]))
    conversation = workshop.threads.create(ann)
    question, answer = workshop.chat.post(ann, conversation.id, "hello")

    with pytest.raises(Conflict):
        workshop.chat.regenerate(ann, conversation.id, answer.id)
    with pytest.raises(Conflict):
        workshop.chat.edit(ann, conversation.id, question.id, "other")

    gate.set()
    assert workshop.settled(answer).status == "complete"


def test_an_answer_without_its_question_cannot_be_asked_again(workshop: Workshop, ann: User, bob: User) -> None:
    conversation, answer = posted(workshop, ann)
    question = workshop.threads.messages(Viewer(ann), conversation)[0]

    with pytest.raises(NotFound):
        workshop.chat.regenerate(ann, conversation.id, question.id)
    with pytest.raises(NotFound):
        workshop.chat.regenerate(bob, conversation.id, answer.id)
    with pytest.raises(NotFound):
        workshop.chat.edit(ann, conversation.id, answer.id, "other")
