"""Remembers which pictures are looked at, to the day, without costing the one who looks anything."""

from __future__ import annotations

import threading
from datetime import datetime

from ChatBot.db.views import Views
from ChatBot.models import now

REMEMBERED = 100_000
"""Pictures that are not written down a second time on the same day; one takes about 130 bytes."""


class Viewing:
    """Collects looks in memory; a chore writes them down, each picture once a day."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._lock = threading.Lock()
        self._day = _today()
        self._noted: set[str] = set()
        self._pending: set[str] = set()

    def note(self, image_id: str) -> None:
        """Somebody looks at a picture."""
        if image_id in self._noted:
            return
        with self._lock:
            self._pending.add(image_id)
            self._noted.add(image_id)

    def flush(self) -> int:
        """Write down what was collected; returns how many pictures that were."""
        with self._lock:
            pending, day = self._pending, self._day
            self._pending = set()
            if _today() != day or len(self._noted) > REMEMBERED:
                self._noted = set()
                self._day = _today()
        self._views.mark(pending, day)
        return len(pending)


def _today() -> datetime:
    return now().replace(hour=0, minute=0, second=0, microsecond=0)
