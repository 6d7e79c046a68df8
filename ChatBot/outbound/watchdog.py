"""One thread that calls back at fixed moments: a timer thread for every call would cost more than the call."""

from __future__ import annotations

import heapq
import os
import threading
import time
from collections.abc import Callable
from itertools import count


class Alarm:
    """A call that is due at a moment, unless it is cancelled before."""

    def __init__(self, due: float, ring: Callable[[], None]) -> None:
        self.due = due
        self.ring: Callable[[], None] | None = ring

    def cancel(self) -> None:
        """Let it never ring; it forgets whom it would have called."""
        self.ring = None


class Watchdog:
    """Rings alarms in a thread of its own, which begins with the first of them."""

    def __init__(self) -> None:
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        """Begin anew: a forked process has the memory of the thread but not the thread."""
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._numbers = count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def set(self, seconds: float, ring: Callable[[], None]) -> Alarm:
        """Return an alarm that calls ``ring``, which must be quick, in so many seconds."""
        alarm = Alarm(time.monotonic() + seconds, ring)
        with self._changed:
            heapq.heappush(self._alarms, (alarm.due, next(self._numbers), alarm))
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                self._thread.start()
            if self._alarms[0][2] is alarm:
                self._changed.notify()
        return alarm

    def _watch(self) -> None:
        while True:
            with self._changed:
                while self._alarms and self._alarms[0][2].ring is None:
                    heapq.heappop(self._alarms)
                wait = self._alarms[0][0] - time.monotonic() if self._alarms else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                _, _, alarm = heapq.heappop(self._alarms)
            ring = alarm.ring
            if ring is not None:
                ring()


WATCHDOG = Watchdog()
