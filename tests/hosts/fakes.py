"""A host that fails as told, for the tests of what stands around hosts."""

from __future__ import annotations

import threading

from ChatBot.errors import ChatBotError
from ChatBot.hosts.base import DeletionProof, Receipt, Upload
from ChatBot.hosts.memory import MemoryHost


class FailingHost(MemoryHost):
    """A memory host that raises ``error`` while it is set, and counts what reaches it."""

    def __init__(self, name: str = "memory", error: ChatBotError | None = None) -> None:
        super().__init__()
        self.name = name
        self.error = error
        self.calls = 0
        self.running = 0
        self.most_running = 0
        self.gate = threading.Event()
        self.gate.set()
        self._counting = threading.Lock()

    def _upload(self, upload: Upload) -> Receipt:
        with self._counting:
            self.calls += 1
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        try:
            self.gate.wait(10)
            self._fail_if_told()
            return super()._upload(upload)
        finally:
            with self._counting:
                self.running -= 1

    def _fetch(self, url: str) -> bytes:
        self.calls += 1
        self._fail_if_told()
        return super()._fetch(url)

    def _delete(self, receipt: Receipt) -> DeletionProof:
        self.calls += 1
        self._fail_if_told()
        return super()._delete(receipt)

    def _fail_if_told(self) -> None:
        if self.error is not None:
            raise self.error
