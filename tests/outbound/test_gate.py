"""The gate over real sockets: what it connects to, what it keeps, and when it ends."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ChatBot.errors import ProviderRefused, ProviderUnavailable, SettingsError
from ChatBot.outbound import Fetched, Gate
from ChatBot.outbound.dialling import AddressInfo
from tests.standins.server import Reply, Request, Server, Service

SHORT_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
"""A drip at half a second per byte would take minutes; ending before this proves that the deadline cut it."""


class Script(Service):
    """Answers by path from a dictionary of replies."""

    name = "script"

    def __init__(self) -> None:
        self.replies: dict[str, Reply] = {}

    def handle(self, request: Request) -> Reply | None:
        return self.replies.get(request.path)


class Canary:
    """A listening socket that must see nobody."""

    def __init__(self, family: socket.AddressFamily, address: str) -> None:
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.bind((address, 0))
        self._listener.listen()
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]

    def saw_nobody(self) -> bool:
        try:
            line, _ = self._listener.accept()
        except BlockingIOError:
            return True
        line.close()
        return False

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def server(script: Script) -> Iterator[Server]:
    with Server(script) as running:
        yield running


@pytest.fixture
def canary() -> Iterator[Canary]:
    listener = Canary(socket.AF_INET, "127.0.0.1")
    yield listener
    listener.close()


@pytest.fixture
def gate(server: Server) -> Gate:
    return Gate([server.netloc])


def fetch(gate: Gate, url: str, **options: Any) -> Fetched:
    settings = {"provider": "tested", "max_bytes": 1000, "deadline_seconds": PATIENCE_SECONDS, **options}
    return gate.get(url, **settings)


def resolving_to(*addresses: str) -> Callable[[str, int], list[AddressInfo]]:
    def resolve(_host: str, port: int) -> list[AddressInfo]:
        families = {address: socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses}
        return [(family, socket.SOCK_STREAM, 0, "", (address, port)) for address, family in families.items()]

    return resolve


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "localhost",
        "LOCALHOST",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "0",
        "0.0.0.0",  # noqa: S104 - a spelling of this machine, nothing is bound
    ],
)
def test_every_spelling_of_this_machine_is_refused_without_a_connection(host: str, canary: Canary) -> None:
    with pytest.raises(ProviderRefused) as caught:
        fetch(Gate(), f"http://{host}:{canary.port}/")

    assert caught.value.reason == "input"
    assert canary.saw_nobody()


def test_canary_sees_a_connection_that_is_allowed(canary: Canary) -> None:
    with pytest.raises(ProviderUnavailable):
        fetch(Gate([f"127.0.0.1:{canary.port}"]), f"http://127.0.0.1:{canary.port}/", deadline_seconds=0.3)

    assert not canary.saw_nobody()


def test_ipv6_loopback_is_refused_without_a_connection() -> None:
    try:
        canary = Canary(socket.AF_INET6, "::1")
    except OSError:
        pytest.fail("This machine has no IPv6 loopback; turn IPv6 on (sysctl net.ipv6.conf.lo.disable_ipv6=0).")

    with pytest.raises(ProviderRefused):
        fetch(Gate(), f"http://[::1]:{canary.port}/")

    assert canary.saw_nobody()
    canary.close()


def test_name_that_resolves_privately_is_refused_without_a_connection(canary: Canary) -> None:
    with pytest.raises(ProviderRefused):
        fetch(Gate(resolve=resolving_to("127.0.0.1")), f"http://pictures.example:{canary.port}/")

    assert canary.saw_nobody()


def test_one_private_address_among_public_ones_is_refused(canary: Canary) -> None:
    with pytest.raises(ProviderRefused):
        fetch(Gate(resolve=resolving_to("8.8.8.8", "127.0.0.1")), f"http://pictures.example:{canary.port}/")

    assert canary.saw_nobody()


def test_name_is_resolved_once_per_connection(server: Server, script: Script) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[AddressInfo]:
        asked.append(host)
        return resolving_to("127.0.0.1")(host, port)

    port = server.netloc.partition(":")[2]
    script.replies["/a"] = Reply(body=b"seen")

    reply = fetch(Gate([f"pictures.example:{port}"], resolve=resolve), f"http://pictures.example:{port}/a")

    assert (reply.body, asked) == (b"seen", ["pictures.example"])
    assert server.requests[0].headers["host"] == f"pictures.example:{port}"


def test_allowance_is_for_the_exact_port(server: Server, canary: Canary) -> None:
    with pytest.raises(ProviderRefused):
        fetch(Gate([server.netloc]), f"http://127.0.0.1:{canary.port}/")

    assert canary.saw_nobody()


def test_trusted_endpoint_is_reached_and_nothing_beside_it(server: Server, script: Script, canary: Canary) -> None:
    script.replies["/api"] = Reply(body=b"yes")
    trusting = Gate().trusting(f"{server.base_url}/api")

    reply = fetch(trusting, f"{server.base_url}/api")
    with pytest.raises(ProviderRefused):
        fetch(trusting, f"http://127.0.0.1:{canary.port}/")

    assert reply.body == b"yes"
    assert canary.saw_nobody()


@pytest.mark.parametrize("entry", ["localhost", "http://localhost:1", "localhost:x", ":80", ""])
def test_wrong_allowance_names_the_setting(entry: str) -> None:
    with pytest.raises(SettingsError, match="FETCH_ALLOW_PRIVATE_HOSTS"):
        Gate([entry])


@pytest.mark.parametrize(
    "url",
    [
        "http://i.ibb.co/a.png",
        "https://i.ibb.co:8443/a.png",
        "https://ibb.co/a.png",
        "https://i.ibb.co.evil.example/a.png",
        "https://evil.example/i.ibb.co/a.png",
        "https://i.ibb.co./a.png",
        "https://169.254.169.254/",
        "file:///etc/passwd",
    ],
)
def test_url_off_the_allowed_hosts_is_refused(url: str) -> None:
    with pytest.raises(ProviderRefused):
        Gate().check(url, provider="tested", allowed_hosts={"i.ibb.co"})


def test_url_on_the_allowed_host_passes() -> None:
    Gate().check("https://i.ibb.co/a.png?x=1", provider="tested", allowed_hosts={"i.ibb.co"})


def test_redirect_is_followed_and_drops_the_headers(server: Server, script: Script, gate: Gate) -> None:
    script.replies["/a"] = Reply(302, headers={"Location": "/b", "Set-Cookie": "id=1"})
    script.replies["/b"] = Reply(body=b"there")

    reply = fetch(gate, f"{server.base_url}/a", headers={"Authorization": "Bearer secret"})

    first, second = server.requests
    assert (reply.body, reply.url) == (b"there", f"{server.base_url}/b")
    assert first.headers["authorization"] == "Bearer secret"
    assert {"authorization", "cookie"}.isdisjoint(second.headers)


def test_redirect_to_a_private_address_is_refused_without_a_connection(
    server: Server, script: Script, gate: Gate, canary: Canary
) -> None:
    script.replies["/a"] = Reply(302, headers={"Location": f"http://127.0.0.1:{canary.port}/"})

    with pytest.raises(ProviderRefused):
        fetch(gate, f"{server.base_url}/a")

    assert canary.saw_nobody()


@pytest.mark.parametrize("location", ["file:///etc/passwd", "javascript:1", "http://[::1", "http://a\\@b/"])
def test_redirect_to_something_else_than_a_web_address_is_refused(
    location: str, server: Server, script: Script, gate: Gate
) -> None:
    script.replies["/a"] = Reply(302, headers={"Location": location})

    with pytest.raises(ProviderRefused):
        fetch(gate, f"{server.base_url}/a")


def test_redirects_in_circles_end(server: Server, script: Script, gate: Gate) -> None:
    script.replies["/a"] = Reply(302, headers={"Location": "/a"})

    with pytest.raises(ProviderUnavailable, match="circles"):
        fetch(gate, f"{server.base_url}/a")

    assert len(server.requests) == 6


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_of_a_request_with_a_body_is_an_error(status: int, server: Server, script: Script, gate: Gate) -> None:
    script.replies["/a"] = Reply(status, headers={"Location": "/b"})

    with pytest.raises(ProviderUnavailable, match="redirect"):
        gate.send(
            "POST",
            f"{server.base_url}/a",
            provider="tested",
            max_bytes=10,
            deadline_seconds=PATIENCE_SECONDS,
            form={"key": "secret"},
        )

    assert [request.path for request in server.requests] == ["/a"]


@pytest.mark.parametrize("manner", ["drip", "drip_headers", "hang"])
def test_deadline_ends_a_reply_that_never_does(manner: Any, server: Server, script: Script, gate: Gate) -> None:
    script.replies["/a"] = Reply(body=b"x" * 900, manner=manner)
    started = time.monotonic()

    with pytest.raises(ProviderUnavailable, match="in time"):
        fetch(gate, f"{server.base_url}/a", deadline_seconds=SHORT_SECONDS)

    assert time.monotonic() - started < PATIENCE_SECONDS


def test_deadline_ends_an_endless_body_without_a_length() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        line, _ = listener.accept()
        with line:
            line.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
            while not stop.wait(0.1):
                try:
                    line.sendall(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    netloc = f"127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(ProviderUnavailable, match="in time"):
        fetch(Gate([netloc]), f"http://{netloc}/", deadline_seconds=SHORT_SECONDS)
    stop.set()
    thread.join()
    listener.close()


def test_deadline_ends_a_silent_tls_handshake() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        netloc = f"127.0.0.1:{listener.getsockname()[1]}"

        with pytest.raises(ProviderUnavailable, match="in time"):
            fetch(Gate([netloc]), f"https://{netloc}/", deadline_seconds=0.3)


def test_deadline_ends_a_silent_name_server() -> None:
    release = threading.Event()

    def resolve(_host: str, _port: int) -> list[AddressInfo]:
        release.wait()
        return []

    with pytest.raises(ProviderUnavailable, match="in time"):
        fetch(Gate(resolve=resolve), "http://pictures.example/", deadline_seconds=0.3)
    release.set()


def test_unknown_name_is_unavailable() -> None:
    def resolve(_host: str, _port: int) -> list[AddressInfo]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(ProviderUnavailable, match="gaierror"):
        fetch(Gate(resolve=resolve), "http://pictures.example/")


def test_body_over_the_cap_is_refused(server: Server, script: Script, gate: Gate) -> None:
    script.replies["/a"] = Reply(body=b"x" * 1001)

    with pytest.raises(ProviderRefused) as caught:
        fetch(gate, f"{server.base_url}/a")

    assert caught.value.reason == "too_large"


def test_body_of_exactly_the_cap_is_kept(server: Server, script: Script, gate: Gate) -> None:
    script.replies["/a"] = Reply(body=b"x" * 1000)

    assert len(fetch(gate, f"{server.base_url}/a").body) == 1000


def test_body_is_capped_after_decompression(server: Server, script: Script, gate: Gate) -> None:
    script.replies["/a"] = Reply(body=gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"})

    with pytest.raises(ProviderRefused) as caught:
        fetch(gate, f"{server.base_url}/a", max_bytes=100_000)

    assert caught.value.reason == "too_large"
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("manner", ["reset", "cut"])
def test_broken_reply_is_unavailable(manner: Any, server: Server, script: Script, gate: Gate) -> None:
    script.replies["/a"] = Reply(body=b"x" * 900, manner=manner)

    with pytest.raises(ProviderUnavailable):
        fetch(gate, f"{server.base_url}/a")


def test_closed_port_is_unavailable_and_the_text_keeps_the_path_secret(canary: Canary) -> None:
    netloc = f"127.0.0.1:{canary.port}"
    canary.close()

    with pytest.raises(ProviderUnavailable) as caught:
        fetch(Gate([netloc]), f"http://{netloc}/delete/top-secret")

    assert "top-secret" not in f"{caught.value} {caught.value.__cause__}"


def test_proxy_and_netrc_of_the_environment_are_ignored(
    server: Server, script: Script, gate: Gate, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    script.replies["/a"] = Reply(body=b"direct")

    reply = fetch(gate, f"{server.base_url}/a")

    assert reply.body == b"direct"
    assert canary.saw_nobody()


def test_form_and_files_arrive_as_sent(server: Server, script: Script, gate: Gate) -> None:
    script.replies["/a"] = Reply(201, b"kept")

    reply = gate.send(
        "POST",
        f"{server.base_url}/a",
        provider="tested",
        max_bytes=10,
        deadline_seconds=PATIENCE_SECONDS,
        form={"key": "k"},
        files={"image": ("a.png", b"\x00\xff", "image/png")},
    )

    fields, parts = server.requests[0].form()
    assert (reply.status, reply.body) == (201, b"kept")
    assert fields == {"key": "k"}
    assert (parts[0].filename, parts[0].data, parts[0].content_type) == ("a.png", b"\x00\xff", "image/png")
