"""``images orphans``: what cloud hosts keep for no picture."""

from __future__ import annotations

from dataclasses import asdict

import click

from ChatBot.cli.output import EXIT_FAILED_ITEMS, answer, apply_option, json_option, progress, running_services
from ChatBot.services.upkeep.orphan_search import OrphanSearchReport


@click.command()
@apply_option
@click.option("--force", is_flag=True, help="Go on although more than 20 % of what a host has belongs to no picture.")
@json_option
def orphans(apply: bool, force: bool, as_json: bool) -> int:
    """Find and delete cloud copies that belong to no picture. Such are left by an upload whose reply was lost.

    Only S3 can say what it has. There is no way back: look at the list before --apply.
    """
    with running_services("images orphans") as services, progress("Listing copies", None) as step:
        report = services.upkeep.orphan_search.run(apply=apply, force=force, on_step=step)
    answer(as_json, asdict(report), _lines(report))
    return EXIT_FAILED_ITEMS if report.failed or (apply and report.stopped) else 0


def _lines(report: OrphanSearchReport) -> list[str]:
    found = sum(map(len, report.orphans.values()))
    lines = [
        *(f"{host} has {count} copies." for host, count in report.listed.items()),
        *(f"{host} cannot say what it has." for host in report.silent),
        *(f"  {url}: belongs to no picture" for urls in report.orphans.values() for url in urls),
        *(f"  {name}: {reason}" for name, reason in report.failed.items()),
        f"{found} copies belong to no picture" + (f", {len(report.deleted)} deleted." if report.applied else "."),
    ]
    if report.stopped:
        lines.append(report.stopped)
    elif found and not report.applied:
        lines.append("Run it with --apply to delete them; there is no way back.")
    return lines
