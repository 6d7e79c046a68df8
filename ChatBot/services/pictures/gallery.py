"""A person's pictures: find them, describe them, put them into the trash and take them out again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ChatBot.db.history import NO_HISTORY, Notes
from ChatBot.db.images import Images, Located
from ChatBot.db.messages import Messages
from ChatBot.errors import InputError, NotFound
from ChatBot.models import Image, Kind, Message, User
from ChatBot.sentence import Sentence
from ChatBot.services.access import Viewer, can_change, can_view_image
from ChatBot.services.events import EventLog
from ChatBot.services.pictures.quota import UNLIMITED, Room

CAPTION_CHARACTERS = 2000
TAG_CHARACTERS = 50
TAGS = 50


class Gallery:
    """The pictures of an account. Absent, trashed and foreign ones are all ``NotFound``."""

    def __init__(
        self,
        messages: Messages,
        images: Images,
        events: EventLog,
        *,
        room: Room = UNLIMITED,
        history: Notes = NO_HISTORY,
    ) -> None:
        self._messages = messages
        self._images = images
        self._events = events
        self._room = room
        self._history = history

    def view(self, viewer: Viewer, image_id: str) -> Image:
        """Return a picture the viewer may see."""
        located = self._images.find(image_id)
        if located is None or not can_view_image(viewer, located.image, None):
            raise NotFound(Sentence("There is no such picture."))
        return located.image

    def view_original(self, viewer: Viewer, folder: str, filename: str) -> Image:
        """Return a picture by the address that the original design gave it."""
        located = self._images.find_original(f"/static/Storage/{folder}/{filename}")
        if located is None or not can_view_image(viewer, located.image, None):
            raise NotFound(Sentence("There is no such picture."))
        return located.image

    def page(
        self, user: User, limit: int, before: tuple[datetime, str] | None = None, kind: Kind = "picture"
    ) -> tuple[list[Image], Message | None]:
        """Return pictures (or files), newest first, and the message to go on after (None: that was all).

        Whole messages are taken until there are ``limit`` pictures, so a page can be a little longer.
        """
        images: list[Image] = []
        messages = self._messages.gallery(user.id, limit, before, kind)
        for index, message in enumerate(messages):
            images += [image for image in message.images if image.trashed_at is None and image.kind == kind]
            if len(images) >= limit:
                more = index + 1 < len(messages) or len(messages) == limit
                return images, message if more else None
        return images, messages[-1] if len(messages) == limit else None

    def attached(self, messages: Sequence[Message]) -> dict[str, Image]:
        """Return the pictures that messages attach, by id; those of another owner than the message's are left out."""
        wanted = {image_id: message.owner_id for message in messages for image_id in message.attachments}
        found = self._images.find_many(list(wanted))
        return {each.image.id: each.image for each in found if each.image.owner_id == wanted[each.image.id]}

    def describe(
        self,
        user: User,
        image_id: str,
        *,
        caption: str | None = None,
        tags: Sequence[str] | None = None,
        favourite: bool | None = None,
    ) -> Image:
        """Change what is given of a picture's caption, tags and favourite mark; raises ``InputError``."""
        self._own(user, image_id)
        fields: dict[str, object] = {}
        if caption is not None:
            if len(caption) > CAPTION_CHARACTERS:
                raise InputError(Sentence("A caption has at most %(most)s characters.", most=CAPTION_CHARACTERS))
            fields["caption"] = caption.strip() or None
        if tags is not None:
            fields["tags"] = _clean_tags(tags)
        if favourite is not None:
            fields["favourite"] = favourite
        if fields:
            self._images.change(image_id, **fields)
        return self._own(user, image_id).image

    def trash(self, user: User, image_id: str) -> Image:
        """Put a picture into the trash: from now on every address of it answers as if it had never been."""
        located = self._own(user, image_id)
        if not self._images.trash(image_id):
            raise NotFound(Sentence("There is no such picture."))
        self._history.note(image_id, "trashed")
        self._events.publish(located.conversation_id, "updated", {"message_id": located.message_id})
        return located.image

    def untrash(self, user: User, image_id: str) -> Image:
        """Take a picture out of the trash again; ``NotFound`` when it is not in it (or already purged)."""
        located = self._images.find(image_id, trashed=True)
        if located is None or not can_change(Viewer(user), located.image.owner_id):
            raise NotFound(Sentence("There is no such picture in the trash."))
        with self._room.coming_back(located.image):
            if not self._images.untrash(image_id):
                raise NotFound(Sentence("There is no such picture in the trash."))
        self._history.note(image_id, "untrashed")
        self._events.publish(located.conversation_id, "updated", {"message_id": located.message_id})
        return located.image.model_copy(update={"trashed_at": None})

    def announce(self, image_id: str) -> None:
        """Tell the page that something changed about a picture's copies."""
        located = self._images.find(image_id)
        if located is not None:
            self._events.publish(located.conversation_id, "updated", {"message_id": located.message_id})

    def _own(self, user: User, image_id: str) -> Located:
        located = self._images.find(image_id)
        if located is None or not can_change(Viewer(user), located.image.owner_id):
            raise NotFound(Sentence("There is no such picture."))
        return located


def _clean_tags(tags: Sequence[str]) -> list[str]:
    cleaned = list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if len(cleaned) > TAGS or any(len(tag) > TAG_CHARACTERS for tag in cleaned):
        raise InputError(
            Sentence(
                "A picture has at most %(tags)s tags of at most %(most)s characters.", tags=TAGS, most=TAG_CHARACTERS
            )
        )
    return cleaned
