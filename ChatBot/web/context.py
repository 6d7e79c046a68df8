"""What a view needs of the application: its services, and who asks."""

from __future__ import annotations

from typing import cast

from flask import current_app, g
from flask_login import current_user as login_user_proxy

from ChatBot.container import Services
from ChatBot.errors import NotAuthenticated
from ChatBot.models import Copy, User
from ChatBot.services.access import Viewer

EXTENSION = "chatbot"


def services() -> Services:
    """Return the services of the running application."""
    return cast("Services", current_app.extensions[EXTENSION])


def cloud_link(copy: Copy) -> str | None:
    """Return where the owner of a picture can open its copy; a private host's address works for minutes only."""
    host = services().chain.by_name(copy.host)
    if host is None:
        return _as_recorded(copy)
    return host.link(copy.url) if copy.url else None


def public_link(copy: Copy) -> str | None:
    """Return where everybody can open a copy for good, or None: a page may load pictures from there."""
    host = services().chain.by_name(copy.host)
    if host is None:
        return _as_recorded(copy)
    return host.link(copy.url) if host.traits.public and copy.url else None


def _as_recorded(copy: Copy) -> str | None:
    """Return the address on a host that this server does not know, as an old document may name one."""
    return copy.url if copy.url and copy.url.startswith(("https://", "http://")) else None


def signed_in() -> User | None:
    """Return the account that asks, by session or API token, or None."""
    account = getattr(login_user_proxy, "account", None)
    return account if isinstance(account, User) else None


def current_account() -> User:
    """Return the account that asks; raises ``NotAuthenticated`` (the guard normally refuses earlier)."""
    user = signed_in()
    if user is None:
        raise NotAuthenticated("Log in first.")
    return user


def current_viewer() -> Viewer:
    """Return whoever asks, as the access rules see them."""
    return Viewer(user=signed_in())


def request_id() -> str:
    """Return the id of this request, as it stands in the log."""
    return str(g.get("request_id", ""))
