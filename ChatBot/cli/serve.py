"""``serve`` and ``worker``: the web server, and background work alone."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

import click
from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.common import AbstractServer

from ChatBot.bootstrap import build
from ChatBot.config import Settings, load_settings
from ChatBot.db.embedded import EmbeddedServer
from ChatBot.logs import log_to_stderr

HEADER_SECONDS = 10
"""A client that has not sent its headers by then is cut off; half-open lines cost no thread until then."""
STOP_SECONDS = 20


@click.command()
@click.option("--host", help="Address to listen on (HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (PORT).")
def serve(host: str | None, port: int | None) -> None:
    """Serve the chat (this is what runs without a command)."""
    log_to_stderr(logging.INFO)
    settings = load_settings()
    address, number = host or settings.host, port if port is not None else settings.port
    server = _own_database(settings, f"serving on port {number}")
    try:
        click.echo(f"ChatBot: http://{address}:{number}", err=True)
        _granian(settings, address, number).serve()
    finally:
        if server is not None:
            server.stop()


@click.command()
def worker() -> None:
    """Run the background work only: uploads, read-backs, the emptying of the trash."""
    log_to_stderr(logging.INFO)
    services = build(load_settings(), purpose="worker", may_attach=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    services.worker.start()
    stop.wait()
    services.close()


def _own_database(settings: Settings, purpose: str) -> EmbeddedServer | None:
    """Start the embedded database in this process, so that it outlives the server processes it starts."""
    if settings.mongodb_uri:
        return None
    return EmbeddedServer(settings.database_root, mongod_path=settings.mongod_path).start(purpose)


def _granian(settings: Settings, host: str, port: int) -> AbstractServer[Any]:
    return Granian(
        "ChatBot.app:application",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=settings.server_threads,
        backpressure=settings.server_threads * 4,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000),
        workers_kill_timeout=STOP_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
        websockets=False,
    )
