"""``images verify``: documents, files and copies compared."""

from __future__ import annotations

from dataclasses import asdict

import click

from ChatBot.cli.output import EXIT_FAILED_ITEMS, answer, json_option, progress, running_services
from ChatBot.services.upkeep.verify import Finding


@click.command()
@click.option(
    "--deep", is_flag=True, help="Hash every file and fetch every copy, and write down what each is worth now."
)
@json_option
def verify(deep: bool, as_json: bool) -> int:
    """Compare the documents, the files and the cloud copies. Nothing is repaired and no reference is erased."""
    with running_services("images verify") as services:
        total = services.stats()["totals"]["images"]
        with progress("Fetching and hashing" if deep else "Checking pictures", total) as step:
            report = services.upkeep.verify.run(deep=deep, on_step=step)
    lines = [
        f"{report.pictures} pictures, {report.files} local files, {sum(report.copies.values())} copies"
        + (f", {report.probed} of them fetched." if deep else "."),
        *(_line(finding) for finding in report.problems),
        *(f"{_line(finding)} (harmless)" for finding in report.notes),
        f"{len(report.problems)} problems." if report.problems else "All is well.",
    ]
    answer(as_json, {"ok": not report.problems, **asdict(report)}, lines)
    return EXIT_FAILED_ITEMS if report.problems else 0


def _line(finding: Finding) -> str:
    host = f" on {finding.host}" if finding.host else ""
    return f"  {finding.id}: {finding.kind}{host}; {finding.reason}"
