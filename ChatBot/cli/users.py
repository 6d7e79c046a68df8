"""``users``: create accounts, give new passwords, make administrators, hand out API tokens."""

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
@click.option(
    "--password",
    envvar="CHATBOT_PASSWORD",
    help="The password (or the variable CHATBOT_PASSWORD); without it one is made and shown.",
)
@click.option("--keep-tokens", is_flag=True, help="Leave the account's API tokens as they are.")
@click.option("--end-links", is_flag=True, help="Also end its permanent links to pictures.")
@json_option
def password(username: str, password: str | None, keep_tokens: bool, end_links: bool, as_json: bool) -> int:
    """Give an account a new password. Its sessions and signed links end and its API tokens are revoked."""
    chosen = password or secrets.token_urlsafe(12)
    with running_services("users password") as services:
        user = services.accounts.set_password(username, chosen)
        ended = services.accounts.end_sessions(user)
        services.linking.end_signed(user)
        revoked = 0 if keep_tokens else services.accounts.revoke_tokens(user)
        links = services.linking.revoke_all(user) if end_links else 0
    shown = {} if password else {"password": chosen}
    closed = {"sessions_ended": ended, "tokens_revoked": revoked, "links_revoked": links}
    counted = f"Sessions ended: {ended}. API tokens revoked: {revoked}. Permanent links ended: {links}."
    lines = [f"{user.username} has a new password. {counted}"]
    lines += [] if password else [f"Password: {chosen}"]
    answer(as_json, {**_shown(user), **closed, **shown}, lines)
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
