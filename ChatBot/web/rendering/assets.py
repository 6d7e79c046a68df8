"""Static files under addresses that change with their content, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app, request, url_for
from werkzeug.wrappers import Response

from ChatBot.errors import ChatBotError
from ChatBot.web.context import signed_in
from ChatBot.web.rendering.locale import current_language
from ChatBot.web.rendering.present import user_json

MAX_AGE_SECONDS = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    """Give templates ``asset`` (macros too), ``me`` and ``locale``."""
    app.jinja_env.globals["asset"] = asset
    app.context_processor(_context)
    app.after_request(_cache)


def asset(name: str) -> str:
    """Return the address of a static file with a piece of its hash."""
    return url_for("static", filename=name, v=_version(Path(current_app.static_folder or "") / name))


def _context() -> dict[str, Any]:
    try:
        user = signed_in()
    except ChatBotError:  # the page may be the one that reports this very error
        user = None
    return {"me": user_json(user) if user else None, "locale": current_language()}


@lru_cache(maxsize=512)
def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _cache(response: Response) -> Response:
    if request.endpoint == "static" and response.status_code in (200, 304) and "v" in request.args:
        response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}, immutable"
    elif "Cache-Control" not in response.headers and request.endpoint != "static":
        response.headers["Cache-Control"] = "private, no-store"
    return response
