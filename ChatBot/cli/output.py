"""How commands speak: one JSON object or readable text on stdout, everything else on stderr; exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ChatBot.bootstrap import build
from ChatBot.config import load_settings
from ChatBot.container import Services
from ChatBot.db.audit import Outcome
from ChatBot.errors import ChatBotError, DatabaseUnavailable, InputError, NotFound, SettingsError
from ChatBot.logs import log_to_stderr
from ChatBot.services.audit import COMMAND_LINE

EXIT_USAGE = 2
EXIT_FAILED_ITEMS = 3
EXIT_MISSING = 4

AUDITED = frozenset(
    {
        *("users create", "users password", "users promote", "users token", "shares revoke"),
        *("images cleanup", "images restore", "images rebuild", "images replicate", "images orphans"),
    }
)
"""Commands that the audit log keeps, when they change something."""

NOT_AUDITED = frozenset(
    {
        *("serve", "worker", "doctor", "audit list", "hosts list", "shares list", "shares doctor", "images stats"),
        "hosts check",  # sends and deletes a picture of its own
        "images verify",  # marks what it found to be damaged, and takes nothing
    }
)
"""Commands that change nothing of anybody's. A new one stands here or above: a test sees to it."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
apply_option = click.option(
    "--apply", is_flag=True, help="Do it; without this the command only shows what it would do."
)


@contextmanager
def running_services(purpose: str) -> Iterator[Services]:
    """Give a command the services, on the running server's database if there is one."""
    log_to_stderr()
    services = build(load_settings(), purpose=purpose, may_attach=True)
    outcome: Outcome = "failed"
    try:
        yield services
        outcome = "ok"
    finally:
        if purpose in AUDITED and _changes_something():
            services.audit.note(f"command {purpose}", outcome, address=COMMAND_LINE, target_id=_target(services))
        services.close()


def _changes_something() -> bool:
    given = click.get_current_context().params
    return bool(given.get("apply", True) or given.get("undo"))


def _target(services: Services) -> str | None:
    """Return the id of what the command names: a share, or an account by its name."""
    given = click.get_current_context().params
    account = services.accounts.find(given["username"]) if "username" in given else None
    return account.id if account else given.get("share_id")


class _Rate(ProgressColumn):
    """Steps per second over the last while."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a progress bar with rate and remaining time on a terminal; elsewhere stay silent."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)


def answer(as_json: bool, body: dict[str, Any], lines: list[str]) -> None:
    """Print a command's answer in the form that was asked for."""
    click.echo(json.dumps(body, default=str) if as_json else "\n".join(lines))


def exit_code_of(error: ChatBotError) -> int:
    """Return the exit code that an error means."""
    if isinstance(error, SettingsError | DatabaseUnavailable):
        return EXIT_MISSING
    if isinstance(error, InputError | NotFound):
        return EXIT_USAGE
    return 1
