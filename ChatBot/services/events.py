"""The live side of a conversation: publish what happens, follow it from any point."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

from ChatBot.db.events import Events
from ChatBot.models import Event

IDLE_SECONDS = 5.0
"""How long a stream may be silent. Only a write shows that its reader has gone, and until then it holds a thread."""
FOREIGN_POLL_SECONDS = 1.0
"""How late an event of another process may be seen; those of this process arrive at once."""

GAP_POLL_SECONDS = 0.02
"""How often a reader looks again for an entry whose number is taken and which is about to be written."""


class EventLog:
    """Publishes entries to the stored log and wakes the readers of this process."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._news = threading.Condition()
        self._published: dict[str, int] = {}
        self._closed = False

    def publish(self, conversation_id: str | None, kind: str, data: dict[str, Any]) -> None:
        """Append an entry to a conversation's log; without a conversation there is nobody to tell."""
        if conversation_id is None:
            return
        event = self._events.append(conversation_id, kind, data)
        with self._news:
            self._published[conversation_id] = max(self._published.get(conversation_id, 0), event.seq)
            self._news.notify_all()

    def last_seq(self, conversation_id: str) -> int:
        """Return the number of the newest entry."""
        return self._events.last_seq(conversation_id)

    def follow(self, conversation_id: str, after: int, *, idle_seconds: float = IDLE_SECONDS) -> Iterator[Event | None]:
        """Yield the entries after number ``after`` as they come, and None after each ``idle_seconds`` of silence.

        The iterator ends when the application closes; its caller closes it when the reader is gone.
        """
        spoken = time.monotonic()
        while not self._closed:
            events = self._events.after(conversation_id, after)
            for event in events:
                after = event.seq
                yield event
            if events:
                spoken = time.monotonic()
            elif time.monotonic() - spoken >= idle_seconds:
                spoken = time.monotonic()
                yield None
            self._wait_for_more(conversation_id, after, found_some=bool(events))

    def forget(self, conversation_id: str) -> None:
        """Delete a conversation's log."""
        self._events.remove_of(conversation_id)
        with self._news:
            self._published.pop(conversation_id, None)

    def close(self) -> None:
        """End every ``follow`` of this process."""
        with self._news:
            self._closed = True
            self._news.notify_all()

    def _wait_for_more(self, conversation_id: str, after: int, *, found_some: bool) -> None:
        with self._news:
            if not found_some and self._published.get(conversation_id, 0) > after:
                self._news.wait(GAP_POLL_SECONDS)
                return
            self._news.wait_for(
                lambda: self._closed or self._published.get(conversation_id, 0) > after, FOREIGN_POLL_SECONDS
            )
