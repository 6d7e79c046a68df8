"""Who really asks, when proxies stand in front: their X-Forwarded headers are believed, nobody else's."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
)


class TrustedProxies:
    """WSGI middleware: sets the address, scheme and host that a trusted proxy reports, and removes every other report.

    Werkzeug's ``ProxyFix`` counts proxies and so believes the headers of whoever connects past them; here the peer's
    address decides. The client is the right-most address that is no proxy of ours: what stands further left was
    written by somebody we do not know.
    """

    def __init__(self, app: WSGIApplication, trusted: Sequence[str]) -> None:
        self._app = app
        self._networks: tuple[Network, ...] = tuple(ipaddress.ip_network(text) for text in trusted)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on as its client sent it."""
        reported = {name: environ.pop(name, "") for name in FORWARDED}
        if self._trusts(environ.get("REMOTE_ADDR", "")):
            _believe(environ, reported, self._client(reported["HTTP_X_FORWARDED_FOR"]))
        return self._app(environ, start_response)

    def _client(self, chain: str) -> str | None:
        """Return the right-most address that we do not trust; None when there is no such, or it is no address."""
        for hop in reversed([part.strip() for part in chain.split(",") if part.strip()]):
            if not _is_address(hop):
                return None
            if not self._trusts(hop):
                return hop
        return None

    def _trusts(self, address: str) -> bool:
        if not self._networks or not _is_address(address):
            return False
        parsed = ipaddress.ip_address(address)
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(parsed in network for network in self._networks)


def _believe(environ: WSGIEnvironment, reported: dict[str, str], client: str | None) -> None:
    """Take over what a trusted proxy says; of several values the last, which that proxy itself wrote."""
    if client is not None:
        environ["REMOTE_ADDR"] = client
    scheme = _last(reported["HTTP_X_FORWARDED_PROTO"]).lower()
    if scheme in ("http", "https"):
        environ["wsgi.url_scheme"] = scheme
    host = _last(reported["HTTP_X_FORWARDED_HOST"])
    if host:
        environ["HTTP_HOST"] = host


def _last(values: str) -> str:
    return values.rpartition(",")[2].strip()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
