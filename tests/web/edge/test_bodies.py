"""Every field of every JSON body that the API's own document names: operators and deep nesting are refused by type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from tests.fixtures.application import Api
from tests.web.edge.test_guard import Things
from tests.web.test_hygiene import state

OPERATORS: tuple[Any, ...] = ({"$ne": ""}, {"$gt": ""}, {"$where": "sleep(1000)"}, [{"$ne": ""}])

BESIDE = {("/api/uploads", "conversation_id"): {"data": "AAAA"}}
"""What has to stand beside a field for the field to be read."""


@dataclass(frozen=True)
class Taker:
    """A route that takes a JSON body: its address for things that are there, and the names of the body's fields."""

    method: str
    path: str
    fields: tuple[str, ...]


def takers(api: Api) -> Iterator[Taker]:
    """Yield every route with a JSON body; the things in their addresses are the account's own."""
    document, own = api.get("/openapi.json").json, vars(Things.of(api))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if schema is not None:
                fields = fields_of(schema, document["components"]["schemas"])
                yield Taker(method.upper(), path.format_map(own), tuple(dict.fromkeys(fields)))


def fields_of(schema: dict[str, Any], named: dict[str, Any]) -> Iterator[str]:
    """Yield the names of an object's fields, of whichever of its shapes."""
    if "$ref" in schema:
        schema = named[schema["$ref"].rpartition("/")[2]]
    yield from schema.get("properties", {})
    for shape in schema.get("anyOf", ()):
        yield from fields_of(shape, named)


@pytest.fixture
def idle(app: Flask, ann: Api) -> Api:
    """``ann``, while no background work changes anything."""
    app.extensions["chatbot"].worker.close()
    return ann


def test_an_operator_in_place_of_any_value_is_refused_and_changes_nothing(
    idle: Api, database: Database[dict[str, Any]]
) -> None:
    found = list(takers(idle))
    before, tried = state(database), 0

    for taker in found:
        for field in taker.fields:
            beside = BESIDE.get((taker.path, field), {})
            for operator in OPERATORS:
                answer = idle._send(taker.method, taker.path, {"json": {field: operator, **beside}})
                refused = [each["field"].partition(".")[0] for each in answer.json.get("errors", ())]
                assert (answer.status_code, field in refused) == (422, True), (taker, field, operator, answer.text)
                tried += 1

    assert tried > 40 * len(OPERATORS)
    assert state(database) == before


@pytest.mark.parametrize("deep", ["[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000])
def test_json_that_is_nested_too_deeply_is_refused_wherever_json_is_taken(
    idle: Api, database: Database[dict[str, Any]], deep: str
) -> None:
    found = list(takers(idle))
    before = state(database)

    for taker in found:
        answer = idle._send(taker.method, taker.path, {"data": deep, "content_type": "application/json"})
        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), taker

    assert len(found) > 15
    assert state(database) == before
