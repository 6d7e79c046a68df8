"""The OpenAPI document: what the routes declare, and what holds for all of them, from the tables that decide it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from http import HTTPStatus
from typing import Any, cast

from flask import Flask
from flask_openapi3 import OpenAPI
from pydantic import BaseModel

from ChatBot.web.edge.guard import RULES, Rule
from ChatBot.web.edge.limits import BUDGETS, COUNTED_BY_THEIR_VIEWS
from ChatBot.web.edge.problems import is_for_programs
from ChatBot.web.reading.idempotency import KEY_CHARACTERS
from ChatBot.web.schemas.answers import Problem
from ChatBot.web.schemas.uploads import UploadedAddress, UploadedData

EXTENSION = "chatbot_description"
SAFE_METHODS = ("get", "head", "options")
FORM = "application/x-www-form-urlencoded"

SECURITY: dict[str, dict[str, str]] = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
    "session": {"type": "apiKey", "in": "cookie", "name": "chatbot_session", "description": "A browser's session."},
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "What changes of a session need besides: csrf_token from GET /api/auth/me.",
    },
}

REFUSALS: dict[HTTPStatus, str] = {
    HTTPStatus.UNAUTHORIZED: "Nobody is logged in, the API token is none of ours, or the link asks for its password.",
    HTTPStatus.FORBIDDEN: "Whoever asks may not do that, or a session's change came without its CSRF token.",
    HTTPStatus.NOT_FOUND: "There is no such thing, it was deleted, or it is somebody else's.",
    HTTPStatus.CONFLICT: "It clashes with what is stored or goes on; read it again first.",
    HTTPStatus.PRECONDITION_FAILED: "It is not what the condition of the request names.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request, or the file in it, is larger than this server accepts.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body has another media type than those that are taken here.",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "The wanted bytes lie behind the end.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The request is at fault and would fail again unchanged.",
    HTTPStatus.TOO_MANY_REQUESTS: "A budget or a quota is used up; nothing was done.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong on the server; its log has the details.",
    HTTPStatus.BAD_GATEWAY: "The image generator did not do its work.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The database or the disk does not answer, or the server is busy; try again later.",
    HTTPStatus.INSUFFICIENT_STORAGE: "The server's disk is full.",
}
EVERYWHERE = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE}
)  # a wrong token is refused also where none is needed
TOLD: dict[HTTPStatus, dict[str, str]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Challenge"},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "RetryAfter"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "RetryAfter"},
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: {"Content-Range": "Size"},
}
"""Headers that only some refusals have."""
HEADERS: dict[str, dict[str, Any]] = {
    "RequestId": {
        "description": "The request's name in the server's log.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    },
    "RetryAfter": {
        "description": "Seconds to wait, where they are known.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Challenge": {"description": "How to log in.", "required": True, "schema": {"const": "Bearer"}},
    "Size": {"description": "How many bytes there are.", "required": True, "schema": {"type": "string"}},
}


def _header(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string", **schema}}


def _form(required: list[str], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


TEXT = {"type": "string"}
IDEMPOTENCY = _header(
    "Idempotency-Key", "Makes a repeated request known as the same one.", minLength=1, maxLength=KEY_CHARACTERS
)
RANGE = _header("Range", "Which bytes to send, as in bytes=0-999.")
KNOWN = _header("If-None-Match", "The ETag of what is already there.")
MEANT = _header("If-Match", "The ETag of what is wanted, and nothing else.")
PARAMETERS: dict[str, tuple[dict[str, Any], ...]] = {
    "images.generate": (IDEMPOTENCY, _header("Prefer", "respond-async answers before the pictures are drawn.")),
    "shared.continue_as_copy": (IDEMPOTENCY,),
    "messages.events": (_header("Last-Event-ID", "The number of the last event that was seen."),),
    "files.permanent": (RANGE, KNOWN, MEANT),
    "files.original_design": (RANGE, KNOWN, MEANT),
    "picture_links.picture": (RANGE, KNOWN, MEANT),
    "shared.image": (RANGE, KNOWN, MEANT),
    "shared.preview": (KNOWN, MEANT),
}
"""By endpoint: headers that views read themselves."""
FORMS: dict[str, dict[str, dict[str, Any]]] = {
    "images.upload": {
        "multipart/form-data": _form(["file"], file={"type": "string", "format": "binary"}, conversation_id=TEXT),
        "application/json": {"anyOf": [UploadedAddress.model_json_schema(), UploadedData.model_json_schema()]},
    },
    "shared.unlock": {FORM: _form([], password=TEXT, csrf_token=TEXT)},
    "shared.continue_by_form": {FORM: _form([], key=TEXT, csrf_token=TEXT)},
}
"""By endpoint: bodies that views read themselves, by media type."""

IMAGE = ("images.read", "images.describe", "images.trash", "images.history", "files.permanent", "picture_links.create")
CONVERSATION = ("conversations.read", "conversations.change", "conversations.remove", "messages.post", "shares.create")
LINKS: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "tokens.create": (("token_id", "/id", ("tokens.revoke",)),),
    "conversations.create": (("conversation_id", "/id", CONVERSATION),),
    "images.generate": (("image_id", "/images/0/id", IMAGE), ("conversation_id", "/conversation_id", CONVERSATION)),
    "images.upload": (("image_id", "/id", IMAGE),),
    "images.trash": (("image_id", "/id", ("images.untrash", "trash.thumbnail")),),
    "shares.create": (("share_id", "/id", ("shares.revoke",)), ("token", "/token", ("shared.data", "shared.page"))),
    "picture_links.create": (("link_id", "/id", ("picture_links.revoke",)),),
}
"""By endpoint: which parameter, of which operations, stands where in its answer."""


def description_of(app: Flask) -> dict[str, Any]:
    """Return the document of an application, which is made once."""
    if EXTENSION not in app.extensions:
        app.extensions[EXTENSION] = _described(cast("OpenAPI", app))
    return cast("dict[str, Any]", app.extensions[EXTENSION])


def path_of(rule: str) -> str:
    """Return a route's rule as the document writes it: ``/i/<image_id>`` is ``/i/{image_id}`` there."""
    return re.sub(r"<(?:[^>]*:)?([^>]*)>", r"{\1}", rule)


def operations_of(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and operation of everything that a document describes."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def answer_of(document: dict[str, Any], operation: dict[str, Any], status: int | str) -> dict[str, Any] | None:
    """Return what a document says of one status of an operation, None when it says nothing."""
    answer: dict[str, Any] | None = operation["responses"].get(str(status))
    if answer is not None and "$ref" in answer:
        return cast("dict[str, Any]", document["components"]["responses"][answer["$ref"].rpartition("/")[2]])
    return answer


def _described(app: OpenAPI) -> dict[str, Any]:
    document: dict[str, Any] = deepcopy(app.api_doc)
    components = document["components"]
    del components["schemas"]["ValidationErrorModel"]
    components["schemas"] |= _schemas_of(Problem)
    components["securitySchemes"] = SECURITY
    components["headers"] = HEADERS
    components["responses"] = {
        _name(status, for_programs): _refusal(status, for_programs)
        for status in REFUSALS
        for for_programs in (True, False)
    }
    endpoints = {
        (path_of(rule.rule), method.lower()): rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    for path, method, operation in operations_of(document):
        _complete(operation, path, method, endpoints[path, method])
    _link({endpoints[path, method]: operation for path, method, operation in operations_of(document)})
    return document


def _complete(operation: dict[str, Any], path: str, method: str, endpoint: str) -> None:
    parameters = [*operation.get("parameters", ()), *PARAMETERS.get(endpoint, ())]
    for parameter in parameters:
        parameter["schema"] = _without_null(parameter["schema"])
    if parameters:
        operation["parameters"] = parameters
    if endpoint in FORMS:
        content = {media_type: {"schema": schema} for media_type, schema in FORMS[endpoint].items()}
        operation["requestBody"] = {"content": content, "required": True}
    operation["security"] = _security(RULES[endpoint], method)
    answers = operation["responses"]
    answers.pop("422")  # the library's own form of it
    declared = {HTTPStatus(int(status)) for status in answers}
    refused = {status for status in declared if status >= HTTPStatus.BAD_REQUEST}
    for status in declared - refused:
        answers[str(status.value)].setdefault("headers", {})["X-Request-ID"] = {
            "$ref": "#/components/headers/RequestId"
        }
    for status in sorted(refused | _refusals(operation, method, endpoint)):
        answers[str(status.value)] = {"$ref": f"#/components/responses/{_name(status, is_for_programs(path))}"}


def _link(operations: Mapping[str, dict[str, Any]]) -> None:
    """Say in the answers that make a thing what can be asked of it next."""
    for endpoint, known in LINKS.items():
        answers = operations[endpoint]["responses"]
        made = answers.get("201") or answers["200"]
        made["links"] = {
            following: {
                "operationId": operations[following]["operationId"],
                "parameters": {parameter: f"$response.body#{place}"},
            }
            for parameter, place, followers in known
            for following in followers
        }


def _refusals(operation: dict[str, Any], method: str, endpoint: str) -> set[HTTPStatus]:
    """Return what an operation may be refused with because of what it is, not of what it does."""
    places = {parameter["in"] for parameter in operation.get("parameters", ())}
    found = set(EVERYWHERE)
    if method not in SAFE_METHODS or RULES[endpoint] is Rule.ADMIN:
        found.add(HTTPStatus.FORBIDDEN)
    if "path" in places:
        found.add(HTTPStatus.NOT_FOUND)
    if {"query", "header"} & places:
        found.add(HTTPStatus.UNPROCESSABLE_ENTITY)
    if "requestBody" in operation:
        found |= {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
        found |= {HTTPStatus.UNSUPPORTED_MEDIA_TYPE} if FORM not in operation["requestBody"]["content"] else set()
    if endpoint in BUDGETS or endpoint in COUNTED_BY_THEIR_VIEWS:
        found.add(HTTPStatus.TOO_MANY_REQUESTS)
    return found


def _security(rule: Rule, method: str) -> list[dict[str, list[str]]]:
    session: dict[str, list[str]] = {"session": []} if method in SAFE_METHODS else {"session": [], "csrf": []}
    named: list[dict[str, list[str]]] = [{"token": []}, session]
    return named if rule in (Rule.ACCOUNT, Rule.ADMIN) else [{}, *named]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter that may be left out: what is in an address is text, never null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name not in ("anyOf", "default")}, **kinds[0]}


def _refusal(status: HTTPStatus, for_programs: bool) -> dict[str, Any]:
    content: dict[str, Any] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if not for_programs:
        content["text/html"] = {"schema": {"type": "string"}}
    headers = {"X-Request-ID": "RequestId", **TOLD.get(status, {})}
    return {
        "description": REFUSALS[status],
        "content": content,
        "headers": {name: {"$ref": f"#/components/headers/{header}"} for name, header in headers.items()},
    }


def _name(status: HTTPStatus, for_programs: bool) -> str:
    return "".join(word.title() for word in status.name.split("_")) + ("" if for_programs else "ForPeople")


def _schemas_of(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), model.__name__: schema}
