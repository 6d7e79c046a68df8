"""Slows down whoever guesses a password: the first tries are free, then each costs twice the wait of the one before."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from ChatBot.db.guesses import Guesses
from ChatBot.errors import RateLimited
from ChatBot.models import now
from ChatBot.sentence import Sentence
from ChatBot.services.accounts import digest

FREE_GUESSES = 5
LONGEST_WAIT = timedelta(minutes=15)
"""Four guesses an hour are useless to a guesser, and a person who forgot has to wait no longer than a coffee."""
REMEMBERED = timedelta(hours=1)


class Guessing:
    """Counts guesses by what is guessed at **and** from where, so that nobody locks a person out from elsewhere."""

    def __init__(self, guesses: Guesses) -> None:
        self._guesses = guesses

    @contextmanager
    def attempt(self, target: str, address: str) -> Iterator[None]:
        """Let a guess at ``target`` be tried: an error inside means wrong, its absence right.

        The guess counts before it is tried; many at the same moment gain nothing. Raises ``RateLimited``.
        """
        key, at = digest(f"{target}\n{address}"), now()
        until = self._guesses.count(key, at, free=FREE_GUESSES, longest=LONGEST_WAIT, remembered=REMEMBERED)
        if until is not None:
            wait = math.ceil((until - at).total_seconds())
            raise RateLimited(
                Sentence("Too many wrong passwords from here. Try again in %(seconds)s s.", seconds=wait),
                retry_after_seconds=float(wait),
            )
        yield
        self._guesses.forget(key)
