"""Conversations and the messages in them: open, list, rename, remove, ask, ask again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ChatBot.db.conversations import Conversations
from ChatBot.db.history import NO_HISTORY, Notes
from ChatBot.db.images import Images
from ChatBot.db.messages import RUNNING, Messages
from ChatBot.db.private import PrivatePictures
from ChatBot.db.shares import Shares
from ChatBot.errors import Conflict, InputError, NotFound
from ChatBot.models import Conversation, Message, Share, User, new_id, now
from ChatBot.sentence import Sentence
from ChatBot.services.access import Viewer, can_change, can_view_conversation, can_view_message
from ChatBot.services.conversations.snapshots import frozen
from ChatBot.services.events import EventLog

TITLE_CHARACTERS = 80
MESSAGE_CHARACTERS = 100_000


class Threads:
    """The conversations of an account and the turns in them; it writes messages and answers none of them."""

    def __init__(
        self,
        conversations: Conversations,
        messages: Messages,
        images: Images,
        shares: Shares,
        events: EventLog,
        private: PrivatePictures,
        history: Notes = NO_HISTORY,
    ) -> None:
        self._history = history
        self._conversations = conversations
        self._messages = messages
        self._images = images
        self._shares = shares
        self._events = events
        self._private = private

    def create(self, user: User, title: str = "", *, private: bool = False) -> Conversation:
        """Open an empty conversation; what a private one shows stays off public hosts."""
        moment = now()
        conversation = Conversation(
            id=new_id(), owner_id=user.id, title=_short(title), private=private, created_at=moment, updated_at=moment
        )
        self._conversations.add(conversation)
        return conversation

    def get(self, viewer: Viewer, conversation_id: str) -> Conversation:
        """Return a conversation; raises ``NotFound`` for absent and foreign ones alike."""
        conversation = self._conversations.get(conversation_id)
        if conversation is None or not can_view_conversation(viewer, conversation):
            raise NotFound(Sentence("There is no such conversation."))
        return conversation

    def exists(self, conversation_id: str) -> bool:
        """Return whether a conversation has not been deleted, whoever owns it."""
        return self._conversations.get(conversation_id) is not None

    def of(self, user: User, limit: int, before: tuple[datetime, str] | None = None) -> list[Conversation]:
        """Return an account's conversations, last used first."""
        return self._conversations.of(user.id, limit, before)

    def titles(self, user: User, conversation_ids: Sequence[str]) -> dict[str, str]:
        """Return the titles of those of an account's conversations that were not deleted, by id."""
        return self._conversations.titles(user.id, conversation_ids)

    def messages(self, viewer: Viewer, conversation: Conversation) -> list[Message]:
        """Return the messages of a conversation that the viewer may see, oldest first."""
        return [message for message in self._messages.of(conversation.id) if can_view_message(viewer, message)]

    def message(self, viewer: Viewer, conversation_id: str, message_id: str) -> Message:
        """Return one message; raises ``NotFound``."""
        message = self._messages.get(message_id)
        if message is None or message.conversation_id != conversation_id or not can_view_message(viewer, message):
            raise NotFound(Sentence("There is no such message."))
        return message

    def rename(self, user: User, conversation_id: str, title: str) -> Conversation:
        """Give a conversation another title; raises ``NotFound`` or ``InputError``."""
        conversation = self._own(user, conversation_id)
        if not title.strip():
            raise InputError(Sentence("The title is empty."))
        self._conversations.set_title(conversation_id, _short(title))
        self._events.publish(conversation_id, "conversation", {"id": conversation_id, "title": _short(title)})
        return conversation.model_copy(update={"title": _short(title)})

    def remove(self, user: User, conversation_id: str, *, revoke_shares: bool = False) -> None:
        """Delete a conversation: its words go at once, its pictures go to the trash.

        Its links go on showing it as it was, with their pictures, unless they are to be revoked. Answers that are
        still being written are stopped first, or their next picture would stay behind in the gallery. Raises
        ``NotFound``, or ``TooLongToKeep`` (its links could not; nothing is changed then).
        """
        conversation = self._own(user, conversation_id)
        if not revoke_shares:
            self._snapshots(conversation, self._messages.of(conversation_id))
        for message in self._messages.of(conversation_id):
            if message.status in RUNNING:
                self._messages.settle(message.id, "cancelled")
        messages = self._messages.of(conversation_id)
        if revoke_shares:
            self._shares.revoke_of(conversation_id)
        for snapshot in self._snapshots(conversation, messages):
            if snapshot.frozen:
                self._shares.freeze(snapshot)
            else:
                self._shares.close(snapshot.id)  # there is nothing to show
        pictures = dict.fromkeys(
            image.id for message in messages for image in message.images if image.trashed_at is None
        )
        kept = self._shares.pinned(user.id, list(pictures), now())
        self._images.trash_of(conversation_id, keep=kept)
        self._history.note_all("trashed", dict.fromkeys(each for each in pictures if each not in kept))
        self._messages.detach([message.id for message in messages])
        self._conversations.remove(conversation_id)
        self._events.forget(conversation_id)

    def _snapshots(self, conversation: Conversation, messages: Sequence[Message]) -> list[Share]:
        """Return the open links that read a conversation as they are to be without it; raises ``TooLongToKeep``."""
        return [
            frozen(
                share, conversation.title, [each for each in messages if can_view_message(Viewer(share=share), each)]
            )
            for share in self._shares.of_conversation(conversation.id)
            if not share.frozen
        ]

    def ask(
        self,
        user: User,
        conversation_id: str | None,
        content: str,
        *,
        title: str | None = None,
        attachments: tuple[str, ...] = (),
        request: dict[str, object] | None = None,
        idempotency_key: str | None = None,
    ) -> tuple[Message, Message]:
        """Write a question and its still empty answer into a conversation, a new one if none is named.

        Returns both messages. Raises ``NotFound``, ``InputError``, or ``Conflict`` when the idempotency key is used.
        """
        _check_length(content)
        self._check_attachments(user, attachments)
        conversation = self._own(user, conversation_id) if conversation_id else self.create(user, title or content)
        moment = now()
        question = Message(
            id=new_id(),
            conversation_id=conversation.id,
            owner_id=user.id,
            role="user",
            content=content,
            attachments=attachments,
            created_at=moment,
        )
        answer = _empty_answer(question, request, idempotency_key)
        try:
            self._messages.add(answer, question)
        except Conflict:
            if conversation_id is None:
                self._conversations.remove(conversation.id)
            raise
        self._hide(question)
        self._announce(conversation, title or content, question, answer)
        return question, answer

    def ask_again(self, user: User, conversation_id: str, message_id: str) -> tuple[Message, Message]:
        """Replace an answer by a new, still empty one; the pictures of the old one stay in the gallery.

        Returns the question and the new answer. Raises ``NotFound``, or ``Conflict`` while the old one runs.
        """
        conversation = self._own(user, conversation_id)
        history = self._messages.of(conversation.id)
        index = _index_of(history, message_id, "assistant")
        old = history[index]
        if old.status in RUNNING:
            raise Conflict(Sentence("This answer is still being written; stop it first."))
        question = next((each for each in reversed(history[:index]) if each.role == "user"), None)
        if question is None:
            raise NotFound(Sentence("The question of this answer is gone."))
        answer = _empty_answer(question, old.request, None)
        self._messages.add(answer)  # first, so that a crash in between doubles an answer instead of losing it
        self._drop(conversation, history[index:])
        self._announce(conversation, None, answer)
        return question, answer

    def edit(
        self, user: User, conversation_id: str, message_id: str, content: str, request: dict[str, object] | None
    ) -> tuple[Message, Message]:
        """Replace a question and everything after it; returns the new question and its still empty answer.

        Raises ``NotFound``, ``InputError``, or ``Conflict`` while an answer is being written.
        """
        _check_length(content)
        conversation = self._own(user, conversation_id)
        history = self._messages.of(conversation.id)
        index = _index_of(history, message_id, "user")
        if any(message.status in RUNNING for message in history[index:]):
            raise Conflict(Sentence("An answer is still being written; stop it first."))
        old = history[index]
        question = old.model_copy(update={"id": new_id(), "content": content, "created_at": now()})
        answer = _empty_answer(question, request, None)
        self._messages.add(question, answer)
        self._drop(conversation, history[index:])
        self._announce(conversation, None, question, answer)
        return question, answer

    def history(self, answer: Message) -> list[Message]:
        """Return what was said before an answer, oldest first."""
        if answer.conversation_id is None:
            return []
        return [each for each in self._messages.of(answer.conversation_id) if each.created_at < answer.created_at]

    def _own(self, user: User, conversation_id: str) -> Conversation:
        conversation = self._conversations.get(conversation_id)
        if conversation is None or not can_change(Viewer(user), conversation.owner_id):
            raise NotFound(Sentence("There is no such conversation."))
        return conversation

    def _check_attachments(self, user: User, attachments: tuple[str, ...]) -> None:
        found = self._images.find_many(list(attachments))
        if len(found) != len(attachments) or any(each.image.owner_id != user.id for each in found):
            raise NotFound(Sentence("One of the attached pictures does not exist."))

    def _hide(self, question: Message) -> None:
        """Make attached pictures private if the conversation is; asked after the write, so that no change slips by."""
        if question.attachments:
            conversation = self._conversations.get(question.conversation_id or "")
            if conversation is not None and conversation.private:
                shown = self._private.owned(question.owner_id, question.attachments)
                self._private.mark(shown, private=True)

    def _drop(self, conversation: Conversation, messages: list[Message]) -> None:
        self._messages.detach([message.id for message in messages])
        for message in messages:
            self._events.publish(conversation.id, "removed", {"message_id": message.id})

    def _announce(self, conversation: Conversation, first_words: str | None, *messages: Message) -> None:
        self._conversations.touch(conversation.id)
        if first_words and not conversation.title:
            self._conversations.set_title(conversation.id, _short(first_words))
            event = {"id": conversation.id, "title": _short(first_words)}
            self._events.publish(conversation.id, "conversation", event)
        for message in messages:
            self._events.publish(conversation.id, "message", {"message_id": message.id, "role": message.role})


def _empty_answer(question: Message, request: dict[str, object] | None, idempotency_key: str | None) -> Message:
    """Return an answer that sorts after its question even when both are made in the same millisecond."""
    return Message(
        id=new_id(),
        conversation_id=question.conversation_id,
        owner_id=question.owner_id,
        role="assistant",
        status="queued",
        request=request,
        reply_to=question.id,
        idempotency_key=idempotency_key,
        created_at=max(now(), question.created_at + timedelta(milliseconds=1)),
    )


def _check_length(content: str) -> None:
    if len(content) > MESSAGE_CHARACTERS:
        raise InputError(Sentence("A message has at most %(most)s characters.", most=MESSAGE_CHARACTERS))


def _index_of(history: list[Message], message_id: str, role: str) -> int:
    for index, message in enumerate(history):
        if message.id == message_id and message.role == role:
            return index
    raise NotFound(Sentence("There is no such message."))


def _short(text: str) -> str:
    line = " ".join(text.removeprefix("/image ").split())
    return line if len(line) <= TITLE_CHARACTERS else line[: TITLE_CHARACTERS - 1].rstrip() + "…"
