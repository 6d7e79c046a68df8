"""Connections that are kept: what is used again, what never is, and what still bounds a call."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ChatBot.errors import ProviderUnavailable
from ChatBot.outbound import Gate
from ChatBot.outbound.dialling import AddressInfo
from ChatBot.outbound.lanes import IDLE_LANES, Lane, Lanes
from ChatBot.outbound.targets import parse_target

PATIENCE_SECONDS = 60.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = Callable[[socket.socket, int], bool]
"""Answers one request on a connection, given the connection's number; False closes the connection."""


class KeepingServer:
    """Keeps connections open, and counts them and the requests on each."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer = answer or self._ok
        self.requests: list[int] = []
        """The number of the connection that each request came over."""
        self.lines: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.netloc = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @staticmethod
    def _ok(line: socket.socket, _number: int) -> bool:
        line.sendall(OK)
        return True

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.lines.append(line)
            thread = threading.Thread(target=self._talk, args=(line, len(self.lines)), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _talk(self, line: socket.socket, number: int) -> None:
        with line:
            received = b""
            while True:
                try:
                    piece = line.recv(65536)
                    if not piece:
                        return
                    received += piece
                    if b"\r\n\r\n" in received:
                        received = b""
                        self.requests.append(number)
                        if not self.answer(line, number):
                            return
                except OSError:
                    return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()  # from here on no further line is accepted
        for line in self.lines:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[..., KeepingServer]]:
    opened: list[KeepingServer] = []

    def make(answer: Answer | None = None) -> KeepingServer:
        opened.append(KeepingServer(answer))
        return opened[-1]

    yield make
    for server in opened:
        server.close()


def fetch(gate: Gate, server: KeepingServer, **options: Any) -> bytes:
    wanted = {"provider": "tested", "max_bytes": 100, "deadline_seconds": PATIENCE_SECONDS, **options}
    return gate.get(f"http://{server.netloc}/", **wanted).body


def test_second_call_uses_the_connection_of_the_first(serve: Callable[..., KeepingServer]) -> None:
    server = serve()
    gate = Gate([server.netloc])

    bodies = [fetch(gate, server) for _ in range(3)]
    gate.close()

    assert (bodies, server.requests) == ([b"ok"] * 3, [1, 1, 1])


def test_connection_that_the_server_closed_meanwhile_costs_no_error(serve: Callable[..., KeepingServer]) -> None:
    def answer(line: socket.socket, _number: int) -> bool:
        line.sendall(OK)
        return False

    server = serve(answer)
    gate = Gate([server.netloc])

    bodies = [fetch(gate, server) for _ in range(3)]
    gate.close()

    assert (bodies, len(server.lines)) == ([b"ok"] * 3, 3)


def test_kept_connection_that_breaks_at_the_request_is_tried_once_more(serve: Callable[..., KeepingServer]) -> None:
    def answer(line: socket.socket, number: int) -> bool:
        if number == 1 and server.requests.count(1) == 2:
            return False  # it took the second request and hung up
        line.sendall(OK)
        return True

    server = serve(answer)
    gate = Gate([server.netloc])

    bodies = [fetch(gate, server) for _ in range(2)]
    gate.close()

    assert (bodies, server.requests) == ([b"ok"] * 2, [1, 1, 2])


def test_new_connection_that_breaks_is_not_tried_again(serve: Callable[..., KeepingServer]) -> None:
    server = serve(lambda _line, _number: False)

    with pytest.raises(ProviderUnavailable):
        fetch(Gate([server.netloc]), server)

    assert server.requests == [1]


def test_deadline_ends_a_call_over_a_kept_connection(serve: Callable[..., KeepingServer]) -> None:
    def answer(line: socket.socket, _number: int) -> bool:
        if len(server.requests) == 1:
            line.sendall(OK)
        return True  # afterwards it is silent

    server = serve(answer)
    gate = Gate([server.netloc])
    fetch(gate, server)

    with pytest.raises(ProviderUnavailable, match="in time"):
        fetch(gate, server, deadline_seconds=0.3)

    assert server.requests == [1, 1]


def test_answer_that_came_unasked_is_never_taken_for_the_next_one(serve: Callable[..., KeepingServer]) -> None:
    sent = threading.Event()

    def answer(line: socket.socket, number: int) -> bool:
        line.sendall(OK)
        if number == 1:
            line.sendall(OK.replace(b"ok", b"no"))
            sent.set()
        return True

    server = serve(answer)
    gate = Gate([server.netloc])

    first = fetch(gate, server)
    assert sent.wait(PATIENCE_SECONDS)
    second = fetch(gate, server)
    gate.close()

    assert (first, second) == (b"ok", b"ok")


def test_reply_over_the_cap_ends_its_connection(serve: Callable[..., KeepingServer]) -> None:
    server = serve()
    gate = Gate([server.netloc])

    with pytest.raises(Exception, match="more than 1 bytes"):
        fetch(gate, server, max_bytes=1)
    body = fetch(gate, server)
    gate.close()

    assert (body, server.requests) == (b"ok", [1, 2])


def test_request_with_a_body_never_uses_a_kept_connection(serve: Callable[..., KeepingServer]) -> None:
    server = serve()
    gate = Gate([server.netloc])
    fetch(gate, server)

    gate.send(
        "POST",
        f"http://{server.netloc}/",
        provider="tested",
        max_bytes=100,
        deadline_seconds=PATIENCE_SECONDS,
        form={"a": "b"},
    )
    gate.close()

    assert server.requests == [1, 2]


def test_connection_of_an_allowed_place_is_not_used_where_the_address_must_be_public(
    serve: Callable[..., KeepingServer],
) -> None:
    server = serve()
    gate = Gate()
    trusting = gate.trusting(f"http://{server.netloc}/")
    fetch(trusting, server)

    with pytest.raises(Exception, match="tested"):
        fetch(gate, server)
    gate.close()

    assert server.requests == [1]


def test_name_is_not_resolved_again_while_its_connection_is_kept(serve: Callable[..., KeepingServer]) -> None:
    server = serve()
    asked: list[str] = []
    port = int(server.netloc.partition(":")[2])

    def resolve(host: str, port: int) -> list[AddressInfo]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    gate = Gate([f"pictures.example:{port}"], resolve=resolve)
    for _ in range(2):
        gate.get(f"http://pictures.example:{port}/", provider="tested", max_bytes=9, deadline_seconds=PATIENCE_SECONDS)
    gate.close()

    assert (asked, server.requests) == (["pictures.example"], [1, 1])


def test_no_more_lanes_rest_than_allowed() -> None:
    lanes = Lanes()
    target = parse_target("https://pictures.example/")
    taken = [lanes.take(target, vetted=True) for _ in range(IDLE_LANES + 1)]

    for lane in taken:
        lanes.give_back(lane)

    again = [lanes.take(target, vetted=True) for _ in range(IDLE_LANES + 1)]
    assert [lane.used for lane in again] == [True] * IDLE_LANES + [False]


def test_lane_that_rested_too_long_is_not_taken() -> None:
    lanes = Lanes()
    target = parse_target("https://pictures.example/")
    lane = lanes.take(target, vetted=True)
    lanes.give_back(lane)
    lane.rested_at -= 3600

    assert lanes.take(target, vetted=True) is not lane


def test_lane_that_nobody_uses_dials_nowhere() -> None:
    with pytest.raises(OSError, match="nobody"):
        Lane(("http", "pictures.example", 80, True))._dial("pictures.example", 80)
