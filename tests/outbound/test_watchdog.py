"""Alarms: which ring, in which order, and which never do."""

from __future__ import annotations

import threading

from ChatBot.outbound.watchdog import Watchdog

PATIENCE_SECONDS = 60.0


def test_alarms_ring_in_the_order_of_their_time() -> None:
    rung: list[str] = []
    done = threading.Event()
    watchdog = Watchdog()

    watchdog.set(0.2, lambda: (rung.append("late"), done.set())[0])
    watchdog.set(0.05, lambda: rung.append("early"))

    assert done.wait(PATIENCE_SECONDS)
    assert rung == ["early", "late"]


def test_cancelled_alarm_is_silent() -> None:
    rung: list[str] = []
    done = threading.Event()
    watchdog = Watchdog()

    watchdog.set(0.05, lambda: rung.append("cancelled")).cancel()
    watchdog.set(0.1, done.set)

    assert done.wait(PATIENCE_SECONDS)
    assert rung == []
