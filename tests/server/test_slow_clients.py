"""Fifty clients that do next to nothing for a long time do not keep anybody else waiting."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.fixtures.server import Person, ServerProcess

pytestmark = pytest.mark.server

CLIENTS = 50
PROMPT_SECONDS = 20
"""Far below what any of the slow clients would take; generous for a busy machine."""
DRIP_SECONDS = 0.5

HALF_LINE = b"GET /heal"
HALF_HEADERS = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "
HALF_BODY = (
    b"POST /api/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 5000\r\n\r\n{"
)


@contextmanager
def connections(server: ServerProcess, opening: bytes) -> Iterator[list[socket.socket]]:
    """Open the slow connections and send each one's beginning."""
    with ExitStack() as stack:
        opened = []
        for _ in range(CLIENTS):
            # A window this small lets the server push only a little of an answer that nobody reads.
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            client.sendall(opening)
            opened.append(client)
        yield opened


@contextmanager
def dripping(clients: list[socket.socket]) -> Iterator[None]:
    """Send one more byte on every connection each half second."""
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(DRIP_SECONDS):
            for client in clients:
                try:
                    client.send(b" ")
                except OSError:
                    continue  # the server may cut a client this slow off

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def is_served(person: Person) -> bool:
    """Return whether a page, a new picture and its bytes come while the others dawdle."""
    made = person.draw()
    picture = person.get(f"/i/{made['images'][0]['id']}", timeout=PROMPT_SECONDS)
    page = person.get("/login", timeout=PROMPT_SECONDS)
    return picture.ok and len(picture.content) == made["images"][0]["size"] and page.ok


def cookie_of(person: Person) -> bytes:
    """Return the header that lets a bare socket speak for a person."""
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.cookies).encode()


@pytest.mark.parametrize("opening", [HALF_LINE, HALF_HEADERS, HALF_BODY], ids=["line", "headers", "body"])
def test_half_a_request_holds_nobody_up(server: ServerProcess, person: Person, opening: bytes) -> None:
    with connections(server, opening) as clients, dripping(clients):
        assert is_served(person)


@pytest.fixture
def big_path(person: Person) -> str:
    """A picture that is larger than what the kernel buffers for one connection."""
    image = person.draw(width=1600, height=1600)["images"][0]
    assert image["size"] > 100_000
    return f"/i/{image['id']}"


def request_for(person: Person, path: str) -> bytes:
    return b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: %s\r\n\r\n" % (path.encode(), cookie_of(person))


def test_answers_that_are_read_slowly_hold_nobody_up(server: ServerProcess, person: Person, big_path: str) -> None:
    with connections(server, request_for(person, big_path)) as clients:
        for client in clients:
            assert client.recv(1) == b"H"
        assert is_served(person)


def test_event_streams_that_nobody_reads_hold_nobody_up(server: ServerProcess, person: Person) -> None:
    conversation = person.post("/api/conversations", json={}).json()["id"]
    opening = request_for(person, f"/api/conversation/{conversation}/events")

    with connections(server, opening) as clients:
        for client in clients:
            assert client.recv(1) == b"H"
        assert is_served(person)


def test_a_client_that_never_finishes_its_headers_is_cut_off(server: ServerProcess) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(HALF_HEADERS)

        while received := client.recv(4096):
            assert received.startswith(b"HTTP/1.1 408")


def test_slow_clients_do_not_keep_the_server_from_ending(make_server: Callable[..., ServerProcess]) -> None:
    running = make_server().start()

    with connections(running, HALF_HEADERS), connections(running, HALF_BODY):
        assert running.terminate() == 0

    assert running.gone(), running.left_over()
    assert '"event": "server.ended"' in running.stderr
