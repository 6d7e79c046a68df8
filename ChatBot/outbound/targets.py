"""Which addresses the server may connect to: the URL as it is written, and the numbers it resolves to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

DEFAULT_PORTS = {"http": 80, "https": 443}

_CONFUSING = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ufeff\\]")
"""Control characters, white space and backslashes: parsers disagree about where the host ends."""

_PLAIN_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|[0-9a-f:.]+")

_REFUSED_IPV4 = tuple(
    ip_network(network)
    for network in (
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
        "168.63.129.16/32",  # Azure's platform service: a public number that only answers inside its machines
        "192.0.0.0/24",  # IETF protocol assignments, RFC 6890
        "192.88.99.0/24",  # relay of 6to4, RFC 7526
    )
)
_GLOBAL_IPV6 = ip_network("2000::/3")
"""The only part of IPv6 handed out for global unicast; leaves out ::ffff:0:0/96, ::/96, 64:ff9b::/96, fc00::/7 ..."""

# Python's own table of special networks (``is_global``) differs between its versions; these are refused by every one.
_REFUSED_IPV6 = tuple(
    ip_network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments with Teredo (2001::/32), RFC 2928 and RFC 4380
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4 carries an IPv4 address, RFC 3056
        "3fff::/20",  # documentation, RFC 9637
    )
)


class UnsafeAddressError(ValueError):
    """The address must not be connected to; the text says why and never repeats the address."""


@dataclass(frozen=True)
class Target:
    """A URL that was understood: ``host`` in lower case without brackets, ``path`` with the query, percent-encoded."""

    url: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """``host:port``, always with the port, brackets around IPv6: the form of an allow-list entry."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """``scheme://host``, with the port unless it is the usual one."""
        usual = self.port == DEFAULT_PORTS[self.scheme]
        return f"{self.scheme}://{self.netloc.rpartition(':')[0] if usual else self.netloc}"

    @property
    def is_plain_https(self) -> bool:
        """Whether it is https on its usual port."""
        return self.scheme == "https" and self.port == DEFAULT_PORTS["https"]


def parse_target(url: str) -> Target:
    """Read ``url`` with the parser that also connects, and refuse what another parser reads differently.

    Raises ``UnsafeAddressError`` for schemes other than http and https, user names and confusing characters.
    """
    if _CONFUSING.search(url):
        raise UnsafeAddressError("the URL contains a space, a backslash or a control character")
    try:
        parsed, other = parse_url(url), urlsplit(url)
        other_port, host = other.port, (parsed.host or "").strip("[]").lower()
        agreed = (host, parsed.port, parsed.scheme) == ((other.hostname or "").lower(), other_port, other.scheme)
    except (LocationParseError, ValueError) as error:
        raise UnsafeAddressError("the URL cannot be understood") from error
    if parsed.scheme not in DEFAULT_PORTS:
        raise UnsafeAddressError("only http and https URLs are fetched")
    if parsed.auth is not None or "@" in other.netloc:
        raise UnsafeAddressError("a URL with a user name in it is not fetched")
    if not agreed or not _PLAIN_HOST.fullmatch(host):
        raise UnsafeAddressError("the host in the URL cannot be understood")
    port = DEFAULT_PORTS[parsed.scheme] if parsed.port is None else parsed.port
    return Target(url, parsed.scheme, host, port, parsed.request_uri)


def origin_of(url: str) -> str:
    """Return the origin of ``url``, as a content security policy wants it; raises ``UnsafeAddressError``."""
    return parse_target(url).origin


def vet_address(text: str) -> None:
    """Raise ``UnsafeAddressError`` unless ``text`` is the number of a public unicast host.

    Refused are private, loopback, link-local, shared, reserved, multicast and unspecified numbers and every IPv6
    form that carries an IPv4 number inside (mapped, compatible, NAT64, 6to4, Teredo).
    """
    address = ip_address(text)
    if not (_is_public_ipv4(address) if isinstance(address, IPv4Address) else _is_public_ipv6(address)):
        raise UnsafeAddressError("the host's address is not a public one")


def _is_public_ipv4(address: IPv4Address) -> bool:
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address in network for network in _REFUSED_IPV4)


def _is_public_ipv6(address: IPv6Address) -> bool:
    if address.scope_id is not None or address not in _GLOBAL_IPV6 or not address.is_global:
        return False
    return not any(address in network for network in _REFUSED_IPV6)
