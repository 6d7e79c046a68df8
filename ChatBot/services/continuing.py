"""Continuing: what a share link shows becomes a conversation of the viewer's own, with nothing in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from ChatBot.db.conversations import Conversations
from ChatBot.db.messages import Messages
from ChatBot.errors import ChatBotError, Conflict, DatabaseUnavailable
from ChatBot.models import Conversation, Image, Message, Share, User, new_id, now
from ChatBot.services.image_handler import ImageHandler, Staged
from ChatBot.services.resolver import Resolver
from ChatBot.services.sharing import Sharing, Shown


class Continuing:
    """Copies shared conversations: the words, and the pictures as new ones with the same bytes."""

    def __init__(
        self,
        sharing: Sharing,
        handler: ImageHandler,
        resolver: Resolver,
        conversations: Conversations,
        messages: Messages,
    ) -> None:
        self._sharing = sharing
        self._handler = handler
        self._resolver = resolver
        self._conversations = conversations
        self._messages = messages

    def copy(self, user: User, share: Share, key: str) -> str:
        """Return the id of the account's own copy; the same key for the same share gives the same one again.

        Raises ``QuotaExceeded``, ``NotFound`` (a picture's bytes are nowhere now), ``StorageError``, or ``Conflict``
        when the copy of that key was deleted; then nothing was kept.
        """
        key = f"continue:{share.id}:{key}"
        made = self._made(user, key)
        if made is not None:
            return made
        shown = self._sharing.content(share)
        self._handler.require_room(user.id, len(shown.pictures))
        moment = now()
        conversation = Conversation(
            id=new_id(), owner_id=user.id, title=shown.title, created_at=moment, updated_at=moment
        )
        staged = self._stage(user, conversation, shown)
        try:
            return self._write(conversation, _copied(conversation, shown, staged, key), staged)
        except Conflict:
            made = self._made(user, key)  # a second click was faster
            if made is None:
                raise
            return made

    def _made(self, user: User, key: str) -> str | None:
        opening = self._messages.by_key(user.id, key)
        if opening is None:
            return None
        if opening.conversation_id is None:
            raise Conflict("The copy that you made here was deleted. Reload the page to make another one.")
        return opening.conversation_id

    def _stage(self, user: User, conversation: Conversation, shown: Shown) -> dict[str, Staged]:
        """Write the files of the new pictures; returns them by the ids of those they were made from."""
        staged: dict[str, Staged] = {}
        try:
            for image in shown.pictures.values():
                with self._resolver.open(image).file as file:
                    data = file.read()
                staged[image.id] = self._handler.stage_copy(image, data, user.id, conversation.id)
        except ChatBotError:
            self._handler.discard(list(staged.values()))
            raise
        return staged

    def _write(self, conversation: Conversation, messages: list[Message], staged: Mapping[str, Staged]) -> str:
        self._conversations.add(conversation)
        try:
            self._handler.add(messages, list(staged.values()))
        except DatabaseUnavailable:
            raise  # the messages may be there
        except ChatBotError:
            self._conversations.remove(conversation.id)
            raise
        return conversation.id


def _copied(conversation: Conversation, shown: Shown, staged: Mapping[str, Staged], key: str) -> list[Message]:
    """Return the messages of a copy, the one that carries the key first, so that a second copy fails at once."""
    new: dict[str, Image] = {image_id: each.image for image_id, each in staged.items()}
    begin = now() - timedelta(milliseconds=len(shown.messages))
    messages = []
    for number, message in enumerate(shown.messages):
        copied = Message(
            id=new_id(),
            conversation_id=conversation.id,
            owner_id=conversation.owner_id,
            role=message.role,
            content=message.content,
            images=tuple(new[each] for each in message.images if each in new),
            attachments=tuple(new[each].id for each in message.attachments if each in new),
            idempotency_key=None if number else key,
            created_at=begin + timedelta(milliseconds=number),
        )
        messages.append(copied)
    placed = {image_id for message in shown.messages for image_id in message.images}
    return messages + [_holder(image) for image_id, image in new.items() if image_id not in placed]


def _holder(image: Image) -> Message:
    """Return the message of a picture that is only attached, as an upload of its new owner has one."""
    return Message(
        id=new_id(),
        conversation_id=None,
        owner_id=image.owner_id,
        role="upload",
        images=(image,),
        created_at=image.created_at,
    )
