"""Copies of shared conversations whose making breaks off: whole or absent, whatever the step."""

from __future__ import annotations

import pytest

from ChatBot.db.conversations import Conversations
from ChatBot.db.drafts import Drafts
from ChatBot.db.messages import Messages
from ChatBot.errors import Conflict
from ChatBot.models import Conversation, Message, Share, User, now
from ChatBot.services.pictures.image_handler import ImageHandler
from ChatBot.services.sharing.continuing import PATIENCE_SECONDS, Continuing
from tests.services.sharing.test_continuing import copied, shared
from tests.services.workshop import LIMITS, Workshop

LONG_AGO = now().replace(year=2020)


class Died(BaseException):
    """The end of the process: nothing of ours catches it."""


class HalfMessages(Messages):
    """Dies after half of what is to be written together."""

    def add(self, *messages: Message) -> None:
        super().add(*messages[: len(messages) // 2])
        raise Died


class NoConversations(Conversations):
    """Dies where the conversation is to be written."""

    def add(self, conversation: Conversation) -> None:  # noqa: ARG002 - the real one needs it
        raise Died


class MarkedForEver(Drafts):
    """Dies where the marks of the drafts are to go."""

    def publish(self, conversation_id: str) -> int:  # noqa: ARG002 - the real one needs it
        raise Died


def copying(
    workshop: Workshop,
    *,
    messages: type[Messages] = Messages,
    conversations: type[Conversations] = Conversations,
    drafts: type[Drafts] = Drafts,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Continuing:
    """Return the service on repositories of those kinds."""
    kept = messages(workshop.database)
    return Continuing(
        workshop.sharing,
        ImageHandler(workshop.files, kept, workshop.replicator, workshop.privacy, LIMITS, cloud_wait_seconds=0),
        workshop.resolver,
        conversations(workshop.database),
        kept,
        drafts(workshop.database),
        workshop.images,
        patience_seconds=patience_seconds,
    )


def die(workshop: Workshop, user: User, share: Share, step: str) -> None:
    """Let a process begin a copy and end at that step."""
    ending = {
        "half of the messages": lambda: copying(workshop, messages=HalfMessages),
        "the conversation": lambda: copying(workshop, conversations=NoConversations),
        "the marks": lambda: copying(workshop, drafts=MarkedForEver),
    }[step]()
    with pytest.raises(Died):
        ending.copy(user, share, "once")


def later(workshop: Workshop) -> None:
    """Let so much time pass that whoever makes a copy is not making it any more, and tidy up."""
    workshop.database["messages"].update_many({"draft_of": {"$ne": None}}, {"$set": {"created_at": LONG_AGO}})
    workshop.continuing.tidy()


def shown_of_copies(workshop: Workshop, user: User) -> tuple[int, int]:
    """Return how many conversations and how many messages with pictures an account is shown."""
    return len(workshop.threads.of(user, 10)), len(workshop.messages.gallery(user.id, 10))


@pytest.mark.parametrize("step", ["half of the messages", "the conversation"])
def test_a_copy_that_broke_off_is_shown_nowhere_and_is_taken_back(
    workshop: Workshop, ann: User, bob: User, step: str
) -> None:
    share, _, _ = shared(workshop, ann)

    die(workshop, bob, share, step)

    at_once = shown_of_copies(workshop, bob)
    workshop.continuing.tidy()
    young = workshop.database["messages"].count_documents({"draft_of": {"$ne": None}})
    later(workshop)
    assert (at_once, shown_of_copies(workshop, bob)) == ((0, 0), (0, 0))
    assert young > 0
    left = list(workshop.database["messages"].find({"owner_id": bob.id}))
    assert all(image["trashed_at"] for message in left for image in message["images"])
    assert not any(message["conversation_id"] or message["draft_of"] for message in left)
    assert len(copied(workshop, bob, share, "twice")) == 4


def test_a_copy_that_only_kept_its_marks_is_whole(workshop: Workshop, ann: User, bob: User) -> None:
    share, _, _ = shared(workshop, ann)
    die(workshop, bob, share, "the marks")

    later(workshop)

    assert shown_of_copies(workshop, bob) == (1, 2)
    (made,) = workshop.threads.of(bob, 10)
    assert len(workshop.messages.of(made.id)) == len(share.messages)
    assert workshop.continuing.copy(bob, share, "once") == made.id


def test_repeating_a_copy_that_only_kept_its_marks_finishes_it(workshop: Workshop, ann: User, bob: User) -> None:
    share, _, _ = shared(workshop, ann)
    die(workshop, bob, share, "the marks")

    workshop.continuing.copy(bob, share, "once")

    assert shown_of_copies(workshop, bob) == (1, 2)


@pytest.mark.parametrize("step", ["half of the messages", "the conversation"])
def test_repeating_a_copy_that_broke_off_says_so_and_another_key_makes_one(
    workshop: Workshop, ann: User, bob: User, step: str
) -> None:
    share, _, _ = shared(workshop, ann)
    die(workshop, bob, share, step)
    impatient = copying(workshop, patience_seconds=0)

    with pytest.raises(Conflict, match="Reload the page"):
        impatient.copy(bob, share, "once")
    impatient.copy(bob, share, "twice")

    assert shown_of_copies(workshop, bob) == (1, 2)


def test_a_process_that_stood_still_while_its_drafts_were_taken_back_makes_nothing(
    workshop: Workshop, ann: User, bob: User
) -> None:
    class Sleeping(Conversations):
        """Stands still before the conversation is written."""

        def add(self, conversation: Conversation) -> None:
            later(workshop)
            super().add(conversation)

    share, _, _ = shared(workshop, ann)
    slow = copying(workshop, conversations=Sleeping)

    with pytest.raises(Conflict):
        slow.copy(bob, share, "once")

    assert shown_of_copies(workshop, bob) == (0, 0)
