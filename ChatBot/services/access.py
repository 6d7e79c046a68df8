"""Who may do what: pure decisions, used by every route, command and worker."""

from __future__ import annotations

from dataclasses import dataclass

from ChatBot.models import Conversation, Image, Message, Share, User


@dataclass(frozen=True)
class Viewer:
    """Whoever asks: an account, the holder of a share link, or nobody."""

    user: User | None = None
    share: Share | None = None

    @property
    def user_id(self) -> str | None:
        """The account's id, None for everybody else."""
        return self.user.id if self.user else None


ANYBODY = Viewer()


def owns(viewer: Viewer, owner_id: str) -> bool:
    """Say whether a thing of that owner is the viewer's own."""
    return viewer.user_id is not None and viewer.user_id == owner_id


def can_view_conversation(viewer: Viewer, conversation: Conversation) -> bool:
    """The owner sees a conversation; so does the holder of a share that reads it."""
    if owns(viewer, conversation.owner_id):
        return True
    share = viewer.share
    return share is not None and not share.frozen and share.conversation_id == conversation.id


def can_view_message(viewer: Viewer, message: Message) -> bool:
    """The owner sees a message; so does the holder of a share that reads its conversation, up to the share's time.

    A frozen share shows what is written in it, and no message; none shows a message of another account.
    """
    if owns(viewer, message.owner_id):
        return True
    share = viewer.share
    if share is None or share.frozen or message.owner_id != share.owner_id:
        return False
    if message.conversation_id != share.conversation_id:
        return False
    return share.live or message.created_at <= share.until


def can_view_image(viewer: Viewer, image: Image, holder: Message | None) -> bool:
    """The owner sees a picture; a share's holder sees those that the share names or a visible message of it shows.

    ``holder`` is the message through which the viewer came to the picture: the one it is embedded in, or one that
    attaches it. A picture in the trash is seen by nobody, and no share shows a picture of another account.
    """
    if image.trashed_at is not None:
        return False
    if owns(viewer, image.owner_id):
        return True
    if viewer.share is None or viewer.share.owner_id != image.owner_id:
        return False
    if viewer.share.frozen:
        return image.id in viewer.share.image_ids
    return holder is not None and _shows(holder, image) and can_view_message(viewer, holder)


def can_view_trashed(viewer: Viewer, image: Image) -> bool:
    """Only the owner sees a picture in the trash, and only in the trash, until its deletion for good begins."""
    return owns(viewer, image.owner_id) and image.trashed_at is not None and not image.purging


def can_change(viewer: Viewer, owner_id: str) -> bool:
    """Only the owner changes or deletes a thing; a share never gives more than sight."""
    return owns(viewer, owner_id)


def can_administer(viewer: Viewer) -> bool:
    """Only an administrator sees the server's own state."""
    return viewer.user is not None and viewer.user.role == "admin"


def _shows(message: Message, image: Image) -> bool:
    """Say whether a message shows a picture of its own author (a forged attachment shows nothing)."""
    if message.owner_id != image.owner_id:
        return False
    return image.id in message.attachments or any(each.id == image.id for each in message.images)
