"""``images replicate``: cloud copies for pictures that lack them."""

from __future__ import annotations

from dataclasses import asdict

import click

from ChatBot.cli.output import EXIT_FAILED_ITEMS, answer, apply_option, json_option, progress, running_services
from ChatBot.services.upkeep.replicate import WAIT_SECONDS


@click.command()
@apply_option
@click.option("--host", metavar="NAME", help="They lack one on this host; without it, on every host.")
@click.option("--wait", is_flag=True, help="With --apply: send them now, and end when all are settled.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=WAIT_SECONDS,
    show_default=True,
    help="Seconds to wait at most.",
)
@json_option
def replicate(apply: bool, host: str | None, wait: bool, timeout: float, as_json: bool) -> int:
    """Queue a cloud copy for every picture without one.

    One that is not verified does not count; the workers of the server send them.
    """
    with running_services("images replicate") as services:
        total = services.stats()["totals"]["images"]
        with progress("Checking pictures", total) as step:
            report = services.upkeep.replicate.run(apply=apply, host=host, on_step=step)
        if apply and wait and report.queued:
            with progress("Sending", len(report.queued)) as step:
                services.upkeep.replicate.wait(report, seconds=timeout, on_step=step)
    lines = [
        f"{report.checked} pictures checked; {len(report.queued)} {'queued' if apply else 'to be queued'}.",
        f"{len(report.under_way)} are already on their way, {len(report.impossible)} impossible.",
        *(f"  {image_id}: impossible; {reason}" for image_id, reason in report.impossible.items()),
    ]
    if apply and wait:
        lines.append(f"{len(report.verified)} verified, {len(report.unsettled)} not.")
        lines += [f"  {image_id}: {reason}" for image_id, reason in report.unsettled.items()]
    elif report.queued and not apply:
        lines.append("Run it with --apply to do so.")
    answer(as_json, asdict(report), lines)
    return EXIT_FAILED_ITEMS if report.impossible or report.unsettled else 0
