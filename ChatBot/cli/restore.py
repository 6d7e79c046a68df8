"""``images restore``: local files back from their cloud copies."""

from __future__ import annotations

from dataclasses import asdict

import click

from ChatBot.cli.output import EXIT_FAILED_ITEMS, answer, apply_option, json_option, progress, running_services
from ChatBot.services.upkeep.restore import PARALLEL_RESTORES, RESERVE_BYTES, RestoreReport


@click.command()
@apply_option
@click.option(
    "--parallel",
    type=click.IntRange(1, 256),
    default=PARALLEL_RESTORES,
    show_default=True,
    help="How many pictures are fetched at once.",
)
@click.option(
    "--reserve-mb",
    type=click.IntRange(min=0),
    default=RESERVE_BYTES // 1_000_000,
    show_default=True,
    help="Stop before less than this is free on the disk.",
)
@click.option("--evicted", is_flag=True, help="Bring those back too that a clean-up took on purpose.")
@json_option
def restore(apply: bool, parallel: int, reserve_mb: int, evicted: bool, as_json: bool) -> int:
    """Bring missing or damaged local files back, byte for byte.

    They come from their cloud copies; again does only the rest.
    """
    with running_services("images restore") as services:
        total = services.stats()["totals"]["images"]
        with progress("Restoring" if apply else "Checking pictures", total) as step:
            report = services.restore.run(
                apply=apply, parallel=parallel, reserve_bytes=reserve_mb * 1_000_000, evicted=evicted, on_step=step
            )
    answer(as_json, {"applied": apply, **asdict(report)}, _lines(report, apply))
    return EXIT_FAILED_ITEMS if report.lost or report.stopped else 0


def _lines(report: RestoreReport, apply: bool) -> list[str]:
    lines = [f"Pictures checked: {report.checked}, without an intact local file: {len(report.missing)}."]
    if report.evicted:
        lines.append(f"{report.evicted} are only in the cloud on purpose (--evicted brings them back).")
    if apply:
        lines.append(f"{len(report.restored)} restored, {len(report.lost)} could not be restored.")
        lines += [f"  {image_id}: {reason}" for image_id, reason in report.lost.items()]
    elif report.missing:
        lines.append("Run it with --apply to bring them back.")
    return [*lines, report.stopped] if report.stopped else lines
