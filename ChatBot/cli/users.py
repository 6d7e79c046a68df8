"""``users``: create accounts, make administrators, hand out API tokens."""

from __future__ import annotations

import secrets

import click

from ChatBot.cli.output import answer, json_option, running_services
from ChatBot.models import User


@click.group()
def users() -> None:
    """Look after the accounts."""


@users.command()
@click.argument("username")
@click.option(
    "--password",
    envvar="CHATBOT_PASSWORD",
    help="The password (or the variable CHATBOT_PASSWORD); without it one is made and shown.",
)
@json_option
def create(username: str, password: str | None, as_json: bool) -> int:
    """Create an account; the very first one becomes the administrator."""
    chosen = password or secrets.token_urlsafe(12)
    with running_services("users create") as services:
        user = services.accounts.create(username, chosen)
    shown = {} if password else {"password": chosen}
    lines = [f"Created {user.username} ({user.role})."] + ([] if password else [f"Password: {chosen}"])
    answer(as_json, {**_shown(user), **shown}, lines)
    return 0


@users.command()
@click.argument("username")
@json_option
def promote(username: str, as_json: bool) -> int:
    """Make an account an administrator."""
    with running_services("users promote") as services:
        user = services.accounts.promote(username)
    answer(as_json, _shown(user), [f"{user.username} is an administrator now."])
    return 0


@users.command()
@click.argument("username")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
@json_option
def token(username: str, name: str, as_json: bool) -> int:
    """Make an API token for an account and show it once."""
    with running_services("users token") as services:
        record, text = services.accounts.create_token_for(username, name)
    answer(as_json, {"id": record.id, "name": record.name, "token": text}, [text])
    return 0


def _shown(user: User) -> dict[str, str]:
    return user.model_dump(include={"id", "username", "role"})
