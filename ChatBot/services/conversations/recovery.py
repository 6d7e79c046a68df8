"""Answers whose process is gone: finish them, begin them again, or say that they were interrupted.

========== ============================== ==========================================================
it was     what is there                  what happens
========== ============================== ==========================================================
queued     nothing was asked of anybody   it is begun again
streaming  delivered pictures             they are put into the message: they may have been paid for
streaming  a text that broke off, or a    it is marked as interrupted, with a button to try again:
           request to a generator         a second request could be charged a second time
========== ============================== ==========================================================

The same happens to answers of this process whose end could not be written because MongoDB did not answer then.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta

import structlog

from ChatBot.db.messages import RUNNING, Messages
from ChatBot.errors import ChatBotError
from ChatBot.media.spool import Spool
from ChatBot.models import Message, now
from ChatBot.services.conversations.chat import Chat
from ChatBot.services.conversations.generation import SERVER_STOPPED, Generation
from ChatBot.services.conversations.running import Running
from ChatBot.services.events import EventLog

log = structlog.get_logger(__name__)

SPOOL_SECONDS = 24 * 3600.0
FORSAKEN_SECONDS = 5.0
"""An answer of this process that nobody here works on was forsaken that long after its lease was last renewed."""


class Recovery:
    """Keeps this process's answers its own, and takes over those of processes that are gone."""

    def __init__(
        self,
        messages: Messages,
        generation: Generation,
        chat: Chat,
        events: EventLog,
        pools: Sequence[Running],
        spool: Spool,
    ) -> None:
        self._messages = messages
        self._generation = generation
        self._chat = chat
        self._events = events
        self._pools = tuple(pools)
        self._spool = spool

    def sweep(self, *, lonely: bool = False) -> int:
        """Renew this process's leases and take over what others left; returns how many answers that were.

        ``lonely``: no other process can be alive (the embedded database has one server), so no lease is waited for.
        """
        first = self._pools[0]
        active: list[str] = []
        for pool in self._pools:
            working_on = pool.active()
            self._messages.renew(working_on, pool.owner, pool.lease_end())
            active += working_on
        taken = 0
        while not first.closing:
            message = self._next(first, active, lonely=lonely)
            if message is None:
                break
            taken += 1
            self._take_over(message)
        self._tidy_spool()
        return taken

    def _next(self, pool: Running, active: Sequence[str], *, lonely: bool) -> Message | None:
        """Return an answer that nobody works on: of a process that is gone, or whose end this one could not write."""
        message = self._messages.adopt(pool.owner, pool.lease_end(), now(), lonely=lonely)
        if message is not None:
            return message
        forsaken_before = pool.lease_end() - timedelta(seconds=FORSAKEN_SECONDS)
        return self._messages.take_up(pool.owner, pool.lease_end(), forsaken_before, active)

    def _tidy_spool(self) -> None:
        """Drop what was delivered for messages that no longer want it.

        A failed message (the disk was full) may be asked for again, so its pictures are kept for a day.
        """
        for message_id, delivered_at in self._spool.waiting().items():
            message = self._messages.get(message_id)
            wanted = message is not None and (message.status in RUNNING or message.status == "failed")
            if not wanted or time.time() - delivered_at > SPOOL_SECONDS:
                self._spool.remove(message_id)

    def _take_over(self, message: Message) -> None:
        log.info("recovery.take_over", message=message.id, status=message.status)
        try:
            if message.status == "queued":
                self._chat.start(message)
            elif self._generation.finish(message):
                self._events.publish(message.conversation_id, "done", {"message_id": message.id})
            else:
                self._interrupt(message)
        except ChatBotError as error:
            log.warning("recovery.failed", message=message.id, error=str(error))
            self._generation.fail(message, error)

    def _interrupt(self, message: Message) -> None:
        self._messages.settle(message.id, "interrupted", error=SERVER_STOPPED)
        for kind in ("updated", "done"):
            self._events.publish(message.conversation_id, kind, {"message_id": message.id})
