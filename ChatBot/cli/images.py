"""``images``: restore, clean up, count."""

from __future__ import annotations

from dataclasses import asdict

import click

from ChatBot.cli.output import EXIT_FAILED_ITEMS, answer, apply_option, json_option, progress, running_services


@click.group()
def images() -> None:
    """Look after the stored pictures."""


@images.command()
@apply_option
@json_option
def restore(apply: bool, as_json: bool) -> int:
    """Bring missing or damaged local files back from their cloud copies, byte for byte."""
    with running_services("images restore") as services:
        total = services.stats()["totals"]["images"]
        with progress("Checking pictures", total) as step:
            report = services.restore.run(apply=apply, on_step=step)
    body = {"applied": apply, **asdict(report)}
    lines = [f"{report.checked} pictures checked, {len(report.missing)} without an intact local file."]
    if apply:
        lines.append(f"{len(report.restored)} restored, {len(report.lost)} could not be restored.")
        lines += [f"  {image_id}: {reason}" for image_id, reason in report.lost.items()]
    elif report.missing:
        lines.append("Run it with --apply to bring them back.")
    answer(as_json, body, lines)
    return EXIT_FAILED_ITEMS if report.lost else 0


@images.command()
@apply_option
@click.option(
    "--max-age-days", type=click.IntRange(min=0), help="Evict local files older than this (IMAGE_MAX_AGE_DAYS)."
)
@json_option
def cleanup(apply: bool, max_age_days: int | None, as_json: bool) -> int:
    """Free disk space: old pictures that are proved to be safe in the cloud, and files that belong to nothing."""
    with running_services("images cleanup") as services:
        total = services.stats()["totals"]["images"]
        with progress("Checking pictures", total) as step:
            report = services.cleanup.run(apply=apply, max_age_days=max_age_days, on_step=step)
    size = f"{report.freed_bytes / 1e6:.1f} MB"
    files = f"{len(report.evict)} local copies, {len(report.debris)} stray files"
    lines = [
        f"{'Freed' if apply else 'Would free'} {size}: {files}.",
        f"{len(report.kept)} old pictures stay, because nothing else holds their exact bytes.",
    ]
    if not apply and (report.evict or report.debris):
        lines.append("Run it with --apply to do so.")
    answer(as_json, asdict(report), lines)
    return 0


@images.command()
@json_option
def stats(as_json: bool) -> int:
    """Count pictures, bytes and cloud copies."""
    with running_services("images stats") as services:
        report = services.stats()
    lines = [f"{name:>12}: {value:,}" for name, value in report["totals"].items()]
    lines += [f"{row['host']:>12}: {row['count']:,} {row['state']}" for row in report["copies"]]
    answer(as_json, report, lines)
    return 0
