"""Whether the account of a browser session may see a picture: all that serving one has to know, in one question."""

from __future__ import annotations

from ChatBot.db.glances import Glance, Glances, Question
from ChatBot.services.access import Viewer, can_view_image
from ChatBot.services.accounts import digest
from ChatBot.services.pictures.together import Together


class Showing:
    """Looks up session, account and picture together, for many requests at once, and decides as the gallery does."""

    def __init__(self, glances: Glances) -> None:
        self._together = Together(glances.read)

    def picture(self, session_key: str, image_id: str) -> Glance | None:
        """Return a picture that the session's account may see now, with both; None when there is no such thing."""
        glance = self._together.ask(Question(digest(session_key), image_id))
        if glance is None or not can_view_image(Viewer(glance.user), glance.image, None):
            return None
        return glance
