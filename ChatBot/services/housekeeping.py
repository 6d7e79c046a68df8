"""Chores of the whole installation: whichever process comes first does one, and no two processes do the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ChatBot.db.chores import Chores
from ChatBot.models import new_id, now

CHORES = "chores"
"""The name of the jobs; their keys are names of chores."""


@dataclass(frozen=True)
class Chore:
    """Something to be done so many ``seconds`` after it was last done. ``run`` says how much there was to do."""

    name: str
    seconds: float
    run: Callable[[], int]


class Housekeeping:
    """Does chores; when each is due stands in MongoDB, so that several processes do not repeat them."""

    def __init__(self, chores: Chores, todo: Sequence[Chore]) -> None:
        self._chores = chores
        self._todo = {chore.name: chore for chore in todo}
        self._owner = new_id()
        self._running: set[str] = set()
        self._planned = False

    def due(self) -> list[str]:
        """Return the names of the chores to be done now."""
        at = now()
        if not self._planned:
            self._chores.plan({each.name: at + timedelta(seconds=each.seconds) for each in self._todo.values()})
            self._planned = True
        return self._chores.due(self._todo.keys(), at)

    def work_on(self, name: str) -> bool:
        """Do a chore unless somebody else does it or has just done it; never any more to be done at once."""
        chore = self._todo.get(name)
        if chore is None or not self._chores.claim(name, self._owner, now()):
            return False
        self._running.add(name)
        try:
            chore.run()
        finally:
            self._running.discard(name)
            self._chores.finish(name, self._owner, now() + timedelta(seconds=chore.seconds))
        return False

    def renew(self) -> int:
        """Keep hold of the chores that this process is doing; returns how many those are."""
        running = list(self._running)
        if running:
            self._chores.renew(running, self._owner, now())
        return len(running)
