"""Share links: show one conversation to whoever has the link, until it is revoked."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from ChatBot.db.conversations import Conversations
from ChatBot.db.images import Images
from ChatBot.db.messages import Messages
from ChatBot.db.shares import Shares
from ChatBot.errors import InputError, NotFound
from ChatBot.models import Conversation, Image, Message, Share, User, new_id, now
from ChatBot.services.access import Viewer, can_view_image, can_view_message
from ChatBot.services.accounts import digest
from ChatBot.services.threads import Threads

TOKEN_BYTES = 24
LONGEST_SECONDS = 10 * 365 * 24 * 3600


class Sharing:
    """Makes, opens and revokes share links; only the hash of a link's token is kept."""

    def __init__(
        self,
        shares: Shares,
        conversations: Conversations,
        messages: Messages,
        images: Images,
        threads: Threads,
        *,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._shares = shares
        self._conversations = conversations
        self._messages = messages
        self._images = images
        self._threads = threads
        self._hasher = hasher or PasswordHasher()

    def create(
        self,
        user: User,
        conversation_id: str,
        *,
        expires_in: int | None = None,
        password: str | None = None,
        live: bool = False,
    ) -> tuple[Share, str]:
        """Make a link and return its record and its token; ``expires_in`` in seconds, None for ever.

        Raises ``NotFound`` or ``InputError`` (nothing to share, or a wrong life time).
        """
        viewer = Viewer(user)
        conversation = self._threads.get(viewer, conversation_id)
        messages = self._threads.messages(viewer, conversation)
        if not messages:
            raise InputError("There is nothing to share yet; this conversation is empty.")
        if expires_in is not None and not 60 <= expires_in <= LONGEST_SECONDS:
            raise InputError("A link lives at least 60 seconds and at most ten years.")
        token = secrets.token_urlsafe(TOKEN_BYTES)
        moment = now()
        share = Share(
            id=new_id(),
            owner_id=user.id,
            conversation_id=conversation.id,
            token_hash=digest(token),
            live=live,
            until=messages[-1].created_at,
            password_hash=self._hasher.hash(password) if password else None,
            expires_at=moment + timedelta(seconds=expires_in) if expires_in is not None else None,
            created_at=moment,
        )
        self._shares.add(share)
        return share, token

    def open(self, token: str) -> Share:
        """Return the share a token stands for; raises ``NotFound`` for unknown, revoked and expired ones alike."""
        share = self._shares.open(digest(token), now())
        if share is None:
            raise NotFound("This link does not exist, has expired, or was withdrawn.")
        return share

    def unlock(self, share: Share, password: str) -> bool:
        """Say whether that is the share's password."""
        if share.password_hash is None:
            return True
        try:
            return self._hasher.verify(share.password_hash, password)
        except VerificationError:
            return False

    def content(self, share: Share) -> tuple[Conversation, list[Message]]:
        """Return what the share shows: the conversation and its visible messages, oldest first."""
        conversation = self._conversations.get(share.conversation_id)
        if conversation is None:
            raise NotFound("This link does not exist, has expired, or was withdrawn.")
        until = None if share.live else share.until
        viewer = Viewer(share=share)
        return conversation, [
            each for each in self._messages.of(conversation.id, until) if can_view_message(viewer, each)
        ]

    def count_view(self, share: Share) -> None:
        """Note that somebody opened the page."""
        self._shares.count_view(share.id)

    def image(self, share: Share, image_id: str) -> Image:
        """Return a picture that the share shows; raises ``NotFound`` for every other one."""
        located = self._images.find(image_id)
        if located is not None:
            holder = self._messages.get(located.message_id)
            holders = [holder] if holder else []
            if located.conversation_id != share.conversation_id:
                holders = [each for each in self.content(share)[1] if image_id in each.attachments]
            if any(can_view_image(Viewer(share=share), located.image, each) for each in holders):
                return located.image
        raise NotFound("There is no such picture.")

    def of(self, user: User, limit: int, before: tuple[datetime, str] | None = None) -> list[Share]:
        """Return an account's open links, newest first."""
        return self._shares.of(user.id, limit, before)

    def revoke(self, user: User, share_id: str) -> None:
        """Close a link at once; raises ``NotFound``."""
        if not self._shares.revoke(share_id, user.id):
            raise NotFound("There is no such link.")
