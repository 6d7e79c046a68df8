"""The API's description: OpenAPI for programs, a page for people."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, cast

from flask import Blueprint, current_app, render_template
from flask_openapi3 import OpenAPI

documents = Blueprint("documents", __name__)

SECURITY: dict[str, dict[str, str]] = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "chatbot_session",
        "description": "A browser's session; changes also need the header X-CSRF-Token from GET /api/auth/me.",
    },
}
PROBLEM = {
    "type": "object",
    "description": "An error as RFC 9457 has it; request_id is also in the server's log.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail", "request_id"],
}
REFUSAL = {
    "description": "It is refused, or it failed.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
UPLOAD = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "conversation_id": {"type": "string"},
                },
                "required": ["file"],
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "description": "One of the two: the picture or PDF in base64, or its public address.",
                "properties": {
                    "data": {"type": "string"},
                    "url": {"type": "string"},
                    "conversation_id": {"type": "string"},
                },
            }
        },
    },
}


@documents.get("/openapi.json")
def openapi() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    return _document()


@documents.get("/api/docs")
def reference() -> str:
    """Show the API, operation by operation."""
    return render_template("api_docs.html", operations=[*_operations(_document())])


def _document() -> dict[str, Any]:
    """Return what the routes declare, with what holds for all of them: who may enter, and how errors look."""
    document: dict[str, Any] = deepcopy(cast("OpenAPI", current_app).api_doc)
    components = document["components"]
    components["securitySchemes"] = SECURITY
    components["schemas"]["Problem"] = PROBLEM
    document["security"] = [*({name: []} for name in SECURITY), {}]
    for operation in (each for path in document["paths"].values() for each in path.values()):
        operation["responses"] = {"2XX": {"description": "It is done."}, "default": REFUSAL}
    document["paths"]["/api/uploads"]["post"]["requestBody"] = UPLOAD
    return document


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
