"""``/admin`` and ``/api/admin``: the whole installation for its administrators. The guard lets nobody else in."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask_openapi3 import APIBlueprint, Tag
from werkzeug.wrappers import Response

from ChatBot.db.samples import Sample
from ChatBot.db.tasks import Task, TaskKind
from ChatBot.errors import InputError
from ChatBot.models import Image
from ChatBot.services.upkeep.oversight import DAYS, Overview
from ChatBot.web.context import current_account, services
from ChatBot.web.rendering.happenings import happening_text, reason_of
from ChatBot.web.rendering.present import durability_json, history_json, moment, no_link
from ChatBot.web.rendering.sentences import line_text
from ChatBot.web.schemas.admin import OverviewReport, PictureReport, TaskRecord
from ChatBot.web.schemas.requests import CopyOnHost, DiskUseQuery, ImagePath, NewTask

admin = APIBlueprint("admin", __name__, url_prefix="/api/admin", abp_tags=[Tag(name="Administration")])
admin_pages = Blueprint("admin_pages", __name__, url_prefix="/admin")


@admin.get("/overview", responses={HTTPStatus.OK: OverviewReport})
def overview(query: DiskUseQuery) -> dict[str, Any]:
    """Return totals, hosts, outbox, failures, orphans and disk use over the last 1 to 90 days."""
    steward = services().stewardship.oversight
    samples = [_sample_json(sample) for sample in steward.disk_use(query.days)]
    task = services().maintenance.latest()
    report = _overview_json(steward.overview())
    report["queue"] = services().health.queue()
    return {**report, "samples": samples, "task": _task_json(task) if task else None}


@admin.get("/images/<image_id>", responses={HTTPStatus.OK: PictureReport})
def image(path: ImagePath) -> dict[str, Any]:
    """Return where a picture of whatever account is, and what happened to it; never the picture itself."""
    found, entries = services().stewardship.oversight.picture(path.image_id)
    state = _picture_json(found) if found else None
    return {"id": path.image_id, "image": state, "history": [history_json(each) for each in entries]}


@admin.post("/images/<image_id>/retry", responses={HTTPStatus.NO_CONTENT: None, HTTPStatus.CONFLICT: None})
def retry(path: ImagePath, body: CopyOnHost) -> tuple[str, int]:
    """Try a failed copy again now."""
    services().stewardship.oversight.retry(path.image_id, body.host)
    return "", HTTPStatus.NO_CONTENT


@admin.post("/tasks", responses={HTTPStatus.ACCEPTED: TaskRecord, HTTPStatus.CONFLICT: None})
def start(body: NewTask) -> tuple[dict[str, Any], int]:
    """Start a restore or a clean-up, as a preview unless ``apply``; one at a time in an installation."""
    task = services().maintenance.start(current_account(), body.kind, apply=body.apply)
    return _task_json(task), HTTPStatus.ACCEPTED


@admin_pages.get("")
def page() -> str:
    """Show the whole installation."""
    steward = services().stewardship.oversight
    days = request.args.get("days", type=int)
    days = days if days in DAYS else DAYS[0]
    return render_template(
        "admin.html",
        overview=steward.overview(),
        samples=steward.disk_use(days),
        days=days,
        spans=DAYS,
        task=services().maintenance.latest(),
        line_text=line_text,
        limits=services().stewardship.limits,
        queue=services().health.queue(),
    )


@admin_pages.get("/task")
def task() -> str:
    """Show how far the running restore or clean-up is, for swapping it into the page."""
    return render_template("admin_task.html", task=services().maintenance.latest(), line_text=line_text)


@admin_pages.post("/tasks")
def start_by_form() -> Response:
    """Start a restore or a clean-up from the page."""
    kinds: dict[str, TaskKind] = {"restore": "restore", "cleanup": "cleanup"}
    kind = kinds.get(request.form.get("kind", ""))
    if kind is None:
        raise InputError("Say what to start: restore or cleanup.")
    services().maintenance.start(current_account(), kind, apply=request.form.get("apply") == "1")
    return redirect("/admin#maintenance", HTTPStatus.SEE_OTHER)


@admin_pages.post("/retry")
def retry_by_form() -> Response:
    """Try a failed copy again, from the page."""
    services().stewardship.oversight.retry(request.form.get("image_id", ""), request.form.get("host", ""))
    return redirect("/admin#failures", HTTPStatus.SEE_OTHER)


@admin_pages.get("/images/<image_id>")
def picture(image_id: str) -> str:
    """Show where a picture of whatever account is, and what happened to it; never the picture itself."""
    found, entries = services().stewardship.oversight.picture(image_id)
    owner = services().accounts.get(found.owner_id) if found else None
    rows = [(entry, happening_text(entry), reason_of(entry)) for entry in entries]
    return render_template(
        "history.html", image_id=image_id, state=found, owner=owner, entries=rows, view=None, for_admin=True
    )


def _overview_json(report: Overview) -> dict[str, Any]:
    return {
        "at": moment(report.at),
        "totals": report.totals,
        "hosts": [
            {
                "name": host.name,
                "active": host.active,
                "condition": host.condition.state,
                "next_attempt_seconds": round(host.condition.next_attempt_seconds, 1),
                "uploads_per_hour": host.condition.uploads_per_hour,
                "uploads_used": host.condition.uploads_used,
                "copies": host.copies,
            }
            for host in report.hosts
        ],
        "outbox": {
            "depth": report.outbox_depth,
            "oldest_at": moment(report.oldest_owed_at),
            "oldest_seconds": report.oldest_owed_seconds,
        },
        "failures": [
            {
                **failure.model_dump(include={"image_id", "host", "state", "attempts"}),
                "reason": failure.error,
                "next_at": moment(failure.next_at),
            }
            for failure in report.failures
        ],
        "orphans": [
            {"host": orphans.host, "counts": orphans.counts, "last_at": moment(orphans.last_at)}
            for orphans in report.orphans
        ],
    }


def _picture_json(image: Image) -> dict[str, Any]:
    return {
        "owner_id": image.owner_id,
        "trashed_at": moment(image.trashed_at),
        "durability": durability_json(image, no_link),
    }


def _sample_json(sample: Sample) -> dict[str, Any]:
    return {**sample.model_dump(exclude={"at"}), "at": moment(sample.at)}


def _task_json(task: Task) -> dict[str, Any]:
    times = {"started_at": moment(task.started_at), "finished_at": moment(task.finished_at)}
    shown = task.model_dump(include={"kind", "apply", "state", "started_by", "done", "total", "plan_id"})
    return {**shown, "lines": [str(line) for line in task.lines], **times, "alive": task.is_alive}
