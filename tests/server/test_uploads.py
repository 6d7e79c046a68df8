"""Uploads as real clients send them: too large, in chunks, and asking first."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator

import pytest

from tests.fixtures.server import Person, ServerProcess
from tests.server.test_slow_clients import cookie_of

pytestmark = pytest.mark.server

MEGABYTE = b"x" * 1_000_000
BOUNDARY = "a-boundary"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="big.png"\r\n'
    "Content-Type: image/png\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


def pieces(megabytes: int) -> Iterator[bytes]:
    """Yield a multipart body with a file of that size."""
    yield HEAD
    for _ in range(megabytes):
        yield MEGABYTE
    yield TAIL


def post(person: Person, server: ServerProcess, megabytes: int, *, chunked: bool) -> tuple[int, str, str]:
    """Send an upload over a connection of its own; return the status, the type and the text of the answer."""
    length = len(HEAD) + megabytes * len(MEGABYTE) + len(TAIL)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Cookie": cookie_of(person).decode(),
        "X-CSRF-Token": str(person.headers["X-CSRF-Token"]),
        **({} if chunked else {"Content-Length": str(length)}),
    }
    try:
        connection.request("POST", "/api/uploads", pieces(megabytes), headers, encode_chunked=chunked)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("megabytes", [60, 90])
def test_an_upload_over_the_limit_is_refused_with_a_reason(
    server: ServerProcess, person: Person, megabytes: int, chunked: bool
) -> None:
    status, kind, text = post(person, server, megabytes, chunked=chunked)

    assert (status, kind) == (413, "application/problem+json")
    assert "MAX_UPLOAD_MB" in text
    assert person.get("/api/images").json()["items"] == []
    assert not any((server.folder / "Storage" / "uploads").glob("*.png"))


def test_a_client_that_asks_first_is_told_to_go_on(server: ServerProcess, person: Person) -> None:
    body = b'{"content": "hello"}'
    conversation = person.post("/api/conversations", json={}).json()["id"]
    head = (
        f"POST /api/conversation/{conversation}/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Cookie: {cookie_of(person).decode()}\r\nX-CSRF-Token: {person.headers['X-CSRF-Token']!s}\r\n\r\n"
    )

    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(head.encode())
        go_on = client.recv(4096)
        client.sendall(body)
        answer = client.recv(4096)

    assert go_on.startswith(b"HTTP/1.1 100")
    assert answer.startswith(b"HTTP/1.1 202")
