"""The API's description: valid, complete, and true under random requests that follow and break it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import status_code_conformance

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
        method + " " + re.sub(r"<(?:[^>]*:)?([^>]*)>", r"{\1}", route.rule)
        for route in app.url_map.iter_rules()
        if route.endpoint.partition(".")[0] not in NOT_DESCRIBED
        for method in (route.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert described(document) == routes


def test_every_operation_says_what_it_does_and_how_it_fails(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"].endswith("."), (method, path)
            assert operation["tags"], (method, path)
            assert "application/problem+json" in operation["responses"]["default"]["content"], (method, path)
    ids = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))


def test_the_page_for_people_shows_every_operation(visitor: Api, document: dict[str, Any]) -> None:
    page = visitor.get("/api/docs", headers={"Accept": "text/html"}).text

    assert all(path in page for path in document["paths"])


@pytest.mark.timeout(300)
def test_no_request_that_follows_or_breaks_the_description_breaks_the_server(app: Flask, program: Api) -> None:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    headers = {"Authorization": program.headers["Authorization"]}
    tried = 0

    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @settings(
            max_examples=10,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode)))
        def explore(case: Any) -> None:
            nonlocal tried
            if case.path == "/api/generate-image" and isinstance(case.body, dict):
                case.body.update(
                    {name: 64 for name in ("width", "height") if name in case.body or "prompt" in case.body}
                )
            response = case.call(headers=headers)
            case.validate_response(response, checks=[not_a_server_error, status_code_conformance])
            tried += 1

        explore()

    assert tried > 100
