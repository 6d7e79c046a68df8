"""Answers that are no JSON, as the OpenAPI document shows them: pictures, pages, redirects, event streams."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

BINARY: dict[str, Any] = {"schema": {}}
"""Bytes have no JSON schema (OpenAPI 3.1, "Considerations for File Uploads")."""

ETAG = {"description": "The SHA-256 of the whole.", "required": True, "schema": {"type": "string"}}
SOURCE = {"description": "Where the bytes came from: local, or a cloud host's name.", "schema": {"type": "string"}}
RANGE = {"description": "Which bytes of how many.", "required": True, "schema": {"type": "string"}}
LOCATION = {"description": "Where it goes on.", "required": True, "schema": {"type": "string"}}

MIME_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf")
TYPES = dict.fromkeys(MIME_TYPES, BINARY)

PICTURE: dict[Any, Any] = {
    HTTPStatus.OK: {"content": TYPES, "headers": {"ETag": ETAG, "X-Image-Source": SOURCE}},
    HTTPStatus.PARTIAL_CONTENT: {"content": TYPES, "headers": {"ETag": ETAG, "Content-Range": RANGE}},
    HTTPStatus.NOT_MODIFIED: {"headers": {"ETag": ETAG}},
    HTTPStatus.PRECONDITION_FAILED: None,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: None,
}
RENDITION: dict[Any, Any] = {HTTPStatus.OK: {"content": TYPES}}
CARD: dict[Any, Any] = {
    HTTPStatus.OK: {"content": {"image/jpeg": BINARY}, "headers": {"ETag": ETAG}},
    HTTPStatus.NOT_MODIFIED: {"headers": {"ETag": ETAG}},
    HTTPStatus.PRECONDITION_FAILED: None,
}
NAME = {"description": "What to call it.", "required": True, "schema": {"type": "string", "pattern": "^attachment;"}}
LENGTH = {
    "description": "How many bytes it has.",
    "required": True,
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
}
ARCHIVE: dict[Any, Any] = {
    HTTPStatus.OK: {
        "content": {"application/zip": BINARY},
        "headers": {"Content-Disposition": NAME, "Content-Length": LENGTH},
    },
    HTTPStatus.SEE_OTHER: {"content": {"text/html": {"schema": {"type": "string"}}}, "headers": {"Location": LOCATION}},
}
PAGE: dict[Any, Any] = {HTTPStatus.OK: {"content": {"text/html": {"schema": {"type": "string"}}}}}
SEE_OTHER: dict[Any, Any] = {
    HTTPStatus.SEE_OTHER: {"content": {"text/html": {"schema": {"type": "string"}}}, "headers": {"Location": LOCATION}}
}
EVENTS: dict[Any, Any] = {
    HTTPStatus.OK: {
        "description": "Server-sent events that go on for as long as somebody listens.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
