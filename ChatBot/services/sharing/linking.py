"""Links to single pictures for machines and for people without an account.

A *signed* link is short: the picture, the purpose and the time stand in the link itself, under our signature. It dies
with its time, with the picture, and when its owner ends all links. A *permanent* link is a capability: a random
token, kept as a hash, which its owner can list and revoke. Neither gives more than sight of one picture.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Literal

from itsdangerous import BadData, URLSafeTimedSerializer

from ChatBot.db.images import Images
from ChatBot.db.picture_links import PictureLinks
from ChatBot.db.users import Users
from ChatBot.errors import InputError, NotFound
from ChatBot.models import Image, PictureLink, User, new_id, now
from ChatBot.sentence import Sentence
from ChatBot.services.access import Viewer, can_change
from ChatBot.services.accounts import digest

Purpose = Literal["picture", "export"]
"""A link made for one is nothing to the other."""

TOKEN_BYTES = 24
NAME_CHARACTERS = 80
SIGNED_SECONDS = 3600
"""How long a signed link lives unless something else is asked for."""
LONGEST_SECONDS = 7 * 24 * 3600
"""Longest life of a signed link; asked for when it is made and again when it is used."""
GONE = Sentence("This link does not exist, has expired, or was withdrawn.")


class Linking:
    """Makes, opens and revokes links to pictures."""

    def __init__(self, links: PictureLinks, images: Images, users: Users, secret_key: str) -> None:
        self._links = links
        self._images = images
        self._users = users
        self._secret_key = secret_key

    def sign(
        self, user: User, image_id: str, *, seconds: int = SIGNED_SECONDS, purpose: Purpose = "picture"
    ) -> tuple[str, datetime]:
        """Return the token of a signed link and when it ends; ``seconds`` is its life.

        Raises ``NotFound``, or ``InputError`` for a life below a minute or above seven days.
        """
        if not 60 <= seconds <= LONGEST_SECONDS:
            raise InputError(Sentence("A signed link lives at least 60 seconds and at most seven days."))
        self._own(user, image_id)
        token = self._serializer(purpose).dumps({"image": image_id, "seconds": seconds})
        return str(token), now() + timedelta(seconds=seconds)

    def keep(self, user: User, image_id: str, name: str = "") -> tuple[PictureLink, str]:
        """Make a permanent link and return its record and its token; raises ``NotFound`` or ``InputError``."""
        if len(name) > NAME_CHARACTERS:
            raise InputError(Sentence("The name of a link has at most %(most)s characters.", most=NAME_CHARACTERS))
        self._own(user, image_id)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        link = PictureLink(
            id=new_id(),
            owner_id=user.id,
            image_id=image_id,
            token_hash=digest(token),
            name=name.strip(),
            created_at=now(),
        )
        self._links.add(link)
        return link, token

    def open(self, token: str, purpose: Purpose = "picture") -> Image:
        """Return the picture a link shows; raises ``NotFound`` for every link that shows none (any more) alike."""
        image = self._signed(token, purpose) if "." in token else self._kept(token, purpose)
        if image is None:
            raise NotFound(GONE)
        return image

    def of(self, user: User, limit: int, before: tuple[datetime, str] | None = None) -> list[PictureLink]:
        """Return an account's permanent links, newest first."""
        return self._links.of(user.id, limit, before)

    def revoke(self, user: User, link_id: str) -> None:
        """Close a permanent link at once; raises ``NotFound``."""
        if not self._links.revoke(link_id, user.id):
            raise NotFound(Sentence("There is no such link."))

    def end_signed(self, user: User) -> None:
        """Let every signed link to an account's pictures be dead."""
        self._users.end_signed_links(user.id, now())

    def revoke_all(self, user: User) -> int:
        """Close every link of an account, the signed ones too; returns how many permanent ones there were."""
        self.end_signed(user)
        return self._links.revoke_all(user.id)

    def _signed(self, token: str, purpose: Purpose) -> Image | None:
        serializer = self._serializer(purpose)
        try:
            said, made = serializer.loads(token, max_age=LONGEST_SECONDS, return_timestamp=True)
            seconds, image_id = int(said["seconds"]), str(said["image"])
        except (BadData, KeyError, TypeError, ValueError):
            return None
        if made + timedelta(seconds=seconds) <= now():
            return None
        image = self._find(image_id)
        owner = self._users.get(image.owner_id) if image else None
        if owner is None or (owner.links_ended_at is not None and made <= owner.links_ended_at):
            return None
        return image

    def _kept(self, token: str, purpose: Purpose) -> Image | None:
        link = self._links.open(digest(token)) if purpose == "picture" else None
        image = self._find(link.image_id) if link else None
        if link is None or image is None or image.owner_id != link.owner_id:
            return None
        self._links.note_use(link.id, now().replace(hour=0, minute=0, second=0, microsecond=0))
        return image

    def _find(self, image_id: str) -> Image | None:
        located = self._images.find(image_id)
        return located.image if located else None

    def _own(self, user: User, image_id: str) -> None:
        image = self._find(image_id)
        if image is None or not can_change(Viewer(user), image.owner_id):
            raise NotFound(Sentence("There is no such picture."))

    def _serializer(self, purpose: Purpose) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._secret_key, salt=f"ChatBot.{purpose}-link")
