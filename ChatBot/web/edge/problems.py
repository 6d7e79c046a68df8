"""Errors as people and programs see them: problem+json (RFC 9457) for programs, a page for browsers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from flask import Flask, make_response, render_template, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ChatBot import errors
from ChatBot.web.context import request_id
from ChatBot.web.rendering.sentences import sentence_of, translated

log = structlog.get_logger(__name__)

STATUS: tuple[tuple[type[errors.ChatBotError], HTTPStatus], ...] = (
    (errors.TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (errors.PictureRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.InputError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.NotAuthenticated, HTTPStatus.UNAUTHORIZED),
    (errors.Forbidden, HTTPStatus.FORBIDDEN),
    (errors.NotFound, HTTPStatus.NOT_FOUND),
    (errors.Conflict, HTTPStatus.CONFLICT),
    (errors.QuotaExceeded, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.RateLimited, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.ServerBusy, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.ProviderRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.ProviderUnavailable, HTTPStatus.BAD_GATEWAY),
    (errors.StorageFull, HTTPStatus.INSUFFICIENT_STORAGE),
    (errors.StorageError, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.DatabaseUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.IntegrityError, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.Cancelled, HTTPStatus.CONFLICT),
)
"""The first row whose class fits decides; whatever is in no row is a 500 without details."""

TYPE_PREFIX = "urn:chatbot:problem:"

FOR_A_PERSON = ("X-Read-By", "person")
"""The header that our own pages send along: they show ``detail`` to whoever sits there. Programs hear English."""

REASONS = {"model_type": "Must be a JSON object, with Content-Type: application/json"}
"""Said instead of pydantic's own words where those name our classes."""


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(errors.ChatBotError, _known)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unknown)


def status_of(error: errors.ChatBotError) -> HTTPStatus:
    """Return the status that an error of ours answers with."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def retry_after(error: errors.RateLimited | errors.ServerBusy) -> str:
    """Return the whole seconds to wait, as the header ``Retry-After`` says it."""
    return str(math.ceil(error.retry_after_seconds))


def problem(status: HTTPStatus, detail: str, kind: str, **extra: object) -> Response:
    """Return an error in the form the client prefers: a page for a browser's navigation, else problem+json."""
    response = _page(status, detail) if _wants_page() else _json(status, detail, kind, extra)
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def invalid_request(error: ValidationError) -> Response:
    """Answer a body, form or query that does not have the documented shape."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if request.mimetype and not request.is_json and any(item["type"] == "model_type" for item in found):
        return unsupported_type("a JSON object with Content-Type: application/json")
    places = [
        {"field": ".".join(map(str, item["loc"])) or "body", "reason": REASONS.get(item["type"], item["msg"])}
        for item in found
    ]
    detail = "; ".join(f"{place['field']}: {place['reason']}" for place in places[:5])
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, "invalid-request", errors=places[:20])


def unsupported_type(wanted: str) -> Response:
    """Answer a body of a media type that is not taken; ``wanted`` says what is."""
    detail = f"A body of the type {request.mimetype} is not taken here. Send {wanted}."
    return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, "unsupported-media-type")


def _known(error: errors.ChatBotError) -> Response:
    status = status_of(error)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unknown(error)
    extra: dict[str, object] = {"reason": error.reason} if isinstance(error, errors.PictureRefused) else {}
    detail = sentence_of(error) if _wants_page() or _is_for_a_person() else str(error)
    response = problem(status, detail, _kebab(type(error).__name__), **extra)
    if isinstance(error, errors.RateLimited | errors.ServerBusy):
        response.headers["Retry-After"] = retry_after(error)
    return response


def _http(error: HTTPException) -> Response:
    original = getattr(error, "original_exception", None)
    if isinstance(original, errors.ChatBotError):  # raised after the view, for example while its session was saved
        return _known(original)
    status = HTTPStatus(error.code or 500)
    if status is HTTPStatus.NOT_FOUND:
        return problem(status, "There is nothing here.", "not-found")
    if status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return problem(
            status,
            "The request is larger than this server accepts (MAX_UPLOAD_MB for pictures, 1 MB for JSON).",
            "too-large",
        )
    response = problem(status, error.description or status.description, _kebab(type(error).__name__))
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after", "content-range"):
            response.headers[name] = value
    return response


def _unknown(error: Exception) -> Response:
    log.error("request.broke", path=request.path, request_id=request_id(), exc_info=error)
    detail = "Something went wrong on the server. Its log has the details under this request id."
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail, "internal")


def _page(status: HTTPStatus, detail: str) -> Response:
    page = render_template(
        "error.html",
        status=status.value,
        title=translated(status.phrase),
        detail=translated(detail),
        request_id=request_id(),
    )
    return make_response(page, status)


def _json(status: HTTPStatus, detail: str, kind: str, extra: Mapping[str, object]) -> Response:
    body = {
        "type": TYPE_PREFIX + kind,
        "title": status.phrase,
        "status": status.value,
        "detail": translated(detail) if _is_for_a_person() else detail,
        "request_id": request_id(),
        **extra,
    }
    response = make_response(body, status)
    response.mimetype = "application/problem+json"
    return response


def is_for_programs(path: str) -> bool:
    """Say whether errors below an address are problem+json, whatever the client prefers."""
    return path.startswith(("/api/", "/v1/", "/i/"))


def _wants_page() -> bool:
    if is_for_programs(request.path):
        return False
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html" and (
        "text/html" in request.headers.get("Accept", "")
    )


def _is_for_a_person() -> bool:
    name, value = FOR_A_PERSON
    return request.headers.get(name) == value


def _kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
