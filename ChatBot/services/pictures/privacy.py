"""Private accounts and conversations: their pictures stay off public hosts, and what was published is taken back.

Whatever shows a picture privately makes it private: its account, the conversation it was made in, or one it is attached
to. The mark is written first and the copies follow, so that a process that dies in between is finished by the next one.
A copy is deleted only while other bytes of the picture are proved to be right, and counts as published until a GET of
its address finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import structlog

from ChatBot.db.conversations import Conversations
from ChatBot.db.history import NO_HISTORY, Notes
from ChatBot.db.images import Images
from ChatBot.db.messages import Messages
from ChatBot.db.private import PrivatePictures
from ChatBot.db.users import Users
from ChatBot.errors import BytesMissing, ChatBotError, NotFound, ProviderError
from ChatBot.hosts.base import DeletionProof, Receipt
from ChatBot.hosts.chain import HostChain
from ChatBot.models import Conversation, Copy, Image, Message, User, now
from ChatBot.services.access import Viewer, can_change
from ChatBot.services.copies.copies import LEASE_SECONDS, after_deletion, lease, withdrawn
from ChatBot.services.copies.replication import Replicator
from ChatBot.services.pictures.resolver import Resolver

log = structlog.get_logger(__name__)

WITHDRAWALS_AT_ONCE = 50


class Privacy:
    """Says which pictures are private, changes it, and brings their copies in line."""

    def __init__(
        self,
        users: Users,
        conversations: Conversations,
        messages: Messages,
        images: Images,
        pictures: PrivatePictures,
        chain: HostChain,
        replicator: Replicator,
        resolver: Resolver,
        on_change: Callable[[str], None],
        *,
        history: Notes = NO_HISTORY,
    ) -> None:
        """``on_change`` is told the id of a picture whose copies changed."""
        self._users = users
        self._conversations = conversations
        self._messages = messages
        self._images = images
        self._pictures = pictures
        self._chain = chain
        self._replicator = replicator
        self._resolver = resolver
        self._on_change = on_change
        self._history = history

    def required(self, owner_id: str, conversation_id: str | None) -> bool:
        """Say whether a picture of that account in that conversation has to be private."""
        owner = self._users.get(owner_id)
        if owner is not None and owner.private:
            return True
        conversation = self._conversations.get(conversation_id) if conversation_id else None
        return conversation is not None and conversation.private

    def uphold(self, message: Message) -> None:
        """Mark the pictures of a message that was just written, if their place became private meanwhile."""
        shown = {*message.attachments, *(image.id for image in message.images if not image.private)}
        if shown and self.required(message.owner_id, message.conversation_id):
            self._make_private(self._pictures.owned(message.owner_id, shown))

    def set_conversation(self, user: User, conversation_id: str, private: bool) -> Conversation:
        """Make a conversation private, or no longer; raises ``NotFound``."""
        conversation = self._conversations.get(conversation_id)
        if conversation is None or not can_change(Viewer(user), conversation.owner_id):
            raise NotFound("There is no such conversation.")
        self._conversations.set_private(conversation_id, private)
        named = {
            image_id
            for message in self._messages.of(conversation_id)
            for image_id in (*message.attachments, *(image.id for image in message.images))
        }
        shown = self._pictures.owned(user.id, named)
        if private:
            self._make_private(shown)
        else:
            self._make_public(user.id, shown)
        return conversation.model_copy(update={"private": private})

    def set_account(self, user: User, private: bool) -> User:
        """Make an account private, or no longer."""
        self._users.set_private(user.id, private)
        pictures = {image.id for image in self._pictures.of_account(user.id)}
        if private:
            self._make_private(pictures)
        else:
            self._make_public(user.id, pictures)
        return user.model_copy(update={"private": private})

    def withdraw_due(self) -> int:
        """Take back published copies of private pictures; returns how many are proved gone."""
        self._make_private(self._pictures.overlooked(self._conversations.private_of(), self._users.private()))
        # A host that this server does not know, as an old document may name one, counts as public.
        private = [host.name for host in self._chain.known if not host.traits.public]
        due = self._pictures.published(private, now(), WITHDRAWALS_AT_ONCE)
        return sum(self._withdraw(located.image, copy) for located, copy in due)

    def _make_private(self, image_ids: Collection[str]) -> None:
        if image_ids and self._pictures.mark(image_ids, private=True):
            self._history.note_all("made_private", dict.fromkeys(image_ids))
            self._announce(image_ids)

    def _make_public(self, owner_id: str, image_ids: Collection[str]) -> None:
        """Let pictures go to public hosts again, unless something else still shows them privately."""
        owner = self._users.get(owner_id)
        if owner is None or owner.private:
            return
        elsewhere = self._pictures.shown_privately(image_ids, self._conversations.private_of(owner_id))
        free = set(image_ids) - elsewhere
        if self._pictures.mark(free, private=False):
            self._history.note_all("made_public", dict.fromkeys(free))
            for located in self._images.find_many(list(free)):
                self._replicator.owe(located.image)
            self._announce(free)

    def _withdraw(self, image: Image, copy: Copy) -> bool:
        if copy.state not in ("deleting", "delete_manual"):
            doomed = withdrawn(copy, now())
            if doomed is None or not self._images.set_copy(image.id, copy, doomed):
                return False
            copy = doomed
        claimed = lease(copy, LEASE_SECONDS, now())
        if copy.state == "gone" or not self._images.set_copy(image.id, copy, claimed):
            return copy.state == "gone"
        proof = self._look_again(claimed) if copy.state == "delete_manual" else self._delete(image, claimed)
        settled = after_deletion(claimed, proof, now())
        if not self._images.set_copy(image.id, claimed, settled):
            return False
        if settled.state != copy.state:
            self._history.note(image.id, "copy_deleted", copy.host, proof)
            self._on_change(image.id)
        return proof == "confirmed"

    def _delete(self, image: Image, copy: Copy) -> DeletionProof:
        try:
            # Brings the file back, from this very copy if need be: the public one may be the last.
            self._resolver.restore(image)
            return self._chain.delete(Receipt(copy.host, copy.url or "", copy.delete_url, copy.page_url))
        except (ProviderError, BytesMissing, NotFound) as error:
            log.warning("privacy.later", image=image.id, host=copy.host, error=str(error))
            return "pending"

    def _look_again(self, copy: Copy) -> DeletionProof:
        """Find out whether a person deleted what no program can."""
        try:
            self._chain.member(copy.host).fetch(copy.url or "")
        except BytesMissing:
            return "confirmed"
        except ChatBotError as error:
            log.info("privacy.unread", host=copy.host, error=str(error))
        return "manual"

    def _announce(self, image_ids: Collection[str]) -> None:
        for image_id in image_ids:
            self._on_change(image_id)
