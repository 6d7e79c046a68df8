"""``images``: restore, clean up, rebuild, count."""

from __future__ import annotations

from dataclasses import asdict

import click

from ChatBot.cli.output import EXIT_FAILED_ITEMS, answer, apply_option, json_option, progress, running_services
from ChatBot.models import RECORD_PLACES


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
    if report.stopped:
        lines.append(report.stopped)
    answer(as_json, asdict(report), lines)
    return EXIT_FAILED_ITEMS if report.stopped else 0


@images.command()
@apply_option
@click.option(
    "--from",
    "source",
    type=click.Choice(RECORD_PLACES),
    default="disk",
    show_default=True,
    help="Where the records are read: Storage/records, or the S3 host.",
)
@json_option
def rebuild(apply: bool, source: str, as_json: bool) -> int:
    """Bring accounts, conversations, pictures and shares back into MongoDB from their records, the files alone."""
    with running_services("images rebuild") as services, progress("Reading records", None) as step:
        report = services.rebuild.run(apply=apply, source=source, on_step=step)
    counts = ", ".join(f"{count} {name}" for name, count in report.added.items())
    lines = [
        f"{report.records} records read. {'Added' if apply else 'Would add'} {counts}; {len(report.images)} pictures.",
        *(f"  {name}: closed again, as its record says" for name in report.closed),
        *(
            f"  u-{user_id}: the name is taken; the account is called “{name}” now"
            for user_id, name in report.renamed.items()
        ),
        *(f"  {name}: damaged. {reason}" for name, reason in report.damaged.items()),
        *(f"  {name}: left out. {reason}" for name, reason in report.skipped.items()),
        *(f"  {image_id}: its bytes are nowhere; {reason}" for image_id, reason in report.lost.items()),
    ]
    if not apply and (any(report.added.values()) or report.images or report.closed):
        lines.append("Run it with --apply to do so.")
    answer(as_json, asdict(report), lines)
    return EXIT_FAILED_ITEMS if report.lost or report.damaged else 0


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
