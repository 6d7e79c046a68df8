"""How MongoDB is reached: one client with durable writes, and its errors in this application's words."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.parse import parse_qsl

import pymongo
from bson.errors import BSONError
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    CursorNotFound,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
    WTimeoutError,
)

from ChatBot.errors import ChatBotError, Conflict, DatabaseUnavailable, InputError, SettingsError, TooLarge

# At DEBUG it quotes whole documents, with the secrets in them.
logging.getLogger("pymongo.command").setLevel(logging.INFO)

TIMEOUTS_MS = {
    "serverSelectionTimeoutMS": 5000,
    "connectTimeoutMS": 5000,
    "heartbeatFrequencyMS": 4000,
    "socketTimeoutMS": 15_000,
    "waitQueueTimeoutMS": 10_000,
}
"""Defaults, in milliseconds; an address that names one of them decides for itself. Durability is not up to it.

A server that hangs is noticed by the heartbeat after connectTimeoutMS + heartbeatFrequencyMS, which ends every
operation under way; each is tried once more for serverSelectionTimeoutMS. So a request fails after 15 s, and after
5 s once the server is known to hang. The other two are for a server that answers heartbeats and nothing else.
"""
UNHURRIED_SECONDS = 900.0
"""How long work over a whole collection may take: an index of ten million documents is built in a few minutes."""
WRITE_TIMEOUT_SECONDS = 10
"""How long a write may wait for the majority and the journal before its outcome counts as unknown."""

DUPLICATE_KEY_CODE = 11000
CREDENTIAL_CODES = frozenset({13, 18})
"""Unauthorized, AuthenticationFailed."""
TOO_LARGE_CODES = frozenset({10334, 17419, 17420, 17280})
"""BSONObjectTooLarge, an update past 16 MB (two codes), an index key past its limit."""
TRANSIENT_CODES = frozenset({6, 7, 89, 91, 112, 133, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})
"""Unreachable, shutting down, stepping down, out of time or in conflict: MongoDB's error_codes.yml."""

UNAVAILABLE = "MongoDB does not answer; try again in a moment."
OUTCOME_UNKNOWN = "MongoDB did not confirm the work in time; read before trying again."
TAKEN = "That name or key is already taken."
PAST_16_MB = "That is more than one document can hold (16 MB)."

_MEANINGS: tuple[tuple[tuple[type[Exception], ...], type[ChatBotError], str], ...] = (
    ((DuplicateKeyError,), Conflict, TAKEN),
    ((ExecutionTimeout, WTimeoutError), DatabaseUnavailable, OUTCOME_UNKNOWN),
    ((ConnectionFailure, CursorNotFound, InvalidOperation), DatabaseUnavailable, UNAVAILABLE),
    ((DocumentTooLarge,), TooLarge, PAST_16_MB),
    ((ConfigurationError,), SettingsError, "MONGODB_URI: the server does not fit the options of the address."),
    ((BSONError, UnicodeEncodeError, OverflowError), InputError, "That text or number cannot be stored."),
)
"""The first row that fits decides; what is left are refusals, told apart by MongoDB's codes."""


def connect(uri: str, database_name: str, *, application_name: str = "ChatBot") -> Database[dict[str, Any]]:
    """Return the database behind ``uri``: a replica set, a standalone server, or the embedded one.

    Writes are acknowledged by the majority and the journal; times come back as aware UTC. Nothing is sent before the
    first operation (see ``ping``). Close it with ``database.client.close()``.

    Raises:
        SettingsError: the address or the database name is malformed.
    """
    try:
        client: MongoClient[dict[str, Any]] = MongoClient(
            uri,
            appname=application_name,
            tz_aware=True,
            w="majority",
            journal=True,
            wTimeoutMS=WRITE_TIMEOUT_SECONDS * 1000,
            retryWrites=True,
            retryReads=True,
            **_timeouts(uri),
        )
    except (InvalidURI, ConfigurationError, ValueError, TypeError) as error:
        # pymongo's own text can quote a piece of the password, so it stays in the chained error only.
        raise SettingsError(
            "MONGODB_URI is not a MongoDB address; write mongodb://user:password@host:27017/?replicaSet=name "
            "with reserved characters of the password percent-encoded."
        ) from error
    try:
        return client[database_name]
    except PyMongoError as error:
        client.close()
        raise SettingsError(f"MONGODB_DB: {database_name!r} cannot be the name of a database.") from error


def ping(database: Database[dict[str, Any]]) -> float:
    """Ask the server for a sign of life and return the seconds it took.

    Raises:
        DatabaseUnavailable: no answer within the server selection timeout.
        SettingsError: the server refuses the credentials.
    """
    started = time.perf_counter()
    with translating():
        database.command("ping")
    return time.perf_counter() - started


def unhurried() -> AbstractContextManager[None]:
    """Give the operations inside ``UNHURRIED_SECONDS`` together, instead of the usual time for each."""
    return pymongo.timeout(UNHURRIED_SECONDS)


def _timeouts(uri: str) -> dict[str, Any]:
    named = {option.lower() for option, _ in parse_qsl(uri.partition("?")[2])}
    return {option: value for option, value in TIMEOUTS_MS.items() if option.lower() not in named}


@contextmanager
def translating() -> Iterator[None]:
    """Turn what pymongo and bson raise inside into this application's errors; also usable as a decorator.

    Raises:
        Conflict: a unique index already holds that value.
        DatabaseUnavailable: no server, or no confirmation in time (then a write may still have happened).
        TooLarge: the document is past MongoDB's 16 MB.
        InputError: a value that BSON cannot hold (lone surrogates, integers past 64 bits).
        SettingsError: the server refuses the credentials.
        ChatBotError: MongoDB refused the operation itself, which is a defect of ours.
    """
    try:
        yield
    except (PyMongoError, BSONError, UnicodeEncodeError, OverflowError) as error:
        raise translate(error) from error


def translate(error: Exception) -> ChatBotError:
    """Return this application's error for one of pymongo's or bson's."""
    for kinds, meaning, sentence in _MEANINGS:
        if isinstance(error, kinds):
            return meaning(sentence)
    if isinstance(error, OperationFailure):
        return _translate_refusal(error)
    return ChatBotError(f"MongoDB failed in an unforeseen way ({type(error).__name__}).")


def _translate_refusal(error: OperationFailure) -> ChatBotError:
    codes = _codes(error)
    if DUPLICATE_KEY_CODE in codes:
        return Conflict(TAKEN)
    if codes & CREDENTIAL_CODES:
        return SettingsError("MongoDB refuses the user or password of MONGODB_URI, or that user's rights.")
    if codes & TOO_LARGE_CODES:
        return TooLarge(PAST_16_MB)
    if codes & TRANSIENT_CODES or error.has_error_label("TransientTransactionError"):
        return DatabaseUnavailable(UNAVAILABLE)
    if isinstance(error, WriteConcernError) or (isinstance(error, BulkWriteError) and _unconfirmed(error)):
        return DatabaseUnavailable(OUTCOME_UNKNOWN)
    return ChatBotError(f"MongoDB refused the operation (code {error.code}).")


def _codes(error: OperationFailure) -> set[int]:
    details = error.details or {}
    written = [item.get("code") for item in details.get("writeErrors", ())]
    return {code for code in (error.code, *written) if isinstance(code, int)}


def _unconfirmed(error: BulkWriteError) -> bool:
    return bool((error.details or {}).get("writeConcernErrors"))
