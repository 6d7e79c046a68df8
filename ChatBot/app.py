"""The Flask application: ``create_app`` puts the services and the web layer together."""

from __future__ import annotations

import atexit
import logging

import structlog
from flask import Flask
from flask_openapi3 import Info, OpenAPI

from ChatBot import __version__, lifetime
from ChatBot.bootstrap import build
from ChatBot.config import PROJECT_ROOT, Settings, load_settings
from ChatBot.container import Services
from ChatBot.logs import log_to_stderr, log_what_nobody_catches
from ChatBot.web.context import EXTENSION
from ChatBot.web.edge import audited, bodies, guard, headers, identity, limits, metrics, problems, trace
from ChatBot.web.edge.dates import ReadableDates
from ChatBot.web.edge.proxies import TrustedProxies
from ChatBot.web.edge.sessions import MongoSessions
from ChatBot.web.reading import intake, parsing
from ChatBot.web.rendering import assets, locale
from ChatBot.web.routes.account_pages import account_pages
from ChatBot.web.routes.admin import admin, admin_pages
from ChatBot.web.routes.audit import audit, audit_pages
from ChatBot.web.routes.auth import auth, tokens
from ChatBot.web.routes.conversations import conversations
from ChatBot.web.routes.documents import documents
from ChatBot.web.routes.files import files
from ChatBot.web.routes.health import health
from ChatBot.web.routes.images import images
from ChatBot.web.routes.messages import messages
from ChatBot.web.routes.pages import pages
from ChatBot.web.routes.picture_links import picture_links
from ChatBot.web.routes.shared import shared
from ChatBot.web.routes.shares import shares
from ChatBot.web.routes.trash import trash, trash_pages
from ChatBot.web.shortcut import Shortcut

log = structlog.get_logger(__name__)

PARTS = (trace, parsing, bodies, problems, locale, assets, identity, guard, headers, metrics, limits, audited, intake)
"""What happens around every request; what stands first is begun first and ends last."""

API_BLUEPRINTS = (
    auth,
    tokens,
    conversations,
    messages,
    images,
    trash,
    files,
    picture_links,
    shares,
    shared,
    admin,
    audit,
)
PAGE_BLUEPRINTS = (pages, trash_pages, account_pages, health, documents, metrics.metrics, admin_pages, audit_pages)
JSON_OVERHEAD_BYTES = 1_000_000
"""What a request may be larger than the picture in it: the form around it, or its base64."""


def create_app(settings: Settings | None = None, *, services: Services | None = None) -> Flask:
    """Build the application and start its background work.

    Without arguments everything comes from the environment and ``.env``. Raises ``SettingsError`` or
    ``DatabaseUnavailable`` with a sentence that says what to do.
    """
    if services is None:
        services = build(settings or load_settings())
        atexit.register(services.close)
    app = OpenAPI(
        "ChatBot",
        info=Info(title="ChatBot", version=__version__),
        doc_ui=False,
        validation_error_callback=problems.invalid_request,
        template_folder=str(PROJECT_ROOT / "templates"),
        static_folder=str(PROJECT_ROOT / "static"),
    )
    app.secret_key = services.secret_key
    app.config.update(
        MAX_CONTENT_LENGTH=services.settings.max_upload_bytes * 4 // 3 + JSON_OVERHEAD_BYTES,
        MAX_FORM_MEMORY_SIZE=JSON_OVERHEAD_BYTES,
        SESSION_COOKIE_NAME="chatbot_session",
        SESSION_COOKIE_SECURE=services.settings.secure_cookies,
    )
    app.extensions[EXTENSION] = services
    app.session_interface = MongoSessions(services.repositories.sessions)
    for part in PARTS:
        part.init_app(app)
    for api in API_BLUEPRINTS:
        app.register_api(api)
    for blueprint in PAGE_BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.wsgi_app = TrustedProxies(ReadableDates(Shortcut(app)), services.settings.trusted_proxies)  # type: ignore[method-assign]
    services.start()
    return app


def application() -> Flask:
    """Build the application inside a server process; the embedded database belongs to the process that started it.

    Raises ``SystemExit`` when it cannot be built, after the log has the reason.
    """
    log_to_stderr(logging.INFO)
    log_what_nobody_catches()
    try:
        return _application()
    except Exception as error:
        # Whatever leaves this function is printed by multiprocessing, with the secrets in it.
        log.exception("server.not_started")
        raise SystemExit(1) from error


def _application() -> Flask:
    services = build(load_settings())

    def close() -> None:
        services.close()
        log.info("server.ended")

    atexit.register(close)
    lifetime.end_in_order(services.wind_down, close)
    return create_app(services=services)
