"""Continuing: what a share link shows becomes a conversation of the viewer's own, with nothing in common.

A copy is many documents and is made whole or not at all, also where MongoDB has no transactions: its messages are
written first, as drafts that are shown nowhere; the one write of its conversation makes them count; then the marks go.
A process that dies before that write leaves drafts that are taken back, and after it a copy that only keeps its marks.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

from ChatBot.db.conversations import Conversations
from ChatBot.db.drafts import Drafts
from ChatBot.db.images import Images
from ChatBot.db.messages import Messages
from ChatBot.errors import ChatBotError, Conflict, NotFound
from ChatBot.models import Conversation, Image, Message, Share, User, new_id, now
from ChatBot.sentence import Sentence
from ChatBot.services.pictures.image_handler import ImageHandler, Staged
from ChatBot.services.pictures.resolver import Resolver
from ChatBot.services.sharing.sharing import Sharing, Shown

BROKEN_OFF_SECONDS = 600.0
"""Far longer than the few writes between the first draft and the end of a copy take."""
PATIENCE_SECONDS = 5.0
LOOK_SECONDS = 0.05


class Continuing:
    """Copies shared conversations: the words, and the pictures as new ones with the same bytes."""

    def __init__(
        self,
        sharing: Sharing,
        handler: ImageHandler,
        resolver: Resolver,
        conversations: Conversations,
        messages: Messages,
        drafts: Drafts,
        images: Images,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """``patience_seconds`` is how long a second click waits for the first one to finish the copy."""
        self._sharing = sharing
        self._handler = handler
        self._resolver = resolver
        self._conversations = conversations
        self._messages = messages
        self._drafts = drafts
        self._images = images
        self._patience_seconds = patience_seconds

    def copy(self, user: User, share: Share, key: str) -> str:
        """Return the id of the account's own copy; the same key for the same share gives the same one again.

        Raises ``QuotaExceeded``, ``NotFound`` (a picture's bytes are nowhere now, or the link was closed meanwhile),
        ``StorageError``, or ``Conflict`` when the copy of that key was deleted, its making broke off, or what it
        copies was deleted or made private meanwhile; then nothing was kept.
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
        staged = self._stage(user, conversation, share, shown)
        try:
            return self._write(conversation, _drafts(conversation, shown, staged, key), staged)
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
            raise Conflict(Sentence("The copy that you made here was deleted. Reload the page to make another one."))
        if opening.draft_of is not None:
            self._await(opening.draft_of)
        return opening.conversation_id

    def _await(self, conversation_id: str) -> None:
        """Wait until whoever makes a copy has finished it; raises ``Conflict`` when nobody does."""
        until = time.monotonic() + self._patience_seconds
        while self._conversations.get(conversation_id) is None:
            if time.monotonic() > until:
                raise Conflict(
                    Sentence("This copy was begun and is not finished. Reload the page to make another one.")
                )
            time.sleep(LOOK_SECONDS)
        self._drafts.publish(conversation_id)

    def _stage(self, user: User, conversation: Conversation, share: Share, shown: Shown) -> dict[str, Staged]:
        """Write the files of the new pictures; returns them by the ids of those they were made from.

        That may take minutes when bytes come from a host, so the right to it is asked for once more at the end.
        """
        staged: dict[str, Staged] = {}
        try:
            for image in shown.pictures.values():
                staged[image.id] = self._handler.stage_copy(image, self._bytes_of(image), user.id, conversation.id)
            self._require_still_shown(share, shown)
        except ChatBotError:
            self._handler.discard(list(staged.values()))
            raise
        return staged

    def _bytes_of(self, image: Image) -> bytes:
        """Return a picture's bytes; where they were looked for in vain is not the business of whoever copies it."""
        try:
            with self._resolver.open(image).file as file:
                return file.read()
        except NotFound as error:
            raise NotFound(
                Sentence("One of the pictures cannot be had now, so nothing was copied. Try again later.")
            ) from error

    def _require_still_shown(self, share: Share, shown: Shown) -> None:
        """Raise ``NotFound`` when the link was closed, ``Conflict`` when it no longer gives each picture as it did."""
        present = self._sharing.content(self._sharing.again(share)).pictures
        for image in shown.pictures.values():
            now_shown = present.get(image.id)
            if now_shown is None or now_shown.off_public_hosts != image.off_public_hosts:
                raise Conflict(
                    Sentence("What this link shows was changed while it was copied; nothing was kept. Try again.")
                )

    def _write(self, conversation: Conversation, drafts: list[Message], staged: Mapping[str, Staged]) -> str:
        """Write the copy; it is whole from the moment its conversation is there, and does not exist before that."""
        self._handler.add(drafts, list(staged.values()))
        self._conversations.add(conversation)
        if self._drafts.publish(conversation.id) != len(drafts) and self._messages.of(conversation.id) == []:
            self._conversations.remove(conversation.id)  # this process stood still for so long that it was tidied up
            raise Conflict(Sentence("Making the copy took too long; nothing of it was kept. Try again."))
        return conversation.id

    def tidy(self) -> int:
        """Finish what only lacks its last step, and take back what broke off before; returns how many copies."""
        left: dict[str, list[Message]] = {}
        for draft in self._drafts.left_over(now() - timedelta(seconds=BROKEN_OFF_SECONDS)):
            left.setdefault(draft.draft_of or "", []).append(draft)
        for conversation_id, drafts in left.items():
            if self._conversations.get(conversation_id) is None:
                self._take_back(drafts)
            self._drafts.publish(conversation_id)
        return len(left)

    def _take_back(self, drafts: Sequence[Message]) -> None:
        """Remove the words and put the pictures into the trash: nothing but its end takes a picture's bytes."""
        for draft in drafts:
            for image in draft.images:
                self._images.trash(image.id)
        self._messages.detach([draft.id for draft in drafts])


def _drafts(conversation: Conversation, shown: Shown, staged: Mapping[str, Staged], key: str) -> list[Message]:
    """Return the drafts of a copy, the one that carries the key first, so that a second copy fails at once."""
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
            draft_of=conversation.id,
            created_at=begin + timedelta(milliseconds=number),
        )
        messages.append(copied)
    placed = {image_id for message in shown.messages for image_id in message.images}
    return messages + [_holder(image, conversation) for image_id, image in new.items() if image_id not in placed]


def _holder(image: Image, conversation: Conversation) -> Message:
    """Return the message of a picture that is only attached, as an upload of its new owner has one."""
    return Message(
        id=new_id(),
        conversation_id=None,
        owner_id=image.owner_id,
        role="upload",
        images=(image,),
        draft_of=conversation.id,
        created_at=now(),
    )
