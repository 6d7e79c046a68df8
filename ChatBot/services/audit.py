"""Writes down what matters for security, and never fails the action that it writes about."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from ChatBot.db.audit import AuditEntry, AuditLog, Outcome
from ChatBot.db.users import Users
from ChatBot.errors import ChatBotError
from ChatBot.models import now
from ChatBot.services.accounts import name_key

log = structlog.get_logger(__name__)

SERVER = "this server"
COMMAND_LINE = "command line"
"""Stand for an address where no request asked."""


class Audit:
    """The audit log of an installation; entries stay for ``days``."""

    def __init__(self, entries: AuditLog, users: Users, *, days: int) -> None:
        self._entries = entries
        self._users = users
        self._kept = timedelta(days=days)

    def note(
        self,
        action: str,
        outcome: Outcome = "ok",
        *,
        actor_id: str | None = None,
        address: str | None = None,
        target_id: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Write an entry; when the database does not take it, the log on stderr has it instead."""
        entry = AuditEntry(
            at=now(),
            action=action,
            outcome=outcome,
            actor_id=actor_id,
            address=address,
            target_id=target_id,
            request_id=request_id,
        )
        try:
            self._entries.add(entry, entry.at + self._kept)
        except ChatBotError as error:
            # A sentence, no traceback: that the database is away is logged in full by whoever needed it.
            log.error(  # noqa: TRY400 - see above
                "audit.unwritten", reason=str(error), **entry.model_dump(exclude={"at", "id"}, exclude_none=True)
            )

    def purged(self, image_id: str) -> None:
        """Note that the server deleted a picture for good."""
        self.note("picture.purge", address=SERVER, target_id=image_id)

    def page(
        self,
        limit: int,
        before: tuple[datetime, str] | None = None,
        *,
        action: str | None = None,
        outcome: str | None = None,
        account: str | None = None,
    ) -> list[AuditEntry]:
        """Return entries, the newest first; ``account`` is the name of whoever acted. An unknown one did nothing."""
        actor = self._users.by_name(name_key(account)) if account else None
        if account and actor is None:
            return []
        actor_id = actor.id if actor else None
        return self._entries.newest(limit, before, action=action, outcome=outcome, actor_id=actor_id)

    def names(self, entries: list[AuditEntry]) -> dict[str, str]:
        """Return the names of the accounts that acted in those entries, by id."""
        return self._users.names({entry.actor_id for entry in entries if entry.actor_id})
