"""``serve`` and ``worker``: the web server, and background work alone."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from contextlib import suppress
from typing import Any

import click
import structlog
from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.common import AbstractServer

from ChatBot.bootstrap import build
from ChatBot.config import Settings, load_settings
from ChatBot.db.embedded import EmbeddedServer
from ChatBot.errors import SettingsError
from ChatBot.logs import log_to_stderr

log = structlog.get_logger(__name__)

HEADER_SECONDS = 10
"""A client that has not sent its headers by then is cut off; half-open lines cost no thread until then."""
STOP_SECONDS = 20
"""A server process that takes longer to finish its uploads is killed; they are taken over at the next start."""
POLL_SECONDS = 0.05
STEADY_SECONDS = 30.0
SHORT_LIVES = 5
"""So often in a row the server may end within ``STEADY_SECONDS`` before it counts as broken."""
THROUGH_OUR_LOG = {"handlers": {}, "loggers": {"_granian": {"propagate": True}}}
"""granian would write to standard output in a form of its own, with the secrets in what it says."""


@click.command()
@click.option("--host", help="Address to listen on (HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (PORT).")
def serve(host: str | None, port: int | None) -> None:
    """Serve the chat (this is what runs without a command)."""
    log_to_stderr(logging.INFO)
    settings = load_settings()
    address, wanted = host or settings.host, port if port is not None else settings.port
    number = wanted or _claimable_port(address, 0)
    server = _own_database(settings, f"serving on port {number}")
    try:
        _claimable_port(address, number)
        # Whatever is wrong is said here in one sentence; inside a server process it would be a traceback.
        build(settings, purpose="checking the settings", adoption_seconds=0).close()
        threading.Thread(target=_announce, args=(address, number), daemon=True).start()
        _keep_serving(settings, address, number)
    finally:
        if server is not None:
            server.stop()


@click.command()
def worker() -> None:
    """Run the background work only. That is uploads, read-backs, the emptying of the trash."""
    log_to_stderr(logging.INFO)
    settings = load_settings()
    busy = settings.model_copy(update={"worker_threads": max(1, settings.worker_threads)})
    services = build(busy, purpose="worker", may_attach=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    services.worker.start()
    log.info("worker.started", threads=busy.worker_threads)
    stop.wait()
    services.close()


def _keep_serving(settings: Settings, host: str, port: int) -> None:
    """Serve until asked to stop.

    granian gives up when a server process dies twice within 5.5 seconds. Something that kills it by chance (the system
    out of memory) may do that, so it is begun again; only what never gets going ends this process.
    """
    short_lives = 0
    while True:
        started = time.monotonic()
        try:
            _granian(settings, host, port).serve()
        except SystemExit as error:
            short_lives = short_lives + 1 if time.monotonic() - started < STEADY_SECONDS else 0
            if not error.code or short_lives >= SHORT_LIVES:
                raise
            log.warning("server.begins_again", short_lives=short_lives)
        else:
            return


def _own_database(settings: Settings, purpose: str) -> EmbeddedServer | None:
    """Start the embedded database in this process, so that it outlives the server processes it starts."""
    if settings.mongodb_uri:
        return None
    return EmbeddedServer(settings.database_root, mongod_path=settings.mongod_path).start(purpose)


def _claimable_port(host: str, number: int) -> int:
    """Return the port that can be listened on; 0 asks for a free one.

    The server processes share the port by ``SO_REUSEPORT``, and so would two whole servers, without a word.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name != "nt":  # there it would allow just what is to be found out
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            raise SettingsError(
                f"Port {number} of {host} cannot be listened on ({error.strerror}): set HOST or PORT to another one, "
                "or stop what uses it."
            ) from error
        found: int = probe.getsockname()[1]
        return found


def _announce(host: str, number: int) -> None:
    """Say where the server is as soon as it listens."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared with, not listened on
    while True:
        with suppress(OSError), socket.create_connection((reachable, number), timeout=1):
            break
        time.sleep(POLL_SECONDS)
    shown = f"[{reachable}]" if ":" in reachable else reachable
    click.echo(f"ChatBot: http://{shown}:{number}", err=True)


def _granian(settings: Settings, host: str, port: int) -> AbstractServer[Any]:
    # A fork would share the claim on the database with its parent, and copy locks that threads hold.
    multiprocessing.set_start_method("spawn", force=True)
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
        log_dictconfig=THROUGH_OUR_LOG,
        websockets=False,
    )
