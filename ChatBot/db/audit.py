"""The audit log: who did what that matters for security, kept for a while."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from ChatBot.db.repository import Document, Repository
from ChatBot.models import Model, new_id

Outcome = Literal["ok", "refused", "failed"]
"""``refused``: by a rule or for a wrong password; ``failed``: something broke on the way."""


class AuditEntry(Model):
    """One action. It names accounts and things by id, and holds nothing that anybody typed."""

    id: str = Field(default_factory=new_id)
    at: datetime
    action: str
    outcome: Outcome
    actor_id: str | None = None
    address: str | None = None
    target_id: str | None = None
    request_id: str | None = None


class AuditLog(Repository):
    """Entries that are only ever added; MongoDB removes them at the end of their time."""

    collection_name = "audit"
    indexes = (
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        IndexModel([("at", DESCENDING), ("_id", DESCENDING)]),
    )

    def add(self, entry: AuditEntry, expires_at: datetime) -> None:
        """Write an entry."""
        document = entry.model_dump()
        self._collection.insert_one({"_id": document.pop("id"), **document, "expires_at": expires_at})

    def newest(self, limit: int, before: tuple[datetime, str] | None = None, **wanted: str | None) -> list[AuditEntry]:
        """Return entries, the newest first; ``wanted`` names fields and the values they must have (None: any)."""
        query: dict[str, Any] = {name: {"$eq": value} for name, value in wanted.items() if value is not None}
        if before:
            at, entry_id = before
            query["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": entry_id}}]
        found: list[Document] = list(self._collection.find(query).sort([("at", -1), ("_id", -1)]).limit(limit))
        return [AuditEntry.from_document(each) for each in found]
