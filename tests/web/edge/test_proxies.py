"""Forwarded headers: believed from trusted proxies, and from nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ChatBot.web.edge.proxies import TrustedProxies


def seen(trusted: tuple[str, ...], peer: str, **headers: str) -> dict[str, Any]:
    """Return the environment that the application sees."""
    passed: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], _start: object) -> list[bytes]:
        passed.append(environ)
        return []

    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_HOST": "inside:5000"}
    TrustedProxies(application, trusted)({**environ, **headers}, lambda *_: lambda _: None)
    return passed[0]


FORGED = {
    "HTTP_X_FORWARDED_FOR": "198.51.100.1",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "evil.example",
}


@pytest.mark.parametrize("trusted", [(), ("10.0.0.0/8",)])
def test_a_stranger_is_who_connects_whatever_the_headers_say(trusted: tuple[str, ...]) -> None:
    environ = seen(trusted, "203.0.113.5", **FORGED)

    assert environ == {"REMOTE_ADDR": "203.0.113.5", "wsgi.url_scheme": "http", "HTTP_HOST": "inside:5000"}


@pytest.mark.parametrize("peer", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_a_trusted_proxy_reports_address_scheme_and_host(peer: str) -> None:
    environ = seen(("10.0.0.0/8",), peer, **{**FORGED, "HTTP_X_FORWARDED_HOST": "chat.example.org"})

    assert environ["REMOTE_ADDR"] == "198.51.100.1"
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["HTTP_HOST"] == "chat.example.org"


def test_what_a_client_wrote_left_of_its_own_address_is_not_believed() -> None:
    environ = seen(("10.0.0.0/8",), "10.0.0.1", HTTP_X_FORWARDED_FOR="127.0.0.1, 198.51.100.1, 10.0.0.2")

    assert environ["REMOTE_ADDR"] == "198.51.100.1"


@pytest.mark.parametrize("chain", ["", "unknown", "198.51.100.1, <script>", "10.0.0.9", "198.51.100.1:80"])
def test_a_chain_without_a_client_leaves_the_proxys_own_address(chain: str) -> None:
    assert seen(("10.0.0.0/8",), "10.0.0.1", HTTP_X_FORWARDED_FOR=chain)["REMOTE_ADDR"] == "10.0.0.1"


@given(st.text())
def test_no_header_changes_who_a_stranger_is(text: str) -> None:
    assert seen(("10.0.0.0/8",), "203.0.113.5", HTTP_X_FORWARDED_FOR=text)["REMOTE_ADDR"] == "203.0.113.5"
