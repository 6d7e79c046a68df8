"""The gate over TLS: which certificate it takes and which name it asks for."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ChatBot.errors import ProviderUnavailable
from ChatBot.outbound import Gate
from ChatBot.outbound.dialling import AddressInfo

SELF_SIGNED = Path(__file__).with_name("self_signed.pem")
"""A throw-away key with its certificate for ``pictures.example``; no authority vouches for it."""


class TlsServer:
    """Takes one connection and remembers the name that the client asked for and what it then sent."""

    def __init__(self) -> None:
        self.names: list[str | None] = []
        self.received = b""
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(SELF_SIGNED)
        self._context.sni_callback = lambda _line, name, _context: self.names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        line, _ = self._listener.accept()
        with line:
            try:
                with self._context.wrap_socket(line, server_side=True) as secure:
                    self.received = secure.recv(1000)
            except OSError:
                return

    def close(self) -> None:
        self._thread.join()
        self._listener.close()


@pytest.fixture
def server() -> Iterator[TlsServer]:
    running = TlsServer()
    yield running
    running.close()


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")  # the server's half of a failed handshake
def test_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(server: TlsServer) -> None:
    def resolve(_host: str, port: int) -> list[AddressInfo]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    gate = Gate([f"pictures.example:{server.port}"], resolve=resolve)

    with pytest.raises(ProviderUnavailable, match="certificate"):
        gate.get(f"https://pictures.example:{server.port}/", provider="tested", max_bytes=10, deadline_seconds=10)
    server.close()

    assert server.names == ["pictures.example"]
    assert server.received == b""
