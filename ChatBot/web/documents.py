"""The API's description: OpenAPI for programs, a page for people."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, current_app, render_template
from flask_openapi3 import OpenAPI

documents = Blueprint("documents", __name__)


@documents.get("/openapi.json")
def openapi() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    return _document()


@documents.get("/api/docs")
def reference() -> str:
    """Show the API, operation by operation."""
    return render_template("api_docs.html", operations=[*_operations(_document())])


def _document() -> dict[str, Any]:
    return dict(cast("OpenAPI", current_app).api_doc)


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            found.append(
                {
                    "method": method,
                    "path": path,
                    "summary": operation.get("summary") or operation.get("description") or "",
                    "tag": (operation.get("tags") or ["Other"])[0],
                    "params": [_parameter(each) for each in operation.get("parameters", [])],
                    "responses": [
                        {"status": status, "description": answer.get("description", "")}
                        for status, answer in operation.get("responses", {}).items()
                    ],
                }
            )
    return found


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
