"""Connections kept for the next call to the same place: each stays pinned to the address that was vetted for it.

Making a connection costs two round trips, or four with TLS. A lane is used by one call at a time and only by calls
without a body, which can be sent again when the other side has closed it meanwhile.
"""

from __future__ import annotations

import socket
import threading
import time
import weakref
from collections import defaultdict
from collections.abc import Mapping

from urllib3.response import BaseHTTPResponse

from ChatBot.outbound.dialling import Deadline, Dialler, make_connection
from ChatBot.outbound.targets import Target

IDLE_SECONDS = 10.0
"""Longest rest of a lane; after that the name is looked up and vetted again."""
IDLE_LANES = 64
"""Lanes that rest for one place; more at once than any service here fetches in parallel."""

Place = tuple[str, str, int, bool]
"""Scheme, host, port, and whether addresses there have to be public."""


class Lane:
    """One connection at most, and the exchanges over it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.used = False
        """Whether a call has been answered over it."""
        self.rested_at = 0.0
        scheme, host, port, _ = place
        self._connection = make_connection(scheme, host, port, self._dial)
        self._dialler: Dialler | None = None
        self._lines: list[socket.socket] = []
        weakref.finalize(self, _close_all, self._lines)

    def begin(self, dialler: Dialler, deadline: Deadline) -> None:
        """Let the call that ``deadline`` bounds use the lane; raises ``TimeoutError`` when it has passed."""
        self._dialler = dialler
        for line in self._lines:
            deadline.watch(line)

    def get(self, path: str, headers: Mapping[str, str], *, timeout_seconds: float) -> BaseHTTPResponse:
        """Ask for ``path`` and return the answer, whose body is not read yet.

        ``timeout_seconds`` bounds each wait for the other side. Raises what sockets, ``ssl``, ``http.client`` and
        urllib3 raise.
        """
        connection = self._connection
        connection.timeout = timeout_seconds
        if not connection.is_connected:  # new, closed by the other side, or it said something without being asked
            connection.close()
            connection.connect()
        connection.request("GET", path, headers=headers, preload_content=False)
        return connection.getresponse()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
        _close_all(self._lines)

    def _dial(self, host: str, port: int) -> socket.socket:
        if self._dialler is None:
            raise OSError("nobody uses this connection")
        _close_all(self._lines)
        line = self._dialler.dial(host, port)
        self._lines.append(line.dup())
        return line


class Lanes:
    """The lanes that rest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._resting: defaultdict[Place, list[Lane]] = defaultdict(list)

    def take(self, target: Target, *, vetted: bool) -> Lane:
        """Return a lane to the target that nobody else uses: the one that rested last, or a new one."""
        place = (target.scheme, target.host, target.port, vetted)
        oldest = time.monotonic() - IDLE_SECONDS
        stale: list[Lane] = []
        with self._lock:
            resting = self._resting[place]
            while resting and resting[0].rested_at < oldest:
                stale.append(resting.pop(0))
            lane = resting.pop() if resting else Lane(place)
        for each in stale:
            each.close()
        return lane

    def give_back(self, lane: Lane) -> None:
        """Let a lane rest whose call was answered completely."""
        lane.used, lane.rested_at = True, time.monotonic()
        with self._lock:
            resting = self._resting[lane.place]
            if len(resting) < IDLE_LANES:
                resting.append(lane)
                return
        lane.close()

    def close(self) -> None:
        """End every connection that rests."""
        with self._lock:
            lanes = [lane for resting in self._resting.values() for lane in resting]
            self._resting.clear()
        for lane in lanes:
            lane.close()


def _close_all(lines: list[socket.socket]) -> None:
    while lines:
        lines.pop().close()
