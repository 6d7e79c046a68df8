"""Restore and clean-up from the page: one at a time, with progress, and only what was previewed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ChatBot.db.tasks import Task
from ChatBot.errors import ChatBotError, Conflict, InputError
from ChatBot.models import User, new_id, now
from ChatBot.services.upkeep.cleanup import CleanupReport
from ChatBot.services.upkeep.maintenance import Maintenance
from ChatBot.services.upkeep.restore import RestoreReport
from tests.services.workshop import SETTLED_SECONDS, Workshop


class ScriptedWork:
    """A restore and a clean-up in one: takes steps, waits at a gate, and returns or raises what it was given."""

    def __init__(self, report: Any = None) -> None:
        self.report = report or RestoreReport(checked=3)
        self.error: Exception | None = None
        self.begun = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self.calls: list[dict[str, Any]] = []

    def run(self, *, on_step: Callable[[int], None], **options: Any) -> Any:
        self.calls.append(options)
        on_step(1)
        self.begun.set()
        assert self.gate.wait(SETTLED_SECONDS)
        on_step(2)
        if self.error:
            raise self.error
        return self.report


def maintenance(workshop: Workshop, restore: ScriptedWork, cleanup: ScriptedWork | None = None) -> Maintenance:
    repositories = workshop.repositories
    return Maintenance(repositories.tasks, repositories.census, restore, cleanup or ScriptedWork())  # type: ignore[arg-type]


def ended(running: Maintenance) -> Task:
    """Wait for the thread and return what it left."""
    assert running._thread is not None
    running._thread.join(SETTLED_SECONDS)
    task = running.latest()
    assert task is not None
    return task


def test_a_task_says_how_far_it_is_and_what_came_of_it(workshop: Workshop, ann: User) -> None:
    workshop.upload(ann)
    work = ScriptedWork(RestoreReport(checked=7, missing=["a", "b"], restored=["a"], lost={"b": "no copy has it"}))
    work.gate.clear()
    running = maintenance(workshop, work)

    running.start(ann, "restore", apply=True)
    assert work.begun.wait(SETTLED_SECONDS)
    meanwhile = running.latest()
    work.gate.set()
    task = ended(running)

    assert meanwhile is not None
    assert (meanwhile.state, meanwhile.is_alive, meanwhile.done, meanwhile.total) == ("running", True, 1, 1)
    assert (task.state, task.started_by, task.is_alive) == ("finished", "ann", False)
    assert tuple(map(str, task.lines)) == (
        "Pictures checked: 7, without an intact local file: 2.",
        "1 restored, 1 could not be restored.",
        "b: no copy has it",
    )


def test_a_preview_only_looks(workshop: Workshop, ann: User) -> None:
    work = ScriptedWork()
    running = maintenance(workshop, work)

    running.start(ann, "restore", apply=False)
    ended(running)

    assert work.calls == [{"apply": False}]


def test_a_second_task_is_refused_while_one_runs_in_any_process(workshop: Workshop, ann: User) -> None:
    work, other = ScriptedWork(), ScriptedWork()
    work.gate.clear()
    running = maintenance(workshop, work)
    running.start(ann, "restore", apply=True)

    with pytest.raises(Conflict, match="already runs"):
        maintenance(workshop, other).start(ann, "cleanup", apply=False)

    work.gate.set()
    ended(running)
    assert other.calls == []


def test_a_task_whose_process_is_gone_makes_room_for_the_next(workshop: Workshop, ann: User) -> None:
    tasks = workshop.repositories.tasks
    tasks.claim(new_id(), "restore", "ann", apply=True, total=1)
    workshop.database["tasks"].update_one({}, {"$set": {"lease_until": now() - timedelta(seconds=1)}})
    running = maintenance(workshop, ScriptedWork())

    running.start(ann, "restore", apply=False)

    assert ended(running).state == "finished"


def test_a_task_that_lost_its_lease_stops_and_leaves_its_successor_alone(workshop: Workshop, ann: User) -> None:
    work = ScriptedWork()
    work.gate.clear()
    running = maintenance(workshop, work)
    running.start(ann, "restore", apply=True)
    assert work.begun.wait(SETTLED_SECONDS)
    workshop.database["tasks"].update_one({}, {"$set": {"run_id": "another"}})
    threading.Event().wait(0.6)  # progress is written every half second

    work.gate.set()
    task = ended(running)

    assert (task.run_id, task.state, task.lines) == ("another", "running", ())


@pytest.mark.parametrize(
    ("error", "said"),
    [(ChatBotError("the volume is not mounted"), "the volume is not mounted"), (RuntimeError("boom"), "its log has")],
)
def test_a_task_that_fails_says_why(workshop: Workshop, ann: User, error: Exception, said: str) -> None:
    work = ScriptedWork()
    work.error = error
    running = maintenance(workshop, work)

    running.start(ann, "restore", apply=True)
    task = ended(running)

    assert task.state == "failed"
    assert said in str(task.lines[0])


def test_closing_stops_the_task_at_its_next_picture(workshop: Workshop, ann: User) -> None:
    work = ScriptedWork()
    work.gate.clear()
    running = maintenance(workshop, work)
    running.start(ann, "restore", apply=True)
    assert work.begun.wait(SETTLED_SECONDS)

    threading.Timer(0.05, work.gate.set).start()
    running.close()

    task = running.latest()
    assert task is not None
    assert task.state == "failed"
    assert "stopped with the server" in str(task.lines[0])


def test_a_clean_up_applies_the_plan_of_its_preview_and_nothing_else(workshop: Workshop, ann: User) -> None:
    work = ScriptedWork(CleanupReport(plan="plan-1", evict=["a"], freed_bytes=1_500_000))
    running = maintenance(workshop, ScriptedWork(), work)
    running.start(ann, "cleanup", apply=False)
    preview = ended(running)

    running.start(ann, "cleanup", apply=True)
    ended(running)

    assert preview.plan_id == "plan-1"
    assert "1 local copies and 0 stray files (1.5 MB)" in str(preview.lines[0])
    assert work.calls == [{"apply": False, "plan": None}, {"apply": True, "plan": "plan-1"}]


def test_a_clean_up_without_a_preview_is_refused(workshop: Workshop, ann: User) -> None:
    work = ScriptedWork()

    with pytest.raises(InputError, match="Preview"):
        maintenance(workshop, ScriptedWork(), work).start(ann, "cleanup", apply=True)

    assert work.calls == []


def test_a_long_list_of_reasons_is_cut_and_says_so(workshop: Workshop, ann: User) -> None:
    lost = {f"{number:032}": "no copy" for number in range(25)}
    running = maintenance(workshop, ScriptedWork(RestoreReport(checked=25, lost=lost)))

    running.start(ann, "restore", apply=True)
    task = ended(running)

    assert len(task.lines) == 2 + 20 + 1
    assert "5 more" in str(task.lines[-1])
