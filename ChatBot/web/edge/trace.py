"""One line in the log for each request, under the id that its answer carries."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Flask, g, request
from werkzeug.wrappers import Response

from ChatBot.models import new_id

log = structlog.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Name every request before anything else happens to it, and log it after everything else."""
    app.before_request(_begin)
    app.after_request(_finish)


def note(response: Response, request_id: str, method: str, endpoint: str | None) -> None:
    """Name the request in its answer and log it.

    The path is not logged: that of a share link carries a secret, that of a picture says what somebody looks at.
    """
    response.headers["X-Request-ID"] = request_id
    # A page brings forty style sheets and scripts; the log is to show what people do.
    uneventful = endpoint == "static" and response.status_code < HTTPStatus.BAD_REQUEST
    write = log.debug if uneventful else log.info
    write("request", request_id=request_id, method=method, endpoint=endpoint, status=response.status_code)


def _begin() -> None:
    g.request_id = new_id()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _finish(response: Response) -> Response:
    note(response, g.get("request_id", ""), request.method, request.endpoint)
    return response
