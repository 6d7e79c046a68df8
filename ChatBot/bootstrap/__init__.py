"""Builds the services from the settings: the one package that knows every concrete class."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from argon2 import PasswordHasher
from pymongo.database import Database

from ChatBot.bootstrap.operations import Operations
from ChatBot.config import Settings
from ChatBot.container import Services
from ChatBot.db.connection import connect, ping
from ChatBot.db.embedded import AttachedServer, RunningServer, ensure
from ChatBot.errors import DatabaseUnavailable
from ChatBot.logs import hide
from ChatBot.media.decoding import Decoder

ADOPTION_AT_START_SECONDS = 5.0
"""The rest of a large collection of the original design is turned in the background."""


def build(
    settings: Settings,
    *,
    purpose: str = "serving",
    may_attach: bool = True,
    hasher: PasswordHasher | None = None,
    decoder: Decoder | None = None,
    adoption_seconds: float = ADOPTION_AT_START_SECONDS,
) -> Services:
    """Build every service.

    ``may_attach`` lets this process use the embedded database of another one that runs (commands, workers); ``hasher``
    replaces the password hashing, which is slow on purpose; ``decoder`` replaces the processes that decode pictures.
    For ``adoption_seconds`` what the original design left is turned first; 0 leaves all of it to others.
    Raises ``SettingsError`` or ``DatabaseUnavailable`` with a sentence that says what to do.
    """
    hide(settings.secrets)
    server = _database_server(settings, purpose, may_attach=may_attach)
    try:
        database = connect(server.uri, settings.mongodb_db)
        try:
            _require_answer(database, settings)
            return Wiring(settings, server, database, hasher or PasswordHasher(), decoder).services(adoption_seconds)
        except BaseException:
            database.client.close()
            raise
    except BaseException:
        server.stop()
        raise


class Wiring(Operations):
    """What each service is made of; a part is built when the first other one asks for it, and once.

    Each room stands on the one before: the ground, pictures, conversations, operations.
    """

    def services(self, adoption_seconds: float) -> Services:
        """Build everything that ``Services`` names."""
        self.upkeep.volume.begin()
        self.adoption.adopt_all(adoption_seconds)
        return Services(**{part.name: getattr(self, part.name) for part in fields(Services)})


def _database_server(settings: Settings, purpose: str, *, may_attach: bool) -> RunningServer:
    if settings.mongodb_uri:
        return AttachedServer(settings.mongodb_uri)
    return ensure(settings, purpose, may_attach=may_attach)


def _require_answer(database: Database[dict[str, Any]], settings: Settings) -> None:
    try:
        ping(database)
    except DatabaseUnavailable as error:
        if not settings.mongodb_uri:
            raise
        raise DatabaseUnavailable(
            "MongoDB does not answer at the address in MONGODB_URI: start it or mend the address; "
            "without MONGODB_URI an embedded server is used."
        ) from error
