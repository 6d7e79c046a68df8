"""Share links: show one conversation to whoever has the link, until it is revoked."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from ChatBot.db.conversations import Conversations
from ChatBot.db.images import Images, Located
from ChatBot.db.messages import Messages
from ChatBot.db.shares import Shares
from ChatBot.errors import Forbidden, InputError, NotFound
from ChatBot.models import Image, Message, Share, SharedMessage, User, new_id, now
from ChatBot.sentence import Sentence
from ChatBot.services.access import Viewer, can_view_image, can_view_message
from ChatBot.services.accounts import digest
from ChatBot.services.conversations.snapshots import frozen, shown_of
from ChatBot.services.conversations.threads import Threads

TOKEN_BYTES = 24
LONGEST_SECONDS = 10 * 365 * 24 * 3600
GONE = Sentence("This link does not exist, has expired, or was withdrawn.")


@dataclass(frozen=True)
class Shown:
    """What the holder of a link sees: a title, messages, oldest first, and by id those of their pictures that exist."""

    title: str
    messages: tuple[SharedMessage, ...]
    pictures: Mapping[str, Image]

    @property
    def cover(self) -> Image | None:
        """The first picture that was made in the conversation, else the first one that was put into it."""
        made = [image_id for each in self.messages for image_id in each.images]
        given = [image_id for each in self.messages for image_id in each.attachments]
        found = (self.pictures[image_id] for image_id in (*made, *given) if image_id in self.pictures)
        return next((image for image in found if not image.is_file), None)


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
        if not shown_of(messages):
            raise InputError(Sentence("There is nothing to share yet; this conversation is empty."))
        if expires_in is not None and not 60 <= expires_in <= LONGEST_SECONDS:
            raise InputError(Sentence("A link lives at least 60 seconds and at most ten years."))
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
        if not live:
            share = frozen(share, conversation.title, messages)
        self._shares.add(share)
        return share, token

    def open(self, token: str) -> Share:
        """Return the share a token stands for; raises ``NotFound`` for unknown, revoked and expired ones alike."""
        share = self._shares.open(digest(token), now())
        if share is None:
            raise NotFound(GONE)
        return share

    def again(self, share: Share) -> Share:
        """Return a share as it is now; raises ``NotFound`` when it was revoked or has expired meanwhile."""
        found = self._shares.open(share.token_hash, now())
        if found is None:
            raise NotFound(GONE)
        return found

    def unlock(self, share: Share, password: str) -> None:
        """Accept the share's password; raises ``Forbidden`` when it is another one."""
        if share.password_hash is None:
            return
        try:
            self._hasher.verify(share.password_hash, password)
        except VerificationError as error:
            raise Forbidden(Sentence("This is not the password.")) from error

    def content(self, share: Share) -> Shown:
        """Return what the share shows now; raises ``NotFound`` when the conversation that it reads is gone."""
        title, messages = share.title, share.messages
        if not share.frozen:
            conversation = self._conversations.get(share.conversation_id)
            if conversation is None:
                raise NotFound(GONE)
            title, messages = conversation.title, shown_of(self._read(share))
        wanted = dict.fromkeys(image_id for each in messages for image_id in (*each.attachments, *each.images))
        found = (each.image for each in self._images.find_many(list(wanted)))
        return Shown(title, messages, {image.id: _public(image) for image in found if image.owner_id == share.owner_id})

    def count_view(self, share: Share) -> None:
        """Note that somebody opened the page."""
        self._shares.count_view(share.id)

    def image(self, share: Share, image_id: str) -> Image:
        """Return a picture that the share shows; raises ``NotFound`` for every other one."""
        located = self._images.find(image_id)
        holders = self._holders(share, image_id, located)
        viewer = Viewer(share=share)
        if located is None or not any(can_view_image(viewer, located.image, holder) for holder in holders):
            raise NotFound(Sentence("There is no such picture."))
        return _public(located.image)

    def _holders(self, share: Share, image_id: str, located: Located | None) -> Sequence[Message | None]:
        """Return the messages through which the share could show a picture; a frozen one names it itself.

        A picture that does not exist is looked for like any other, or the time would tell which ones do.
        """
        if share.frozen:
            return [None]
        if located is not None and located.conversation_id == share.conversation_id:
            return [self._messages.get(located.message_id)]
        return [each for each in self._read(share) if image_id in each.attachments]

    def _read(self, share: Share) -> list[Message]:
        viewer = Viewer(share=share)
        messages = self._messages.of(share.conversation_id, None if share.live else share.until)
        return [each for each in messages if can_view_message(viewer, each)]

    def of(
        self,
        user: User,
        limit: int,
        before: tuple[datetime, str] | None = None,
        *,
        conversation_id: str | None = None,
    ) -> list[Share]:
        """Return an account's unrevoked links, newest first; those of one conversation if it is named."""
        return self._shares.of(user.id, limit, before, conversation_id=conversation_id)

    def revoke(self, user: User, share_id: str) -> None:
        """Close a link at once; raises ``NotFound``."""
        if not self._shares.revoke(share_id, user.id):
            raise NotFound(Sentence("There is no such link."))


def _public(image: Image) -> Image:
    """Return a picture without what its file told about its maker; a name or a comment would slip into a page.

    A file keeps its name: there is nothing else to show of it.
    """
    return image.model_copy(update={"original_name": image.original_name if image.is_file else None, "metadata": {}})
