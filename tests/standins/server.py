"""The HTTP server that stand-ins for outside services run on: real sockets on loopback, and misbehaviour on request.

A stand-in is a ``Service``: it looks at a ``Request`` and returns a ``Reply``, or None when the path is not its own.
Several services share one ``Server``; each can be steered in Python or over HTTP with ``POST /control/<name>``.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

DRIP_SECONDS = 0.5
"""Pause between two bytes of a dripping reply."""

Manner = Literal["normal", "reset", "hang", "drip", "drip_headers", "cut"]
"""How a reply is delivered: ``reset`` sends a TCP RST, ``hang`` nothing, ``cut`` half of the announced body."""


@dataclass(frozen=True)
class Part:
    """One file part of a multipart body."""

    name: str
    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True)
class Request:
    """What arrived: header names are lower case, ``path`` is without the query."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body parsed as JSON."""
        return json.loads(self.body)

    def form(self) -> tuple[dict[str, str], list[Part]]:
        """Return the text fields and the file parts of a form, multipart or urlencoded."""
        mimetype, options = parse_options_header(self.headers.get("content-type"))
        parser = FormDataParser(max_form_memory_size=None)
        _, fields, files = parser.parse(BytesIO(self.body), mimetype, len(self.body), options)
        parts = [
            Part(name, file.filename or "", file.content_type or "", file.read()) for name, file in files.items(True)
        ]
        for file in files.values():
            file.close()
        return dict(fields.items()), parts


@dataclass(frozen=True)
class Reply:
    """What to answer. An iterable ``body`` is streamed in chunks as it is produced (server-sent events)."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    manner: Manner = "normal"

    def delivered(self, manner: Manner) -> Reply:
        """Return the same reply, delivered differently."""
        return replace(self, manner=manner)


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    """Return a reply with ``value`` as JSON; keyword names become header names (``retry_after``: ``Retry-After``)."""
    titled = {name.replace("_", "-").title(): text for name, text in headers.items()}
    return Reply(status, json.dumps(value).encode(), "application/json", titled)


class Service:
    """One stand-in. Subclasses set ``name`` and write ``handle``; ``control`` steers them over HTTP."""

    name: str = ""
    base_url: str = ""
    """Set by the server when it starts: scheme, host and port, without a trailing slash."""

    def handle(self, request: Request) -> Reply | None:
        """Answer ``request``, or return None when the path belongs to somebody else."""
        raise NotImplementedError

    def control(self, command: dict[str, Any]) -> dict[str, Any]:
        """Set every attribute that ``command`` names and return the state as JSON-ready values."""
        for key, value in command.items():
            if key.startswith("_") or not hasattr(self, key):
                raise KeyError(key)
            setattr(self, key, value)
        return self.state()

    def state(self) -> dict[str, Any]:
        """Return what a test may want to know over HTTP."""
        return {"name": self.name}


class Server:
    """A threaded HTTP server on loopback; a context manager. ``port`` 0 takes a free one."""

    def __init__(self, *services: Service, port: int = 0, address: str = "127.0.0.1") -> None:
        self.services = services
        self.delay_seconds = 0.0
        """Every answer comes so much later, as from a host that is far away."""
        self.requests: list[Request] = []
        """Every request that was read completely, oldest first."""
        self.connections = 0
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._http = _Listener((address, port), self)
        self.base_url = f"http://{address}:{self._http.server_address[1]}"
        for service in services:
            service.base_url = self.base_url
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def netloc(self) -> str:
        """``host:port``, as an allow-list wants it."""
        return self.base_url.partition("//")[2]

    def start(self) -> Self:
        """Begin to answer, and return this server."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering; hanging and dripping replies end at once."""
        self.stopping.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def answer(self, request: Request) -> Reply:
        """Find who answers ``request``; 404 when nobody does."""
        with self._lock:
            self.requests.append(request)
        if request.path.startswith("/control/"):
            return self._control(request)
        replies = (service.handle(request) for service in self.services)
        return next((reply for reply in replies if reply is not None), Reply(404, b"not here"))

    def _control(self, request: Request) -> Reply:
        name = request.path.removeprefix("/control/")
        for service in self.services:
            if service.name == name:
                return _steer(service, request)
        return json_reply({"error": f"no stand-in is called {name}"}, 404)


def _steer(service: Service, request: Request) -> Reply:
    try:
        return json_reply(service.control(request.json()) if request.method == "POST" else service.state())
    except (KeyError, ValueError) as error:
        return json_reply({"error": f"not understood: {error}"}, 400)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], owner: Server) -> None:
        super().__init__(address, _Handler)
        self.owner = owner

    def process_request(self, request: Any, client_address: Any) -> None:
        self.owner.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: clients that go away in the middle are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def _serve(self) -> None:
        self.close_connection = True
        split = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = {name: values[0] for name, values in parse_qs(split.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.owner.stopping.wait(self.server.owner.delay_seconds)
        self._deliver(self.server.owner.answer(Request(self.command, split.path, query, headers, body)))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815 - http.server's own names

    def _deliver(self, reply: Reply) -> None:
        if reply.manner == "reset":
            self._reset()
        elif reply.manner == "hang":
            self.server.owner.stopping.wait()
        elif isinstance(reply.body, bytes):
            self._send_bytes(reply, reply.body)
        else:
            self._send_stream(reply, reply.body)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _head(self, reply: Reply, framing: tuple[str, str]) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header(*framing)
        self.send_header("Connection", "close")

    def _send_bytes(self, reply: Reply, body: bytes) -> None:
        sent = b"" if self.command == "HEAD" else body
        if reply.manner == "drip_headers":
            self._drip(f"HTTP/1.1 {reply.status} OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + sent)
            return
        self._head(reply, ("Content-Length", str(len(body))))
        self.end_headers()
        if reply.manner == "drip":
            self._drip(sent)
        else:
            self.wfile.write(sent[: len(sent) // 2] if reply.manner == "cut" else sent)

    def _drip(self, data: bytes) -> None:
        for byte in data:
            self.wfile.write(bytes([byte]))
            if self.server.owner.stopping.wait(DRIP_SECONDS):
                return

    def _send_stream(self, reply: Reply, chunks: Iterable[bytes]) -> None:
        self._head(reply, ("Transfer-Encoding", "chunked"))
        self.end_headers()
        for chunk in _until(self.server.owner.stopping, chunks):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if reply.manner != "cut":
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args: Any) -> None:
        """Say nothing: what arrived is in ``Server.requests``."""


def _until(stopping: threading.Event, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if stopping.is_set():
            return
        if chunk:
            yield chunk
