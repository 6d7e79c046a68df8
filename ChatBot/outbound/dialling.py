"""Connections that go only to vetted addresses and end at a fixed moment, whatever the other side does."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import certifi
import requests.adapters
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from ChatBot.outbound.targets import Target, UnsafeAddressError, vet_address
from ChatBot.outbound.watchdog import WATCHDOG, Alarm

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
Resolver = Callable[[str, int], list[AddressInfo]]
Dial = Callable[[str, int], socket.socket]


def resolve_by_system(host: str, port: int) -> list[AddressInfo]:
    """Ask the operating system for the addresses of ``host``."""
    return [(*info[:4], info[4]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Deadline:
    """A moment after which every socket given to it is shut down; a context manager.

    A read timeout bounds the pause between two bytes, not the call; only closing the line from outside ends a drip.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._lines: list[socket.socket] = []
        self._alarm: Alarm | None = None
        self.expired = False

    @property
    def remaining_seconds(self) -> float:
        """Seconds that are left; raises ``TimeoutError`` when there are none."""
        left = self._end - time.monotonic()
        if self.expired or left <= 0:
            raise TimeoutError("the deadline has passed")
        return left

    def watch(self, line: socket.socket) -> None:
        """Shut ``line`` down when the time is up, also after TLS took its file descriptor over."""
        with self._lock:
            self._lines.append(line.dup())
        _ = self.remaining_seconds

    def __enter__(self) -> Deadline:
        self._alarm = WATCHDOG.set(self._end - time.monotonic(), self._cut)
        return self

    def __exit__(self, *_: object) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        with self._lock:
            for line in self._lines:
                line.close()
            self._lines.clear()

    def _cut(self) -> None:
        with self._lock:
            self.expired = True
            for line in self._lines:
                _shut(line)


def _shut(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster


class Dialler:
    """Resolves once, vets every address that came back, and connects to one of exactly those."""

    def __init__(self, target: Target, deadline: Deadline, resolve: Resolver, *, vetted: bool) -> None:
        self._target = target
        self._deadline = deadline
        self._resolve = resolve
        self.vetted = vetted
        """Whether the address has to be a public one."""

    def dial(self, host: str, port: int) -> socket.socket:
        """Return a connected socket to the target; raises ``UnsafeAddressError`` or ``OSError``."""
        if (host.strip("[]").lower(), port) != (self._target.host, self._target.port):
            raise UnsafeAddressError("the host in the URL cannot be understood")
        found = self._look_up()
        if self.vetted:
            for info in found:
                vet_address(str(info[4][0]))
        return self._connect(found)

    def _look_up(self) -> list[AddressInfo]:
        """Resolve in a thread of its own: a silent name server would outlast the deadline."""
        answers: list[list[AddressInfo] | OSError | UnicodeError] = []

        def ask() -> None:
            try:
                answers.append(self._resolve(self._target.host, self._target.port))
            except (OSError, UnicodeError) as error:
                answers.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(self._deadline.remaining_seconds)
        answer = answers[0] if answers else TimeoutError("the name server did not answer in time")
        if isinstance(answer, Exception):
            raise answer
        if not answer:
            raise OSError("the name has no address")
        return answer

    def _connect(self, found: list[AddressInfo]) -> socket.socket:
        failure = OSError("no address to connect to")
        for family, kind, protocol, _, address in found:
            line = socket.socket(family, kind, protocol)
            try:
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                line.settimeout(self._deadline.remaining_seconds)
                line.connect(address)
                self._deadline.watch(line)
            except OSError as error:
                line.close()
                failure = error
            else:
                return line
        raise failure


class _Connection(HTTPConnection):
    """A connection that is made by ``dial``."""

    def __init__(self, host: str, port: int, *, dial: Dial, **options: Any) -> None:
        super().__init__(host, port, **options)
        self._dial = dial

    def _new_conn(self) -> socket.socket:
        return self._dial(self._dns_host, self.port)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same with TLS over it."""


def make_connection(scheme: str, host: str, port: int, dial: Dial) -> HTTPConnection:
    """Return a connection, not made yet, that only ``dial`` makes; https demands a valid certificate always."""
    if scheme == "https":
        return _SecureConnection(host, port, dial=dial, ssl_context=_tls_context(), cert_reqs="CERT_REQUIRED")
    return _Connection(host, port, dial=dial)


class VettedAdapter(requests.adapters.HTTPAdapter):
    """A transport of requests for one call, whose connection is made by ``dial``; no proxies, no retries."""

    def __init__(self, scheme: str, host: str, port: int, dial: Dial) -> None:
        super().__init__(max_retries=0)
        self._pool = _make_pool(scheme, host, port, dial)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        """Return the one pool (called by requests)."""
        return self._pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the pool as it is, which demands a valid certificate (called by requests)."""

    def close(self) -> None:
        """End the connection."""
        super().close()
        self._pool.close()


def _make_pool(scheme: str, host: str, port: int, dial: Dial) -> HTTPConnectionPool:
    pool: HTTPConnectionPool
    if scheme == "https":
        pool = HTTPSConnectionPool(host, port, cert_reqs="CERT_REQUIRED", ssl_context=_tls_context(), dial=dial)
        pool.ConnectionCls = _SecureConnection
    else:
        pool = HTTPConnectionPool(host, port, dial=dial)
        pool.ConnectionCls = _Connection
    return pool


@cache
def _tls_context() -> ssl.SSLContext:
    """Return the one context of all connections: reading the authorities takes 44 ms, too long for every call."""
    context = create_urllib3_context()
    context.load_verify_locations(certifi.where())
    return context
