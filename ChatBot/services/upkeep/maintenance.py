"""Restore and clean-up started from the administration page: one at a time per installation, with progress."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from ChatBot.db.census import Census
from ChatBot.db.tasks import Line, Task, TaskKind, Tasks
from ChatBot.errors import Cancelled, ChatBotError, Conflict, InputError
from ChatBot.models import User, new_id
from ChatBot.sentence import Sentence
from ChatBot.services.upkeep.cleanup import Cleanup
from ChatBot.services.upkeep.restore import Restore

log = structlog.get_logger(__name__)

STEP_SECONDS = 0.5
"""Between two writes of how far a task is."""
LISTED = 20
"""How many pictures are named; the command line names them all."""

# What a task can say. The pages have each of them in every language (``web/rendering/sentences.py``).
CHECKED = "Pictures checked: %(checked)s, without an intact local file: %(missing)s."
RESTORED = "%(restored)s restored, %(lost)s could not be restored."
MOVED = "Moved into quarantine: %(copies)s local copies and %(stray)s stray files (%(size)s)."
WOULD_MOVE = "Would move into quarantine: %(copies)s local copies and %(stray)s stray files (%(size)s)."
STAY = "%(kept)s old pictures stay, because nothing else holds their exact bytes or they are in use."
MORE = "… and %(more)s more; the command line lists them all."
STOPPED = "It was stopped with the server; run it again, it does only the rest."
BROKE = "Something went wrong on the server; its log has the details."

Step = Callable[[int], None]
Values = dict[str, int | str]
Outcome = tuple[list[Line], str | None]
"""Sentences about what came of it, and the id of a plan that can be applied now."""


class Maintenance:
    """Runs a task in a thread of this process and notes in MongoDB how far it is."""

    def __init__(self, tasks: Tasks, census: Census, restore: Restore, cleanup: Cleanup) -> None:
        self._tasks = tasks
        self._census = census
        self._restore = restore
        self._cleanup = cleanup
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, user: User, kind: TaskKind, *, apply: bool) -> Task:
        """Begin; raises ``Conflict`` while a task runs anywhere, ``InputError`` when a clean-up was not previewed.

        A clean-up applies the plan that the preview made, and nothing else.
        """
        plan_id = self._previewed() if kind == "cleanup" and apply else None
        total = self._census.totals()["pictures"]
        try:
            task = self._tasks.claim(new_id(), kind, user.username, apply=apply, total=total)
        except Conflict as error:
            raise Conflict(Sentence("A restore or a clean-up already runs; wait until it is done.")) from error
        self._thread = threading.Thread(target=self._run, args=(task, plan_id), name=f"maintenance-{kind}", daemon=True)
        self._thread.start()
        return task

    def latest(self) -> Task | None:
        """Return the task that runs, or the one that ran last."""
        return self._tasks.latest()

    def close(self) -> None:
        """Stop the task of this process at its next picture; what it did so far stays done."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _previewed(self) -> str:
        latest = self._tasks.latest()
        if latest is None or latest.kind != "cleanup" or latest.plan_id is None:
            raise InputError(Sentence("Preview the clean-up first; then exactly what it showed can be applied."))
        return latest.plan_id

    def _run(self, task: Task, plan_id: str | None) -> None:
        try:
            lines, next_plan = self._restoring(task) if task.kind == "restore" else self._cleaning(task, plan_id)
            self._tasks.finish(task.run_id, "finished", lines, next_plan)
        except Cancelled:
            self._end(task, STOPPED)
        except ChatBotError as error:
            log.warning("maintenance.failed", kind=task.kind, error=str(error))
            self._end(task, str(error))
        except Exception:
            log.exception("maintenance.broke", kind=task.kind)
            self._end(task, BROKE)

    def _end(self, task: Task, sentence: str) -> None:
        try:
            self._tasks.finish(task.run_id, "failed", [Line(text=sentence)])
        except ChatBotError as error:  # its lease runs out, and the page says that it is gone
            log.warning("maintenance.unfinished", kind=task.kind, error=str(error))

    def _restoring(self, task: Task) -> Outcome:
        report = self._restore.run(apply=task.apply, on_step=self._stepper(task))
        lines = [Line(text=CHECKED, values={"checked": report.checked, "missing": len(report.missing)})]
        if task.apply:
            counts: Values = {"restored": len(report.restored), "lost": len(report.lost)}
            lines.append(Line(text=RESTORED, values=counts))
        if report.stopped:
            lines.append(Line(text=report.stopped))
        return lines + _listed(report.lost), None

    def _cleaning(self, task: Task, plan_id: str | None) -> Outcome:
        report = self._cleanup.run(apply=task.apply, plan=plan_id, on_step=self._stepper(task))
        counts: Values = {"copies": len(report.evict), "stray": len(report.debris), "size": report.freed_bytes}
        lines = [
            Line(text=MOVED if report.applied else WOULD_MOVE, values=counts),
            Line(text=STAY, values={"kept": len(report.kept)}),
        ]
        if report.stopped:
            lines.append(Line(text=report.stopped))
        may_apply = not task.apply and not report.stopped and bool(report.evict or report.debris)
        return lines + _listed(report.skipped) + _listed(report.failed), report.plan if may_apply else None

    def _stepper(self, task: Task) -> Step:
        told = 0.0

        def step(done: int) -> None:
            nonlocal told
            if self._closing.is_set():
                raise Cancelled("The server stops.")
            if time.monotonic() - told >= STEP_SECONDS:
                told = time.monotonic()
                if not self._tasks.renew(task.run_id, done):
                    raise Cancelled("Another process took over.")

        return step


def _listed(reasons: dict[str, str]) -> list[Line]:
    lines = [Line(text=f"{name}: {reason}") for name, reason in list(reasons.items())[:LISTED]]
    if len(reasons) > LISTED:
        lines.append(Line(text=MORE, values={"more": len(reasons) - LISTED}))
    return lines
