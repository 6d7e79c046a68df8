"""The language of the pages: the one chosen, else the one the browser prefers."""

from __future__ import annotations

from flask import Flask, current_app, request
from flask_babel import Babel, format_decimal, get_locale
from werkzeug.wrappers import Response

LANGUAGES = ("en", "vi")
COOKIE = "chatbot_language"
COOKIE_SECONDS = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    """Attach translations; the catalogues are in ``ChatBot/translations``."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, locale_selector=_choose)
    app.jinja_env.globals["_"] = app.jinja_env.globals["gettext"]
    app.jinja_env.filters["size"] = size_text


def size_text(size: int) -> str:
    """Return a number of bytes for people, in decimal units and with the separators of their language."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 999.95 or (unit == "bytes" and amount < 1000):
            return f"{format_decimal(amount, '#,##0' if unit == 'bytes' or amount >= 100 else '#,##0.#')} {unit}"
        amount /= 1000
    return f"{format_decimal(amount, '#,##0.##')} TB"


def current_language() -> str:
    """Return the language of this page as a BCP 47 tag."""
    locale = get_locale()
    return locale.language if locale else LANGUAGES[0]


def remember(language: str, response: Response) -> None:
    """Let this browser keep a language, whoever logs in or out; one that we do not speak changes nothing."""
    if language in LANGUAGES:
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"]) or request.is_secure
        response.set_cookie(COOKIE, language, COOKIE_SECONDS, secure=secure, httponly=True, samesite="Lax")


def _choose() -> str:
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]
