"""What happens to a request's body that nobody read: it is taken and thrown away, so that the refusal can be read."""

from __future__ import annotations

import time

from flask import Flask, request
from werkzeug.wrappers import Response

DRAIN_BYTES = 256_000_000
DRAIN_SECONDS = 30.0
PIECE_BYTES = 65_536


def init_app(app: Flask) -> None:
    """Look after the bodies of refused requests."""
    app.after_request(_drain)


def _drain(response: Response) -> Response:
    """Read what a refused client still sends, within limits.

    Most clients read the answer only when they have sent everything; a server that closes earlier resets the
    connection, and they never learn why (413: too large, 401: logged out meanwhile).
    """
    # Only a server that ends the body itself can be read to the end; others would wait for ever.
    if response.status_code < 400 or not request.environ.get("wsgi.input_terminated"):
        return response
    body = request.environ["wsgi.input"]
    taken, deadline = 0, time.monotonic() + DRAIN_SECONDS
    while taken < DRAIN_BYTES and time.monotonic() < deadline:
        piece = body.read(PIECE_BYTES)
        if not piece:
            break
        taken += len(piece)
    return response
