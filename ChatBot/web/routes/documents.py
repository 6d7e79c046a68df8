"""The API's description: OpenAPI for programs, a page for people."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, render_template

from ChatBot.web.description import answer_of, description_of, operations_of

documents = Blueprint("documents", __name__)


@documents.get("/openapi.json")
def openapi() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    return description_of(current_app)


@documents.get("/api/docs")
def reference() -> str:
    """Show the API, operation by operation."""
    return render_template("api_docs.html", operations=[*_operations(description_of(current_app))])


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "method": method,
            "path": path,
            "summary": operation["summary"],
            "tag": operation["tags"][0],
            "params": [_parameter(each) for each in operation.get("parameters", [])],
            "responses": [
                {"status": status, "description": (answer_of(document, operation, status) or {})["description"]}
                for status in operation["responses"]
            ],
        }
        for path, method, operation in operations_of(document)
    ]


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    schema = parameter.get("schema", {})
    kinds = [schema.get("type")] if "type" in schema else [each.get("type") for each in schema.get("anyOf", [])]
    return {
        "name": parameter["name"],
        "in": parameter["in"],
        "type": " or ".join(kind for kind in kinds if kind),
        "required": parameter.get("required", False),
        "description": parameter.get("description") or schema.get("description", ""),
    }
