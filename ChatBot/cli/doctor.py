"""``doctor``: say what works here and what to do about the rest."""

from __future__ import annotations

from typing import Any

import click

from ChatBot.cli.output import EXIT_MISSING, answer, json_option, running_services
from ChatBot.errors import ChatBotError


@click.command()
@json_option
def doctor(as_json: bool) -> int:
    """Check all parts, and say what is wrong with them.

    The settings, the database, the disk, the generator, the assistant, the cloud hosts and the queue.
    """
    try:
        with running_services("doctor") as services:
            report = services.readiness()
    except ChatBotError as error:
        report = {"ready": False, "start": {"ok": False, "reason": str(error)}}
    answer(as_json, report, [_line(name, part) for name, part in report.items()])
    broken = any(isinstance(part, dict) and part.get("ok") is False for part in report.values())
    return EXIT_MISSING if broken or not report["ready"] else 0


def _line(name: str, part: Any) -> str:
    if isinstance(part, dict):
        mark = "ok " if part.get("ok") else "BAD"
        return f"{mark}  {name}: {part.get('name', '')} {part.get('reason', '')}".rstrip(" :")
    if name == "hosts":
        return f"     cloud hosts: {', '.join(part) or 'none set; pictures are kept on this server only'}"
    if name == "outbox":
        return f"     copies still on their way: {part}"
    return f"{'ok ' if part else 'BAD'}  {name}"
