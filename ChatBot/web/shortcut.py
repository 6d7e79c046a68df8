"""The short way of the request that comes most often: somebody who is logged in looks at a picture of theirs.

It stands before Flask, takes the same decisions by the same functions, and hands everything else on untouched:
visitors, programs with a token, links, downloads, parts, refusals, and pictures whose bytes have to be fetched or made
first. So no error is answered here, and nothing is remembered from one request to the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from flask import Flask, Response
from werkzeug.sansio.http import parse_cookie

from ChatBot.container import Services
from ChatBot.db.glances import Glance
from ChatBot.errors import DatabaseUnavailable, RateLimited
from ChatBot.media.paths import THUMBNAIL_WIDTHS
from ChatBot.models import Image, new_id
from ChatBot.services.pictures.resolver import Opened
from ChatBot.web.context import EXTENSION
from ChatBot.web.edge import trace
from ChatBot.web.edge.budgets import account_key
from ChatBot.web.edge.guard import RULES, Rule
from ChatBot.web.edge.headers import harden
from ChatBot.web.edge.limits import BUDGETS, budgets_of
from ChatBot.web.edge.metrics import measured
from ChatBot.web.edge.sessions import FAILURE, due_for_renewal, outdated
from ChatBot.web.routes.files import answer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PERMANENT = re.compile(r"/i/([0-9a-f]{32})")
_ORIGINAL_DESIGN = re.compile(r"/static/Storage/([^/]+)/(([0-9a-f]{32})\.[a-z]+)")
_UNUSUAL = frozenset({"HTTP_AUTHORIZATION", "HTTP_RANGE", "HTTP_IF_MATCH"})
"""With one of these, the answer may be a refusal or a part."""
_WIDTHS = {"": None, **{f"w={width}": width for width in THUMBNAIL_WIDTHS}}


@dataclass(frozen=True)
class Asked:
    """A request that can go the short way."""

    endpoint: str
    session_key: str
    image_id: str
    width: int | None = None
    place: tuple[str, str] | None = None
    """Folder and file name, where the address names them."""

    def fits(self, image: Image) -> bool:
        """Say whether the address is one of that picture."""
        return self.place is None or self.place == (image.folder, image.filename)


class Shortcut:
    """A WSGI application that answers some requests for pictures itself and leaves the rest to the one behind it."""

    def __init__(self, app: Flask) -> None:
        self._behind: WSGIApplication = app.wsgi_app
        self._offered: Services = app.extensions[EXTENSION]
        self._measured = measured(app)
        self._budgets = budgets_of(app)
        self._cookie: str = app.config["SESSION_COOKIE_NAME"]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or let Flask answer."""
        begun_at = perf_counter()
        asked = self._asked(environ)
        response = self._answer(environ, asked) if asked else None
        if asked is None or response is None:
            return self._behind(environ, start_response)
        method = environ["REQUEST_METHOD"]
        harden(response, self._offered, asked.endpoint, secure=environ["wsgi.url_scheme"] == "https")
        self._measured.count(method, asked.endpoint, response.status_code, perf_counter() - begun_at)
        trace.note(response, new_id(), method, asked.endpoint)
        return response(environ, start_response)

    def _asked(self, environ: WSGIEnvironment) -> Asked | None:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or not _UNUSUAL.isdisjoint(environ):
            return None
        # The very parser that Flask asks: of one name sent twice, or within quotes, both understand the same.
        key = parse_cookie(environ.get("HTTP_COOKIE")).get(self._cookie)
        path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
        if not key or environ.get("SCRIPT_NAME"):
            return None
        if (found := _PERMANENT.fullmatch(path)) and query in _WIDTHS:
            return Asked("files.permanent", key, found[1], _WIDTHS[query])
        if (found := _ORIGINAL_DESIGN.fullmatch(path)) and not query:
            return Asked("files.original_design", key, found[3], place=(found[1], found[2]))
        return None

    def _answer(self, environ: WSGIEnvironment, asked: Asked) -> Response | None:
        try:
            glance = self._may_see(asked)
            opened = self._offered.resolver.at_hand(glance.image, asked.width) if glance else None
            if glance is None or opened is None:
                return None
            self._count(opened, asked.endpoint, glance.user.id)
        except (DatabaseUnavailable, RateLimited) as error:
            # Flask says so; it need not wait for the database, or count the request, once more.
            environ[FAILURE] = error
            return None
        except Exception:  # whatever it is, Flask meets it as well, says so and logs it
            return None
        return answer(self._offered, environ, opened, glance.image)

    def _may_see(self, asked: Asked) -> Glance | None:
        if RULES[asked.endpoint] is not Rule.ACCOUNT:
            return None
        glance = self._offered.showing.picture(asked.session_key, asked.image_id)
        if glance is None or not asked.fits(glance.image):
            return None
        if outdated(glance.session, glance.user) or due_for_renewal(glance.session):
            return None
        return glance

    def _count(self, opened: Opened, endpoint: str, user_id: str) -> None:
        try:
            self._budgets.hit(BUDGETS[endpoint], account_key(user_id))
        except BaseException:
            opened.file.close()
            raise
