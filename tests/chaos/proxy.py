"""A TCP proxy before MongoDB that loses replies: the server did the work, and the client never hears of it."""

from __future__ import annotations

import random
import socket
import threading
from contextlib import suppress
from types import TracebackType

CHUNK_BYTES = 65_536


class LossyProxy:
    """Passes connections on to a unix socket; ``loss`` is the share of replies that are swallowed, line and all."""

    def __init__(self, target: str, seed: int = 1) -> None:
        self.loss = 0.0
        self.lost = 0
        """Replies that were swallowed so far."""
        self._target = target
        self._random = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()

    def __enter__(self) -> LossyProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._listener.close()
        for end in list(self._open):
            self._cut(end)

    @property
    def uri(self) -> str:
        """The address of MongoDB through this proxy; ``directConnection`` keeps the client from going around it."""
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._open |= {client, server}
            try:
                server.connect(self._target)
            except OSError:
                self._cut(client)
                self._cut(server)
                continue
            threading.Thread(target=self._pass_on, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(server, client, True), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, replies: bool) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if replies and self._random.random() < self.loss:
                    self.lost += 1
                    break
                target.sendall(data)
        self._cut(source)
        self._cut(target)

    def _cut(self, end: socket.socket) -> None:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
        self._open.discard(end)
