"""Conversations and their messages."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from ChatBot.assistants.base import Finished, TextDelta, ToolCall
from ChatBot.errors import InputError, NotFound, TooLongToKeep
from ChatBot.models import User
from ChatBot.services.access import ANYBODY, Viewer
from ChatBot.services.conversations.threads import MESSAGE_CHARACTERS, TITLE_CHARACTERS
from tests.services.sharing.test_sharing import expire
from tests.services.workshop import (
    SETTLED_SECONDS,
    ScriptedAssistant,
    ScriptedGenerator,
    Workshop,
    make_message,
    picture,
)


def test_conversations_are_listed_last_used_first_page_by_page(workshop: Workshop, ann: User, bob: User) -> None:
    made = [workshop.threads.create(ann, f"number {number}") for number in range(5)]
    workshop.threads.create(bob, "not hers")
    workshop.threads.ask(ann, made[0].id, "again")

    first = workshop.threads.of(ann, 3)
    last = first[-1]
    rest = workshop.threads.of(ann, 3, (last.updated_at, last.id))

    assert first[0].id == made[0].id
    assert {each.id for each in first + rest} == {each.id for each in made}
    assert len(first + rest) == 5


def test_another_accounts_conversation_is_like_an_absent_one(workshop: Workshop, ann: User, bob: User) -> None:
    conversation = workshop.threads.create(ann)
    question, _ = workshop.threads.ask(ann, conversation.id, "hello")
    texts = set()

    for viewer, wanted in [(Viewer(bob), conversation.id), (ANYBODY, conversation.id), (Viewer(ann), "f" * 32)]:
        with pytest.raises(NotFound) as error:
            workshop.threads.get(viewer, wanted)
        texts.add(str(error.value))

    assert len(texts) == 1
    assert workshop.threads.messages(Viewer(bob), conversation) == []
    with pytest.raises(NotFound):
        workshop.threads.message(Viewer(bob), conversation.id, question.id)
    with pytest.raises(NotFound):
        workshop.threads.message(Viewer(ann), "f" * 32, question.id)


@pytest.mark.parametrize("act", ["rename", "remove", "ask"])
def test_nobody_changes_another_accounts_conversation(workshop: Workshop, ann: User, bob: User, act: str) -> None:
    conversation = workshop.threads.create(ann, "hers")
    acts: dict[str, Callable[[], object]] = {
        "rename": lambda: workshop.threads.rename(bob, conversation.id, "his"),
        "remove": lambda: workshop.threads.remove(bob, conversation.id),
        "ask": lambda: workshop.threads.ask(bob, conversation.id, "hello"),
    }

    with pytest.raises(NotFound):
        acts[act]()

    assert workshop.threads.get(Viewer(ann), conversation.id).title == "hers"
    assert workshop.messages.of(conversation.id) == []


def test_the_first_words_become_the_title_and_later_ones_do_not(workshop: Workshop, ann: User) -> None:
    conversation = workshop.threads.create(ann)

    workshop.threads.ask(ann, conversation.id, "/image  a red\nfox")
    workshop.threads.ask(ann, conversation.id, "another")

    assert workshop.threads.get(Viewer(ann), conversation.id).title == "a red fox"


def test_a_long_title_is_cut_and_an_empty_one_refused(workshop: Workshop, ann: User) -> None:
    conversation = workshop.threads.create(ann)

    renamed = workshop.threads.rename(ann, conversation.id, "word " * 100)

    assert len(renamed.title) <= TITLE_CHARACTERS
    assert renamed.title.endswith("…")
    with pytest.raises(InputError):
        workshop.threads.rename(ann, conversation.id, "  ")


def test_a_question_sorts_before_its_answer(workshop: Workshop, ann: User) -> None:
    conversation = workshop.threads.create(ann)

    pairs = [workshop.threads.ask(ann, conversation.id, f"question {number}") for number in range(10)]

    assert all(question.created_at < answer.created_at for question, answer in pairs)
    roles = [message.role for message in workshop.messages.of(conversation.id)][:2]
    assert roles == ["user", "assistant"]


def test_a_message_that_is_too_long_is_refused_and_opens_no_conversation(workshop: Workshop, ann: User) -> None:
    with pytest.raises(InputError):
        workshop.threads.ask(ann, None, "x" * (MESSAGE_CHARACTERS + 1))

    assert workshop.threads.of(ann, 10) == []


@pytest.mark.parametrize("live", [False, True])
def test_removing_a_conversation_trashes_its_pictures_and_closes_its_links_when_told_to(
    workshop: Workshop, ann: User, live: bool
) -> None:
    message = workshop.draw(ann)
    conversation_id = message.conversation_id or ""
    _, token = workshop.sharing.create(ann, conversation_id, live=live)

    workshop.threads.remove(ann, conversation_id, revoke_shares=True)

    with pytest.raises(NotFound):
        workshop.threads.get(Viewer(ann), conversation_id)
    with pytest.raises(NotFound):
        workshop.sharing.open(token)
    with pytest.raises(NotFound):
        workshop.gallery.view(Viewer(ann), message.images[0].id)
    assert workshop.image(message.images[0].id).trashed_at is not None
    assert workshop.messages.of(conversation_id) == []
    assert workshop.repositories.events.after(conversation_id, 0) == []


@pytest.mark.parametrize("live", [False, True])
def test_removing_a_conversation_keeps_what_its_links_show(workshop: Workshop, ann: User, live: bool) -> None:
    message = workshop.draw(ann)
    conversation = workshop.threads.get(Viewer(ann), message.conversation_id or "")
    _, token = workshop.sharing.create(ann, conversation.id, live=live)
    later = workshop.draw(ann, conversation).images[0]
    before = workshop.sharing.content(workshop.sharing.open(token))

    workshop.threads.remove(ann, conversation.id)

    share = workshop.sharing.open(token)
    after = workshop.sharing.content(share)
    assert (after.title, after.messages, list(after.pictures)) == (before.title, before.messages, list(before.pictures))
    assert workshop.sharing.image(share, message.images[0].id).trashed_at is None
    assert (workshop.image(later.id).trashed_at is None) is live
    assert workshop.gallery.view(Viewer(ann), message.images[0].id).id == message.images[0].id


def test_an_expired_link_keeps_no_picture_of_a_removed_conversation(workshop: Workshop, ann: User) -> None:
    message = workshop.draw(ann)
    share, _ = workshop.sharing.create(ann, message.conversation_id or "", expires_in=60)
    expire(workshop, share)

    workshop.threads.remove(ann, message.conversation_id or "")

    assert workshop.image(message.images[0].id).trashed_at is not None


def test_a_conversation_too_long_for_its_live_link_is_removed_when_the_link_goes_too(
    workshop: Workshop, ann: User
) -> None:
    conversation = workshop.threads.create(ann)
    texts = [make_message(ann.id, conversation_id=conversation.id, content="x" * 1_000_000) for _ in range(9)]
    running = make_message(ann.id, conversation_id=conversation.id, status="streaming", created_at=ann.created_at)
    workshop.messages.add(running, *texts)
    workshop.sharing.create(ann, conversation.id, live=True)

    with pytest.raises(TooLongToKeep):
        workshop.threads.remove(ann, conversation.id)
    with pytest.raises(TooLongToKeep):
        workshop.sharing.create(ann, conversation.id)
    assert [each.status for each in workshop.messages.of(conversation.id)] == ["streaming", *["complete"] * 9]
    workshop.threads.remove(ann, conversation.id, revoke_shares=True)

    assert workshop.messages.of(conversation.id) == []


def test_removing_a_conversation_stops_what_is_still_being_written_in_it(
    make_workshop: Callable[..., Workshop], ann: User
) -> None:
    reached, gate = threading.Event(), threading.Event()
    call = ToolCall("c", "generate_image", {"prompt": "a fox"})

    def pause() -> None:
        reached.set()
        gate.wait(SETTLED_SECONDS)

    assistant = ScriptedAssistant([call, Finished("tool_calls")], [pause, call, TextDelta("late"), Finished("stop")])
    workshop = make_workshop(assistant=assistant, generator=ScriptedGenerator(picture(1)))
    conversation = workshop.threads.create(ann)
    _, answer = workshop.chat.post(ann, conversation.id, "draw")
    assert reached.wait(SETTLED_SECONDS)

    workshop.threads.remove(ann, conversation.id)
    gate.set()
    workshop.chatting.wait(answer.id, SETTLED_SECONDS)

    kept = [located.image for located in workshop.images.each(ann.id)]
    assert [image.trashed_at is not None for image in kept] == [True]
    assert workshop.gallery.page(ann, 10) == ([], None)


def test_an_attachment_of_a_removed_conversation_stays_in_its_own_message(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann)
    conversation = workshop.threads.create(ann)
    workshop.threads.ask(ann, conversation.id, "look", attachments=(image.id,))

    workshop.threads.remove(ann, conversation.id)

    assert workshop.gallery.view(Viewer(ann), image.id).id == image.id
