"""``images``: the group, rebuild and count; the longer commands have files of their own."""

from __future__ import annotations

from dataclasses import asdict

import click

from ChatBot.cli.cleanup import cleanup
from ChatBot.cli.orphans import orphans
from ChatBot.cli.output import EXIT_FAILED_ITEMS, answer, apply_option, json_option, progress, running_services
from ChatBot.cli.replicate import replicate
from ChatBot.cli.restore import restore
from ChatBot.cli.verify import verify
from ChatBot.models import RECORD_PLACES, RecordPlace


@click.group()
def images() -> None:
    """Look after the stored pictures."""


for command in (restore, cleanup, verify, replicate, orphans):
    images.add_command(command)


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
def rebuild(apply: bool, source: RecordPlace, as_json: bool) -> int:
    """Bring back what MongoDB lost, from the files alone.

    Accounts, conversations, pictures and shares all have their records.
    """
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
