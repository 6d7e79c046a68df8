"""Writes are durable, times are aware, and every foreign error gets one of our names."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import bson.errors
import pymongo.errors
import pytest
from pymongo.database import Database

from ChatBot.db.connection import connect, ping, translate, translating
from ChatBot.errors import ChatBotError, Conflict, DatabaseUnavailable, InputError, SettingsError, TooLarge

NOBODY_LISTENS = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200"


@pytest.fixture
def lonely() -> Iterator[Database[dict[str, Any]]]:
    """A database on a port where nobody listens."""
    handle = connect(NOBODY_LISTENS, "test")
    yield handle
    handle.client.close()


def test_a_write_waits_for_majority_and_journal(database: Database[dict[str, Any]]) -> None:
    concern = database["things"].write_concern.document

    assert (concern["w"], concern["j"]) == ("majority", True)
    assert database["things"].insert_one({"_id": "a"}).acknowledged


def test_an_address_may_change_timeouts_but_not_durability() -> None:
    handle = connect("mongodb://127.0.0.1:1/?w=1&journal=false&serverSelectionTimeoutMS=200", "test")

    settings = handle.client.options

    assert settings.write_concern.document["w"] == "majority"
    assert settings.write_concern.document["j"] is True
    assert settings.server_selection_timeout == 0.2
    assert settings.pool_options.socket_timeout == 15
    handle.client.close()


def test_times_come_back_as_aware_utc(database: Database[dict[str, Any]]) -> None:
    moment = datetime(2026, 1, 31, 12, 0, 0, 123000, tzinfo=UTC)
    database["things"].insert_one({"_id": "a", "at": moment})

    found = database["things"].find_one({"_id": "a"})

    assert found is not None
    assert found["at"] == moment
    assert found["at"].tzinfo is not None


def test_ping_takes_a_measurable_time(database: Database[dict[str, Any]]) -> None:
    assert ping(database) > 0


def test_ping_of_nobody_says_unavailable(lonely: Database[dict[str, Any]]) -> None:
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        ping(lonely)


@pytest.mark.parametrize(
    "uri", ["", "http://host/", "mongodb://user:se@cret@host/", "mongodb://host:99999/", "mongodb://"]
)
def test_a_malformed_address_names_the_setting_and_keeps_the_password(uri: str) -> None:
    with pytest.raises(SettingsError, match="MONGODB_URI") as caught:
        connect(uri, "test")

    assert "cret" not in str(caught.value)


def test_an_impossible_database_name_names_its_setting() -> None:
    with pytest.raises(SettingsError, match="MONGODB_DB"):
        connect(NOBODY_LISTENS, "a b/c")


def test_a_taken_unique_value_is_a_conflict(database: Database[dict[str, Any]]) -> None:
    database["things"].insert_one({"_id": "a"})

    with pytest.raises(Conflict), translating():
        database["things"].insert_one({"_id": "a"})


def test_a_taken_unique_value_inside_a_bulk_is_a_conflict(database: Database[dict[str, Any]]) -> None:
    with pytest.raises(Conflict), translating():
        database["things"].insert_many([{"_id": "a"}, {"_id": "a"}])


def test_an_update_past_16_mb_is_too_large(database: Database[dict[str, Any]]) -> None:
    database["things"].insert_one({"_id": "a", "text": "x" * 12_000_000})

    with pytest.raises(TooLarge), translating():
        database["things"].update_one({"_id": "a"}, {"$set": {"more": "x" * 12_000_000}})


@pytest.mark.parametrize("value", ["\ud800", 2**64, object()], ids=["lone surrogate", "huge integer", "no BSON type"])
def test_a_value_bson_cannot_hold_is_the_inputs_fault(database: Database[dict[str, Any]], value: object) -> None:
    with pytest.raises(InputError), translating():
        database["things"].insert_one({"value": value})


def test_a_document_past_16_mb_is_too_large(database: Database[dict[str, Any]]) -> None:
    with pytest.raises(TooLarge), translating():
        database["things"].insert_one({"text": "x" * 17_000_000})


def test_a_broken_query_is_our_defect_not_an_outage(database: Database[dict[str, Any]]) -> None:
    with pytest.raises(ChatBotError) as caught, translating():
        database["things"].find_one({"a": {"$nonsense": 1}})

    assert type(caught.value) is ChatBotError


def test_work_past_its_time_limit_is_unavailable(database: Database[dict[str, Any]]) -> None:
    database["things"].insert_one({"_id": "a"})

    with pytest.raises(DatabaseUnavailable), translating():
        list(database["things"].find({"$where": "sleep(2000) || true"}).max_time_ms(50))


def test_use_after_close_is_unavailable(mongo_uri: str) -> None:
    handle = connect(mongo_uri, "test")
    handle.client.close()

    with pytest.raises(DatabaseUnavailable), translating():
        handle.command("ping")


def test_our_own_errors_pass_unchanged() -> None:
    ours = Conflict("mine")

    with pytest.raises(Conflict) as caught, translating():
        raise ours

    assert caught.value is ours


REFUSAL = pymongo.errors.OperationFailure
BULK_UNCONFIRMED = {"writeErrors": [], "writeConcernErrors": [{"code": 64, "errmsg": "timed out"}]}
BULK_DUPLICATE = {"writeErrors": [{"code": 11000}], "writeConcernErrors": []}


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        (pymongo.errors.ConnectionFailure("x"), DatabaseUnavailable),
        (pymongo.errors.AutoReconnect("x"), DatabaseUnavailable),
        (pymongo.errors.NetworkTimeout("x"), DatabaseUnavailable),
        (pymongo.errors.NotPrimaryError("x"), DatabaseUnavailable),
        (pymongo.errors.ServerSelectionTimeoutError("x"), DatabaseUnavailable),
        (pymongo.errors.WaitQueueTimeoutError("x"), DatabaseUnavailable),
        (pymongo.errors.ExecutionTimeout("x", 50), DatabaseUnavailable),
        (pymongo.errors.WTimeoutError("x", 64), DatabaseUnavailable),
        (pymongo.errors.WriteConcernError("x", 100), DatabaseUnavailable),
        (pymongo.errors.CursorNotFound("x", 43), DatabaseUnavailable),
        (pymongo.errors.InvalidOperation("x"), DatabaseUnavailable),
        (pymongo.errors.BulkWriteError(BULK_UNCONFIRMED), DatabaseUnavailable),
        (pymongo.errors.BulkWriteError(BULK_DUPLICATE), Conflict),
        (pymongo.errors.DuplicateKeyError("x", 11000), Conflict),
        (pymongo.errors.ConfigurationError("x"), SettingsError),
        (pymongo.errors.DocumentTooLarge("x"), TooLarge),
        (bson.errors.InvalidDocument("x"), InputError),
        (REFUSAL("shutting down", 11600), DatabaseUnavailable),
        (REFUSAL("stepped down", 10107), DatabaseUnavailable),
        (REFUSAL("write conflict", 112), DatabaseUnavailable),
        (REFUSAL("bad password", 18), SettingsError),
        (REFUSAL("no right", 13), SettingsError),
        (REFUSAL("bad query", 2), ChatBotError),
    ],
    ids=lambda value: value.__name__ if inspect.isclass(value) else f"{type(value).__name__}-{value}"[:40],
)
def test_foreign_errors_get_our_names(foreign: Exception, ours: type[ChatBotError]) -> None:
    assert type(translate(foreign)) is ours


SPECIAL_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "BulkWriteError": ({"writeErrors": []},),
    "ClientBulkWriteException": ({"error": None}, True),
    "EncryptionError": (ValueError("x"),),
    "EncryptedCollectionError": (ValueError("x"), {}),
}


def test_no_class_of_pymongo_leaves_untranslated() -> None:
    classes = [kind for _, kind in inspect.getmembers(pymongo.errors, inspect.isclass)]
    foreign = [kind for kind in classes if issubclass(kind, pymongo.errors.PyMongoError)]
    assert len(foreign) > 15

    for kind in foreign:
        error = kind(*SPECIAL_ARGUMENTS.get(kind.__name__, ("x",)))

        with pytest.raises(ChatBotError), translating():
            raise error
