"""What a person deleted and can still take back, or delete for good at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from ChatBot.db.images import Located
from ChatBot.db.trash import Trash as Trashed
from ChatBot.errors import NotFound
from ChatBot.hosts.base import DeletionProof
from ChatBot.models import Image, User
from ChatBot.services.access import Viewer, can_view_trashed
from ChatBot.services.pictures.deletion import Deletion
from ChatBot.services.pictures.gallery import Gallery
from ChatBot.services.pictures.resolver import Opened, Resolver

THUMBNAIL_WIDTH = 256
PATIENCE_SECONDS = 10.0
"""How long somebody who deletes for good waits for hosts; what they still have then is removed in the background."""


class Trash:
    """The trash of an account. What is not in it, or in somebody else's, is ``NotFound``.

    Several are taken together or, when one of them is not in this trash, not at all.
    """

    def __init__(
        self, trashed: Trashed, gallery: Gallery, deletion: Deletion, resolver: Resolver, *, trash_days: int
    ) -> None:
        self._trashed = trashed
        self._gallery = gallery
        self._deletion = deletion
        self._resolver = resolver
        self._stay = timedelta(days=trash_days)

    def page(self, user: User, limit: int, before: tuple[datetime, str] | None = None) -> list[Image]:
        """Return what is in the trash, the newest first, also what is being deleted for good."""
        return self._trashed.page(user.id, limit, before)

    def ends_at(self, image: Image) -> datetime | None:
        """Return when a picture's time in the trash is over; None when its deletion for good has begun."""
        return None if image.purging or image.trashed_at is None else image.trashed_at + self._stay

    def thumbnail(self, viewer: Viewer, image_id: str) -> Opened:
        """Return a small version of a trashed picture for its owner, from this disk as it is.

        Nothing is fetched, repaired or written for it: that could meet the picture's deletion.
        """
        found = self._trashed.find_many(viewer.user_id, [image_id]) if viewer.user_id else []
        opened = None
        if found and can_view_trashed(viewer, found[0].image):
            opened = self._resolver.at_hand(found[0].image, THUMBNAIL_WIDTH)
        if opened is None:
            raise NotFound("There is no such picture in the trash.")
        return opened

    def restore(self, user: User, image_ids: Sequence[str]) -> list[Image]:
        """Take pictures out of the trash; returns those that are out of it now."""
        wanted = self._own(user, image_ids)
        if any(each.image.purging for each in wanted):
            raise NotFound("There is no such picture in the trash.")
        restored = []
        for each in wanted:
            with suppress(NotFound):  # another request was faster
                restored.append(self._gallery.untrash(user, each.image.id))
        return restored

    def delete(self, user: User, image_ids: Sequence[str]) -> dict[str, DeletionProof]:
        """Delete pictures for good before their time: nothing brings them back. Returns by id what is proved of it.

        What was taken out of the trash meanwhile is left out.
        """
        return self._deletion.purge_now(self._own(user, image_ids), PATIENCE_SECONDS)

    def _own(self, user: User, image_ids: Sequence[str]) -> list[Located]:
        wanted = list(dict.fromkeys(image_ids))
        found = self._trashed.find_many(user.id, wanted)
        if len(found) != len(wanted):
            raise NotFound("There is no such picture in the trash.")
        return found
