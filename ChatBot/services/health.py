"""What operators want to know: can it work now, and how much is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ChatBot.assistants.base import Assistant
from ChatBot.db.images import Images
from ChatBot.db.messages import Messages
from ChatBot.db.users import Users
from ChatBot.errors import ChatBotError
from ChatBot.generators.base import Generator
from ChatBot.hosts.chain import HostChain
from ChatBot.jobs.base import Jobs
from ChatBot.media.files import FileStore
from ChatBot.models import UNSETTLED_COPY_STATES

LOW_DISK_BYTES = 200_000_000
"""Below this a server is not ready: a few hundred pictures would fill it."""


class Health:
    """Checks the parts and counts what is stored."""

    def __init__(
        self,
        messages: Messages,
        images: Images,
        files: FileStore,
        chain: HostChain,
        generator: Generator,
        assistant: Assistant,
        users: Users,
        ping: Callable[[], float],
        check_volume: Callable[[], object],
        jobs: Jobs,
    ) -> None:
        self._messages = messages
        self._images = images
        self._files = files
        self._chain = chain
        self._generator = generator
        self._assistant = assistant
        self._users = users
        self._ping = ping
        self._check_volume = check_volume
        self._jobs = jobs

    def readiness(self) -> dict[str, Any]:
        """Return ``ready`` and each part; only the database and the disk decide, the others can recover alone."""
        database = _checked(self._ping)
        disk = _checked(self._check_disk)
        if database["ok"] and disk["ok"]:
            disk = _checked(self._check_volume)
        report = {
            "ready": database["ok"] and disk["ok"],
            "database": database,
            "disk": disk,
            "generator": {"name": self._generator.name, **_checked(self._generator.check)},
            "assistant": {"name": self._assistant.name, **_checked(self._assistant.check)},
            "hosts": [host.name for host in self._chain.hosts],
            "queue": self.queue(),
        }
        if database["ok"]:
            report["outbox"] = self.outbox_depth()
        return report

    def queue(self) -> dict[str, Any]:
        """Return what keeps the queue of background work, whether it answers, and how many jobs wait there."""
        waiting: list[int] = []
        state = _checked(lambda: waiting.append(self._jobs.depth()))
        return {"kind": self._jobs.kind, **state, "waiting": waiting[0] if waiting else None}

    def outbox_depth(self) -> int:
        """Return how many copies are still owed."""
        return sum(row["count"] for row in self._images.copies_by_state() if row["state"] in UNSETTLED_COPY_STATES)

    def stats(self) -> dict[str, Any]:
        """Return totals and the copies by host and state."""
        totals = {"users": self._users.count(), **self._messages.totals(), "free_bytes": self._files.free_bytes()}
        return {"totals": totals, "copies": self._images.copies_by_state()}

    def _check_disk(self) -> None:
        free = self._files.free_bytes()
        if free < LOW_DISK_BYTES:
            raise ChatBotError(f"Only {free // 1_000_000} MB are free where pictures are stored.")


def _checked(check: Callable[[], object]) -> dict[str, Any]:
    try:
        check()
    except ChatBotError as error:
        return {"ok": False, "reason": str(error)}
    return {"ok": True}
