"""A cloud host that lives in this process: for tests, and for trying the application without any account."""

from __future__ import annotations

import threading

from ChatBot.errors import BytesMissing, ProviderRefused
from ChatBot.hosts.base import CloudHost, DeletionProof, HostTraits, Receipt, Upload
from ChatBot.models import new_id

BASE_URL = "https://memory.invalid/"
"""A name that RFC 2606 promises never to resolve."""


class MemoryHost(CloudHost):
    """Keeps copies in a dictionary; they are gone when the process ends."""

    name = "memory"
    traits = HostTraits(max_bytes=32_000_000, public=False, deletable=True, may_recompress=False, trusted=False)

    def __init__(self) -> None:
        self._pictures: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def _upload(self, upload: Upload) -> Receipt:
        if len(upload.data) > self.traits.max_bytes:
            raise ProviderRefused("memory is full with that", provider=self.name, reason="too_large")
        url = f"{BASE_URL}{new_id()}.{upload.extension}"
        with self._lock:
            self._pictures[url] = upload.data
        return Receipt(host=self.name, url=url, delete_url=f"{BASE_URL}delete/{new_id()}")

    def _fetch(self, url: str) -> bytes:
        with self._lock:
            if url not in self._pictures:
                raise BytesMissing("memory no longer has the picture")
            return self._pictures[url]

    def _delete(self, receipt: Receipt) -> DeletionProof:
        with self._lock:
            self._pictures.pop(receipt.url, None)
        return "confirmed"

    def _owns(self, url: str) -> bool:
        return url.startswith(BASE_URL)
