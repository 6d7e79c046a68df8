"""``images cleanup``: a plan, the plan carried out, and the way back."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import click

from ChatBot.cli.output import EXIT_FAILED_ITEMS, answer, apply_option, json_option, progress, running_services
from ChatBot.services.upkeep.cleanup import CleanupReport
from ChatBot.services.upkeep.holding import GRACE_HOURS


@click.command()
@apply_option
@click.option(
    "--max-age-days", type=click.IntRange(min=0), help="Evict local files older than this (IMAGE_MAX_AGE_DAYS)."
)
@click.option(
    "--plan", metavar="ID|PATH", help="With --apply: carry out just this plan. Without: the file to write the plan to."
)
@click.option("--force", is_flag=True, help="Go on although more than 20 % of the pictures lose their local copy.")
@click.option(
    "--grace-hours",
    type=click.FloatRange(min=0),
    default=GRACE_HOURS,
    show_default=True,
    help="How long the files stay in quarantine before they are deleted.",
)
@click.option("--undo", metavar="ID", help="Bring back what that plan took, as long as it is in quarantine.")
@json_option
def cleanup(
    apply: bool,
    max_age_days: int | None,
    plan: str | None,
    force: bool,
    grace_hours: float,
    undo: str | None,
    as_json: bool,
) -> int:
    """Free disk space and never take a last copy.

    It takes old pictures that are proved to be safe in the cloud, and files that belong to nothing. Without
    --apply it writes a plan and shows it. Pinned pictures (favourites) and those that an open share shows stay.
    """
    if undo:
        return _undo(undo, as_json)
    if plan and not apply and re.fullmatch(r"[0-9a-f]{32}", plan):
        raise click.UsageError("--plan with an id needs --apply; without --apply it names the file to write.")
    with running_services("images cleanup") as services:
        total = services.stats()["totals"]["images"]
        with progress("Checking pictures", total) as step:
            report = services.cleanup.run(
                apply=apply,
                max_age_days=max_age_days,
                force=force,
                plan=plan if apply else None,
                plan_path=Path(plan) if plan and not apply else None,
                grace_hours=grace_hours,
                on_step=step,
            )
    answer(as_json, asdict(report), _lines(report, apply, grace_hours))
    refused = report.stopped and (apply or not report.too_many)
    return EXIT_FAILED_ITEMS if refused or report.failed else 0


def _lines(report: CleanupReport, apply: bool, grace_hours: float) -> list[str]:
    size = f"{report.freed_bytes / 1e6:.1f} MB"
    files = f"{len(report.evict)} local copies, {len(report.debris)} stray files"
    lines = [
        f"{'Took away' if report.applied else 'Would take away'} {size}: {files}.",
        f"{len(report.kept)} old pictures stay.",
        *(f"  {image_id}: {reason}" for image_id, reason in report.kept.items()),
        *(f"  {name}: left out; {reason}" for name, reason in report.skipped.items()),
        *(f"  {name}: failed; {reason}" for name, reason in report.failed.items()),
        *(f"  {image_id}: came back from quarantine" for image_id in report.returned),
    ]
    if report.stopped:
        lines.append(report.stopped)
    found = bool(report.evict or report.debris)
    if report.applied and found:
        lines.append(f"They stay in quarantine for {grace_hours:g} hours: --undo {report.plan} brings them back.")
    elif found and not apply:
        lines.append(f"The plan is {report.plan} ({report.plan_file}): --apply --plan {report.plan} carries it out.")
    return lines


def _undo(plan: str, as_json: bool) -> int:
    with running_services("images cleanup") as services:
        report = services.upkeep.holding.undo(plan)
    lines = [
        f"{len(report.returned)} files are back in their place.",
        *(f"  {name}: {reason}" for name, reason in report.failed.items()),
    ]
    answer(as_json, asdict(report), lines)
    return EXIT_FAILED_ITEMS if report.failed else 0
