"""The connection that an answer comes over: hung up from another thread, whatever the model does meanwhile."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import httpx2

from ChatBot.cancelling import CancelCheck
from ChatBot.errors import ChatBotError

LOOK_SECONDS = 0.2
"""How late a stop is noticed; a model may be silent for minutes while somebody waits for it to stop."""


class Line:
    """One connection; ``hang_up`` works before it stands, while nothing comes, and in the middle of an answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._hung_up = False
        self.stopped = False
        """Whether it was hung up because the answer was not wanted any more."""

    def noticed(self, event: str, facts: Mapping[str, Any]) -> None:
        """Take the connection as soon as it stands (``trace`` of httpcore2 tells)."""
        if event not in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            return
        with self._lock:
            self._socket = facts["return_value"].get_extra_info("socket")
            if self._hung_up:
                self._cut()

    def hang_up(self, *, stopped: bool = False) -> None:
        """End the connection now; reading from it fails."""
        with self._lock:
            self._hung_up = True
            self.stopped = self.stopped or stopped
            self._cut()

    def _cut(self) -> None:
        if self._socket is None:
            return
        with suppress(OSError):  # the other side was faster
            # Closed with a reset: a sender whose window is full would not notice anything else for a minute.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._socket.shutdown(socket.SHUT_RDWR)


_current: ContextVar[Line | None] = ContextVar("line", default=None)


def lines_own(request: httpx2.Request) -> None:
    """Let the line that the request is made on notice its connection; a hook of httpx2.

    Connections must not be kept for later: one that is used again is not noticed.
    """
    line = _current.get()
    if line is not None:
        request.extensions = {**request.extensions, "trace": line.noticed}


@contextmanager
def on(line: Line) -> Iterator[None]:
    """Make the requests of the block on this line."""
    token = _current.set(line)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def hung_up_when(line: Line, cancelled: CancelCheck, seconds: float) -> Iterator[None]:
    """Hang up when the answer is not wanted any more, or takes longer than ``seconds``.

    Comments that keep a line alive reset every idle limit, so only this ends an answer that never does.
    """
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(line, cancelled, seconds, ended), daemon=True)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()


def _watch(line: Line, cancelled: CancelCheck, seconds: float, ended: threading.Event) -> None:
    end = time.monotonic() + seconds
    while not ended.wait(min(LOOK_SECONDS, max(0.0, end - time.monotonic()))):
        if _is(cancelled):
            line.hang_up(stopped=True)
            return
        if time.monotonic() >= end:
            line.hang_up()
            return


def _is(cancelled: CancelCheck) -> bool:
    try:
        return cancelled()
    except ChatBotError:  # the database that is asked is away; who reads the answer will meet it
        return False
