"""Dates in the conditions of a request: those that cannot be read are taken out before anybody trips over them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.http import parse_date

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

IF_MODIFIED_SINCE = "HTTP_IF_MODIFIED_SINCE"
IF_RANGE = "HTTP_IF_RANGE"


class ReadableDates:
    """WSGI middleware: takes out conditions whose date no clock shows.

    Werkzeug ignores most of what is no date, but one with too large a number raises ``OverflowError`` out of it, and a
    file that was opened for the answer stays open. Without its ``If-Range``, a ``Range`` must not be obeyed either.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on with conditions that can be read."""
        if IF_MODIFIED_SINCE in environ and not _is_readable(environ[IF_MODIFIED_SINCE]):
            del environ[IF_MODIFIED_SINCE]
        if IF_RANGE in environ and not _is_readable(environ[IF_RANGE]):
            del environ[IF_RANGE]
            environ.pop("HTTP_RANGE", None)
        return self._app(environ, start_response)


def _is_readable(text: str) -> bool:
    try:
        parse_date(text)
    except OverflowError:
        return False
    return True
