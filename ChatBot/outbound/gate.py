"""The gate itself: one call, one deadline, one byte cap, and no way to an address that was not vetted."""

from __future__ import annotations

import ssl
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urljoin

import requests
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError, MaxRetryError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse

from ChatBot.errors import ProviderRefused, ProviderUnavailable, SettingsError
from ChatBot.outbound.dialling import Deadline, Dialler, Resolver, VettedAdapter, resolve_by_system
from ChatBot.outbound.lanes import Lanes
from ChatBot.outbound.targets import Target, UnsafeAddressError, parse_target
from ChatBot.sentence import Sentence

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
CHUNK_BYTES = 64 * 1024
FAILURES = (RequestException, HTTPError, HTTPException, OSError, ValueError)
"""What a network, or a server that talks nonsense, can make the libraries raise."""

_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "ChatBot"}

FilePart = tuple[str, bytes, str]
"""File name, bytes, MIME type."""


@dataclass(frozen=True)
class Fetched:
    """A complete reply. ``headers`` has lower-case names; ``url`` is where the body came from."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True)
class _Call:
    provider: str
    max_bytes: int
    deadline: Deadline


class _OverCapError(ProviderRefused):
    """The body was cut off at the cap."""


class Gate:
    """Fetches over http and https from public addresses only.

    ``allow_private`` lists exact ``host:port`` pairs that may be fetched although their address is private or their
    scheme is http; a wrong entry raises ``SettingsError``. ``resolve`` is the name lookup, which tests replace.

    Every call ends within ``deadline_seconds``, keeps at most ``max_bytes`` of the body, and raises
    ``ProviderUnavailable`` when the network fails or ``ProviderRefused`` (``input``: the address is not allowed,
    ``too_large``: the body is over the cap) in the name of ``provider``. No proxy, netrc or cookie is ever used.

    Connections of ``get`` are kept for a few seconds and used again for the same scheme, host and port.
    """

    def __init__(
        self,
        allow_private: Iterable[str] = (),
        *,
        resolve: Resolver = resolve_by_system,
        lanes: Lanes | None = None,
    ) -> None:
        self._allowed = frozenset(_allowed_netloc(entry) for entry in allow_private)
        self._resolve = resolve
        self._lanes = lanes or Lanes()

    def trusting(self, url: str) -> Gate:
        """Return a gate that also reaches the one ``host:port`` of ``url``, which the operator configured."""
        try:
            netloc = parse_target(url).netloc
        except UnsafeAddressError as error:
            raise SettingsError(f"A service's URL in the settings is not usable: {error}.") from error
        return Gate(self._allowed | {netloc}, resolve=self._resolve, lanes=self._lanes)

    def close(self) -> None:
        """End the connections that are kept, those of the gates made from this one too."""
        self._lanes.close()

    def check(self, url: str, *, provider: str, allowed_hosts: Collection[str] | None = None) -> None:
        """Raise ``ProviderRefused`` unless the spelling of ``url`` may be fetched; connects to nothing.

        With ``allowed_hosts`` it must be https on the usual port of exactly one of these names, or a pair of
        ``allow_private``.
        """
        self._target(url, provider, allowed_hosts)

    def get(
        self,
        url: str,
        *,
        provider: str,
        max_bytes: int,
        deadline_seconds: float,
        allowed_hosts: Collection[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Fetched:
        """Fetch ``url``, following at most five redirects, each vetted; ``headers`` go to the first host only."""
        with Deadline(deadline_seconds) as deadline:
            call = _Call(provider, max_bytes, deadline)
            for _ in range(MAX_REDIRECTS + 1):
                target = self._target(url, provider, allowed_hosts)
                reply = self._get(target, call, {**_HEADERS, "Connection": "keep-alive", **(headers or {})})
                location = reply.headers.get("location")
                if reply.status not in REDIRECTS or location is None:
                    return reply
                url, headers = _next_hop(target, location, provider), None
        raise ProviderUnavailable(Sentence("%(provider)s redirects in circles", provider=provider), provider=provider)

    def send(
        self,
        method: str,
        url: str,
        *,
        provider: str,
        max_bytes: int,
        deadline_seconds: float,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, FilePart] | None = None,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        allowed_hosts: Collection[str] | None = None,
    ) -> Fetched:
        """Send a request once, with at most one of ``form`` (and ``files``), ``json`` and ``body`` (raw bytes).

        A redirect is ``ProviderUnavailable``: the body and its key must not follow it. So is a reply over the cap,
        which says nothing about what was sent.
        """
        target = self._target(url, provider, allowed_hosts)
        own = {**_HEADERS, "Connection": "close", **(headers or {})}
        request = requests.Request(method, target.url, headers=own, data=body or form, files=files, json=json)
        with Deadline(deadline_seconds) as deadline:
            call = _Call(provider, max_bytes, deadline)
            try:
                reply = self._send(target, call, request.prepare())
            except _OverCapError as error:
                raise ProviderUnavailable(Sentence.told_by(error), provider=provider) from error
        if reply.status in REDIRECTS:
            raise ProviderUnavailable(
                Sentence(
                    "%(provider)s answered with a redirect, which is not followed with a request that carries a body",
                    provider=provider,
                ),
                provider=provider,
            )
        return reply

    def _target(self, url: str, provider: str, allowed_hosts: Collection[str] | None) -> Target:
        try:
            target = parse_target(url)
        except UnsafeAddressError as error:
            raise _refused(error, provider) from error
        if allowed_hosts is None or target.netloc in self._allowed:
            return target
        if target.is_plain_https and target.host in allowed_hosts:
            return target
        raise _refused(UnsafeAddressError("the URL is not on one of the provider's own hosts"), provider)

    def _get(self, target: Target, call: _Call, headers: Mapping[str, str]) -> Fetched:
        """Do one exchange over a connection that is kept, whose loss costs another try."""
        dialler = self._dialler(target, call)
        while True:
            lane = self._lanes.take(target, vetted=dialler.vetted)
            try:
                with _translated(call):
                    lane.begin(dialler, call.deadline)
                    response = lane.get(target.path, headers, timeout_seconds=call.deadline.remaining_seconds)
                    reply = _read(response, target, call)
            except BaseException as error:
                lane.close()
                if lane.used and isinstance(error, ProviderUnavailable) and not call.deadline.expired:
                    continue
                raise
            self._lanes.give_back(lane)
            return reply

    def _send(self, target: Target, call: _Call, request: requests.PreparedRequest) -> Fetched:
        """Do one exchange over a connection of its own."""
        adapter = VettedAdapter(target.scheme, target.host, target.port, self._dialler(target, call).dial)
        try:
            with _translated(call):
                response = adapter.send(request, stream=True, timeout=call.deadline.remaining_seconds)
                return _read(response.raw, target, call)
        finally:
            adapter.close()

    def _dialler(self, target: Target, call: _Call) -> Dialler:
        return Dialler(target, call.deadline, self._resolve, vetted=target.netloc not in self._allowed)


@contextmanager
def _translated(call: _Call) -> Iterator[None]:
    """Let only our own errors leave an exchange."""
    try:
        yield
    except UnsafeAddressError as error:
        raise _refused(error, call.provider) from error
    except FAILURES as error:
        cause = _root_cause(error)
        raise ProviderUnavailable(_explain(cause, call), provider=call.provider) from cause


def _read(response: BaseHTTPResponse, target: Target, call: _Call) -> Fetched:
    try:
        body = _read_body(response, call)
    finally:
        response.close()
    _ = call.deadline.remaining_seconds  # a body that ends by closing the line looks complete when we cut it
    headers = {name.lower(): response.headers[name] for name in response.headers}
    return Fetched(response.status, headers, body, target.url)


def _read_body(response: BaseHTTPResponse, call: _Call) -> bytes:
    pieces, size = [], 0
    while piece := response.read(CHUNK_BYTES, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > call.max_bytes:
            text = Sentence("%(provider)s sent more than %(most)s bytes", provider=call.provider, most=call.max_bytes)
            raise _OverCapError(text, provider=call.provider, reason="too_large")
    return b"".join(pieces)


def _next_hop(target: Target, location: str, provider: str) -> str:
    try:
        url = urljoin(target.url, location)
    except ValueError as error:
        raise _refused(UnsafeAddressError("the redirect cannot be understood"), provider) from error
    if target.scheme == "https" and not url.lower().startswith("https:"):
        raise _refused(UnsafeAddressError("the redirect leaves https"), provider)
    return url


def _allowed_netloc(entry: str) -> str:
    host, _, port = entry.strip().lower().rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise SettingsError(f"FETCH_ALLOW_PRIVATE_HOSTS: write each entry as host:port, not {entry!r}.")
    return f"{host}:{int(port)}"


def _refused(error: UnsafeAddressError, provider: str) -> ProviderRefused:
    return ProviderRefused(f"{provider}: {error}", provider=provider, reason="input")


def _root_cause(error: Exception) -> Exception:
    """Return the error below the library's wrappers, whose texts repeat the URL with its secrets."""
    inner: object = error
    if isinstance(error, MaxRetryError):
        inner = error.reason
    elif isinstance(error, RequestException | HTTPError) and error.args:
        inner = error.args[-1]
    return _root_cause(inner) if isinstance(inner, Exception) and inner is not error else error


def _explain(cause: Exception, call: _Call) -> Sentence:
    if call.deadline.expired or isinstance(cause, TimeoutError | ReadTimeoutError):
        return Sentence("%(provider)s did not answer completely in time", provider=call.provider)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Sentence("%(provider)s has no valid TLS certificate", provider=call.provider)
    return Sentence("%(provider)s could not be reached (%(why)s)", provider=call.provider, why=type(cause).__name__)
