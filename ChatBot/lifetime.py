"""How a server process ends: on its signal or with its parent, open streams first, and never by hanging.

The web server below waits for every answer that is still being sent, and a stream of events never ends by itself. So
the same signal is heard here too, by a thread, which ends the streams; what then still hangs is cut off.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from multiprocessing.connection import wait

import structlog

log = structlog.get_logger(__name__)

GRACE_SECONDS = 5.0
"""How long answers may still be sent after the streams have ended; a download that takes longer is resumed later."""
LONGEST_SECONDS = 15.0
"""How long ending may take altogether: without its parent a process may have lost its database too, and each part that
ends would wait for it. Whatever is cut off is as safe as after a kill."""


def end_in_order(
    wind_down: Callable[[], None], close: Callable[[], None], *, longest_seconds: float = LONGEST_SECONDS
) -> None:
    """Call ``wind_down`` as soon as this process is asked to end or has lost its parent, and ``close`` if it lingers.

    After ``longest_seconds`` the process ends, whatever hangs.

    Call it in the main thread of a process that ``multiprocessing`` started, before anybody sets signal handlers.
    """
    wake_up, signalled = socket.socketpair()
    signalled.setblocking(False)
    signal.set_wakeup_fd(signalled.fileno(), warn_on_full_buffer=False)
    threading.Thread(
        # The far end of the pair must live as long as the process, hence it is handed over too.
        target=_watch,
        args=(wake_up, signalled, wind_down, close, longest_seconds),
        name="lifetime",
        daemon=True,
    ).start()


def _watch(
    wake_up: socket.socket,
    _signalled: socket.socket,
    wind_down: Callable[[], None],
    close: Callable[[], None],
    longest_seconds: float,
) -> None:
    parent = multiprocessing.parent_process()
    orphaned = [parent.sentinel] if parent else []
    if wake_up not in wait([wake_up, *orphaned]):
        log.warning("server.orphaned")
        _ask_to_end()
    threading.Thread(target=_cut_off, args=(longest_seconds,), name="last resort", daemon=True).start()
    wind_down()
    # Everything ends with the main thread, this daemon too; it goes on only when that one waits for a slow client.
    threading.Event().wait(GRACE_SECONDS)
    log.info("server.cut_off", waited_seconds=GRACE_SECONDS)
    close()
    os._exit(0)


def _cut_off(seconds: float) -> None:
    threading.Event().wait(seconds)
    log.warning("server.killed_itself", waited_seconds=seconds)
    os._exit(1)


def _ask_to_end() -> None:
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGTERM)
    else:
        os.kill(os.getpid(), signal.SIGTERM)
