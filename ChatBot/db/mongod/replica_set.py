"""Makes a fresh or moved mongod the primary of its one-member replica set."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import structlog
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from ChatBot.db.connection import translating
from ChatBot.db.mongod.address import REPLICA_SET, Address
from ChatBot.errors import DatabaseUnavailable

log = structlog.get_logger(__name__)

Client = MongoClient[dict[str, Any]]

PRIMARY_SECONDS = 60.0
"""An election among one takes 0.05 s; replaying a long journal comes before that and is not counted here."""
POLL_SECONDS = 0.01
NOT_YET_INITIALIZED = 94
ALREADY_INITIALIZED = 23
USER_ALREADY_EXISTS = 51003


def make_primary(address: Address) -> None:
    """Initiate the replica set behind ``address`` if it is new, rename its member if it moved, wait for writes.

    Raises:
        DatabaseUnavailable: it does not become primary.
    """
    with translating(), _administrator(address) as client:
        _configure(client, address.member)
        _wait_for_primary(client)
        if address.username is not None:
            _ensure_user(client, address.username, address.password)


def _ensure_user(client: Client, username: str, password: str | None) -> None:
    try:
        client.admin.command("createUser", username, pwd=password, roles=["root"])
    except OperationFailure as error:
        if error.code != USER_ALREADY_EXISTS:
            raise


def _configure(client: Client, member: str) -> None:
    config = _read_or_initiate(client, member)
    if config is not None and [entry["host"] for entry in config["members"]] != [member]:
        log.info("mongod.moved", member=member)
        only = {**config["members"][0], "host": member}
        moved = {**config, "version": config["version"] + 1, "members": [only]}
        client.admin.command("replSetReconfig", moved, force=True)


def _read_or_initiate(client: Client, member: str) -> dict[str, Any] | None:
    """Return the replica set's configuration, or None when it was made just now.

    A mongod that was killed answers for a moment as if it had none, because it is still reading it: initiating it
    then is refused as done already, and the question is asked again.
    """
    deadline = time.monotonic() + PRIMARY_SECONDS
    first = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": member}]}
    while True:
        try:
            return dict(client.admin.command("replSetGetConfig")["config"])
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALIZED:
                raise
        try:
            client.admin.command("replSetInitiate", first)
        except OperationFailure as error:
            if error.code != ALREADY_INITIALIZED or time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)
        else:
            return None


def _wait_for_primary(client: Client) -> None:
    deadline = time.monotonic() + PRIMARY_SECONDS
    while not client.admin.command("hello").get("isWritablePrimary"):
        if time.monotonic() > deadline:
            raise DatabaseUnavailable("The embedded MongoDB does not become writable; see mongod.log.")
        time.sleep(POLL_SECONDS)


@contextmanager
def _administrator(address: Address) -> Iterator[Client]:
    credentials: dict[str, Any] = {}
    if address.key is not None:
        # The members of a replica set know each other as this user, with the key file's text as its password.
        credentials = {"username": "__system", "password": address.key, "authSource": "local"}
    uri = f"mongodb://{quote(address.member, safe=':')}/"
    client: Client = MongoClient(uri, directConnection=True, serverSelectionTimeoutMS=5000, **credentials)
    try:
        yield client
    finally:
        client.close()
