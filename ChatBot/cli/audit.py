"""``audit``: the log of what matters for security."""

from __future__ import annotations

import click

from ChatBot.cli.output import answer, json_option, running_services

MOST = 10_000


@click.group()
def audit() -> None:
    """See who did what that matters for security."""


@audit.command("list")
@click.option("--action", help="Only this action, such as account.login.")
@click.option("--outcome", type=click.Choice(["ok", "refused", "failed"]), help="Only what ended so.")
@click.option("--account", help="Only what this account did.")
@click.option("--limit", type=click.IntRange(1, MOST), default=100, show_default=True, help="How many entries.")
@json_option
def list_entries(action: str | None, outcome: str | None, account: str | None, limit: int, as_json: bool) -> int:
    """List entries of the audit log, the newest first."""
    with running_services("audit list") as services:
        found = services.audit.page(limit, action=action, outcome=outcome, account=account)
        names = services.audit.names(found)
    rows = [{**entry.model_dump(), "actor": names.get(entry.actor_id or "")} for entry in found]
    lines = [
        f"{row['at']:%Y-%m-%d %H:%M:%S}  {row['action']:<22} {row['outcome']:<8} {row['actor'] or '-':<16} "
        f"{row['address'] or '-':<16} {row['target_id'] or ''}".rstrip()
        for row in rows
    ]
    answer(as_json, {"items": rows}, lines or ["Nothing is noted."])
    return 0
