"""The shapes of answers for administrators."""

from __future__ import annotations

from typing import Literal

from ChatBot.db.audit import Outcome
from ChatBot.db.tasks import TaskKind, TaskState
from ChatBot.models import CopyState, Identifier
from ChatBot.web.schemas.answers import Answer, Durability, HistoryEntry, Moment


class Totals(Answer):
    """How much there is in the whole installation; sizes in bytes."""

    users: int
    conversations: int
    pictures: int
    bytes: int
    trashed: int
    trashed_bytes: int
    free_bytes: int


class HostState(Answer):
    """How a cloud host is doing, and its copies by state."""

    name: str
    active: bool
    condition: Literal["ready", "waiting", "left_alone"]
    next_attempt_seconds: float
    uploads_per_hour: int | None
    uploads_used: int
    copies: dict[CopyState, int]


class Outbox(Answer):
    """How many copies are still owed, and since when."""

    depth: int
    oldest_at: Moment | None
    oldest_seconds: float | None


class FailedCopy(Answer):
    """A copy that did not work out."""

    image_id: Identifier
    host: str
    state: CopyState
    attempts: int
    reason: str | None
    next_at: Moment | None


class OrphanCount(Answer):
    """Copies on a host that belong to no picture, by what became of them."""

    host: str
    counts: dict[str, int]
    last_at: Moment


class Queue(Answer):
    """What keeps the queue of background work, and how many jobs wait there."""

    kind: str
    ok: Literal[True]
    waiting: int


class BrokenQueue(Answer):
    """A queue that does not answer, and why."""

    kind: str
    ok: Literal[False]
    reason: str
    waiting: None


class DiskSample(Answer):
    """A measurement of what is stored; sizes in bytes."""

    at: Moment
    originals_bytes: int
    thumbnails_bytes: int
    free_bytes: int
    outbox_depth: int


class TaskRecord(Answer):
    """The restore or clean-up that runs, or ran last; ``lines`` say what came of it."""

    kind: TaskKind
    apply: bool
    state: TaskState
    started_by: str
    started_at: Moment
    finished_at: Moment | None
    done: int
    total: int | None
    lines: list[str]
    plan_id: str | None
    alive: bool


class OverviewReport(Answer):
    """The whole installation."""

    at: Moment
    totals: Totals
    hosts: list[HostState]
    outbox: Outbox
    failures: list[FailedCopy]
    orphans: list[OrphanCount]
    queue: Queue | BrokenQueue
    samples: list[DiskSample]
    task: TaskRecord | None


class PictureState(Answer):
    """Whose a picture is, and where its bytes are."""

    owner_id: Identifier
    trashed_at: Moment | None
    durability: Durability


class PictureReport(Answer):
    """What is known of a picture; ``image`` is null when it is gone."""

    id: Identifier
    image: PictureState | None
    history: list[HistoryEntry]


class AuditRecord(Answer):
    """An entry of the audit log; ``actor`` is the account's name today."""

    id: Identifier
    at: Moment
    action: str
    outcome: Outcome
    actor_id: Identifier | None
    actor: str | None
    address: str | None
    target_id: str | None
    request_id: str | None
