"""The one maintenance task that runs, or ran last, in this installation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field, field_validator

from ChatBot.db.repository import Repository
from ChatBot.models import Model, now
from ChatBot.sentence import Sentence

TaskKind = Literal["restore", "cleanup"]
TaskState = Literal["running", "finished", "failed"]

LEASE_SECONDS = 120.0
"""Renewed with every sign of progress; after that a task counts as dead with its process."""
ONLY_ONE = "maintenance"
"""The id of the one document, so that of two starts at the same moment only one wins."""


class Line(Model):
    """A sentence about a task with its ``%(name)s`` places, kept apart so that each page says it in its language.

    A value called ``size`` is in bytes.
    """

    text: str
    values: dict[str, int | str] = Field(default_factory=dict)

    def __str__(self) -> str:
        size = self.values.get("size")
        in_units = {"size": f"{size / 1e6:,.1f} MB"} if isinstance(size, int) else {}
        return str(Sentence(self.text, **{**self.values, **in_units}))


class Task(Model):
    """A run of a command from the administration page. ``lines`` say in sentences what came of it."""

    run_id: str
    kind: TaskKind
    apply: bool
    state: TaskState
    started_at: datetime
    started_by: str
    lease_until: datetime
    finished_at: datetime | None = None
    done: int = 0
    total: int | None = None
    plan_id: str | None = None
    lines: tuple[Line, ...] = ()

    @field_validator("lines", mode="before")
    @classmethod
    def _whole_sentences(cls, lines: Any) -> Any:
        """Take the plain sentences that earlier versions kept."""
        return [{"text": line} if isinstance(line, str) else line for line in lines]

    @property
    def is_alive(self) -> bool:
        """Whether it runs and its process has lately said so."""
        return self.state == "running" and self.lease_until > now()


class Tasks(Repository):
    """One document, claimed and renewed by compare-and-set."""

    collection_name = "tasks"

    def claim(self, run_id: str, kind: TaskKind, username: str, *, apply: bool, total: int | None) -> Task:
        """Begin a task; raises ``Conflict`` while another one runs anywhere."""
        at = now()
        task = Task(
            run_id=run_id,
            kind=kind,
            apply=apply,
            state="running",
            started_at=at,
            started_by=username,
            lease_until=at + timedelta(seconds=LEASE_SECONDS),
            total=total,
        )
        free = {"_id": ONLY_ONE, "$or": [{"state": {"$ne": "running"}}, {"lease_until": {"$lte": at}}]}
        self._collection.replace_one(free, {"_id": ONLY_ONE, **task.model_dump()}, upsert=True)
        return task

    def latest(self) -> Task | None:
        """Return the task that runs or ran last."""
        document = self._collection.find_one({"_id": ONLY_ONE})
        return Task.from_document(document) if document else None

    def renew(self, run_id: str, done: int) -> bool:
        """Say how far a task is and that it lives; False when it is no longer the one that runs."""
        changes = {"done": done, "lease_until": now() + timedelta(seconds=LEASE_SECONDS)}
        query = {"_id": ONLY_ONE, "run_id": run_id, "state": "running"}
        return self._collection.update_one(query, {"$set": changes}).matched_count == 1

    def finish(self, run_id: str, state: TaskState, lines: Sequence[Line], plan_id: str | None = None) -> None:
        """Note what came of a task."""
        changes = {
            "state": state,
            "lines": [line.model_dump() for line in lines],
            "plan_id": plan_id,
            "finished_at": now(),
        }
        self._collection.update_one({"_id": ONLY_ONE, "run_id": run_id}, {"$set": changes})
