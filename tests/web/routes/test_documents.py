"""The API's description: valid, complete, and exact; ``test_conformance.py`` finds out whether it is true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from ChatBot.web.description import answer_of, operations_of, path_of
from tests.fixtures.application import Api

CONTRACT = (
    "POST /api/auth/register",
    "POST /api/auth/login",
    "POST /api/auth/logout",
    "GET /api/auth/me",
    "POST /api/tokens",
    "GET /api/tokens",
    "DELETE /api/tokens/{id}",
    "POST /api/conversations",
    "GET /api/conversations",
    "GET /api/conversation/{id}",
    "PATCH /api/conversation/{id}",
    "DELETE /api/conversation/{id}",
    "POST /api/conversation/{id}/messages",
    "GET /api/conversation/{id}/events",
    "POST /api/conversation/{id}/messages/{id}/cancel",
    "POST /api/conversation/{id}/messages/{id}/regenerate",
    "POST /api/generate-image",
    "POST /api/uploads",
    "GET /api/images",
    "GET /api/images/{id}",
    "PATCH /api/images/{id}",
    "DELETE /api/images/{id}",
    "POST /api/images/{id}/restore",
    "POST /api/images/{id}/untrash",
    "GET /i/{id}",
    "GET /static/Storage/{id}/{id}",
    "POST /api/conversation/{id}/share",
    "GET /api/shares",
    "DELETE /api/shares/{id}",
    "GET /share/{id}",
    "GET /api/share/{id}",
    "GET /share/{id}/i/{id}",
)
"""What other programs rely on; the names in braces are not part of it."""

NOT_DESCRIBED = {
    "static",
    "health",
    "metrics",
    "documents",
    "pages",
    "admin_pages",
    "account_pages",
    "audit_pages",
    "trash_pages",
}
"""Blueprints whose routes are for people and operators."""


@pytest.fixture
def document(visitor: Api) -> dict[str, Any]:
    """The description as anybody can read it."""
    return dict(visitor.get("/openapi.json").json)


def described(document: dict[str, Any]) -> set[str]:
    """Return every operation of a description, as in ``GET /i/{image_id}``."""
    return {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}


def test_the_description_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_everything_others_rely_on_is_described(document: dict[str, Any]) -> None:
    assert set(CONTRACT) <= {re.sub(r"\{\w+\}", "{id}", each) for each in described(document)}


def test_every_route_for_programs_is_described_and_nothing_else(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        method + " " + path_of(route.rule)
        for route in app.url_map.iter_rules()
        if route.endpoint.partition(".")[0] not in NOT_DESCRIBED
        for method in (route.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert described(document) == routes


def test_every_operation_says_what_it_does_under_a_name_of_its_own(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"].endswith("."), (method, path)
            assert operation["tags"], (method, path)
    ids = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))


def test_the_page_for_people_shows_every_operation(visitor: Api, document: dict[str, Any]) -> None:
    page = visitor.get("/api/docs", headers={"Accept": "text/html"}).text

    assert all(path in page for path in document["paths"])


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield a schema and everything in it that is a schema, or looks like one."""
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from parts(part)


def reached(document: dict[str, Any], schema: dict[str, Any], known: set[str]) -> Iterator[dict[str, Any]]:
    """Yield what a schema consists of, through its references; ``known`` holds the names that were followed."""
    for part in parts(schema):
        name = str(part.get("$ref", "")).rpartition("/")[2]
        if name and name not in known:
            known.add(name)
            yield from reached(document, document["components"]["schemas"][name], known)
        yield part


def test_every_operation_says_what_comes_of_it(document: dict[str, Any]) -> None:
    silent = {"204", "304"}
    for path, method, operation in operations_of(document):
        well = {status: answer for status, answer in operation["responses"].items() if status < "400"}
        assert well, (method, path)
        for status, answer in well.items():
            assert bool(answer.get("content")) is (status not in silent), (method, path, status)
            assert answer["headers"]["X-Request-ID"], (method, path, status)


def test_a_misspelt_or_missing_field_of_an_answer_is_against_the_description(document: dict[str, Any]) -> None:
    known: set[str] = set()
    for path, method, operation in operations_of(document):
        for status, answer in operation["responses"].items():
            content = answer.get("content", {})
            if status >= "400" or "application/json" not in content:
                continue
            schema = content["application/json"]["schema"]
            assert schema.get("$ref"), (method, path, status)
            for part in reached(document, schema, known):
                if part.get("type") == "object":
                    counts = "properties" not in part and part.get("additionalProperties")
                    exact = part.get("additionalProperties") is False and set(part["required"]) == set(
                        part["properties"]
                    )
                    assert counts or exact, (method, path, part.get("title"))
    assert len(known) > 40


def test_every_refusal_is_a_problem_with_a_reason(document: dict[str, Any]) -> None:
    for path, method, operation in operations_of(document):
        refusals = {status for status in operation["responses"] if status >= "400"}
        assert {"401", "500", "503"} <= refusals, (method, path)
        for status in refusals:
            answer = answer_of(document, operation, status) or {}
            problem = answer["content"]["application/problem+json"]["schema"]
            assert problem == {"$ref": "#/components/schemas/Problem"}, (method, path, status)
            assert ("text/html" in answer["content"]) is not path.startswith(("/api/", "/i/")), (method, path, status)
            assert ("WWW-Authenticate" in answer["headers"]) is (status == "401")
            assert ("Retry-After" in answer["headers"]) is (status in ("429", "503"))


def test_what_needs_an_account_says_so_and_what_a_session_changes_needs_its_token(document: dict[str, Any]) -> None:
    free = {path for path, _, operation in operations_of(document) if {} in operation["security"]}
    changing = [operation for _, method, operation in operations_of(document) if method not in ("get", "head")]

    assert {"/api/auth/login", "/api/share/{token}", "/linked/{token}"} <= free
    assert not {"/api/images", "/i/{image_id}", "/api/admin/overview"} & free
    assert all({"session": [], "csrf": []} in operation["security"] for operation in changing)


def test_a_link_leads_to_an_operation_that_takes_what_it_gives(document: dict[str, Any]) -> None:
    taken = {
        operation["operationId"]: {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        for _, _, operation in operations_of(document)
    }
    links = [
        link
        for _, _, operation in operations_of(document)
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]

    assert len(links) > 20
    for link in links:
        assert set(link["parameters"]) <= taken[link["operationId"]], link


def test_defaults_and_examples_are_valid_themselves(document: dict[str, Any]) -> None:
    held = 0
    for schema in parts(document):
        named = [schema[name] for name in ("default", "example") if name in schema]
        for value in (*named, *(schema["examples"] if isinstance(schema.get("examples"), list) else ())):
            inlined = {**schema, "components": document["components"]}
            assert list(OAS31Validator(inlined).iter_errors(value)) == [], schema
            held += 1

    assert held > 10
