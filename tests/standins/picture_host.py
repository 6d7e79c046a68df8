"""What the stand-ins for picture hosts share: the store behind the URLs, and the faults that can be asked for."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import Any, Literal

from tests.standins.server import Manner, Reply, Request, Service

Fault = Literal[
    "ok",
    "status",
    "rate_limit",
    "bad_key",
    "reset",
    "hang",
    "drip",
    "drip_headers",
    "cut",
    "html",
    "truncated",
    "success_false",
    "no_url",
    "other_picture",
    "reencoded",
    "bad_url",
    "lost_reply",
    "redirect",
]
"""What goes wrong with an upload; ``ok`` is nothing. ``reencoded`` and ``other_picture`` show when it is read back."""

DELIVERIES: dict[str, Manner] = {
    "reset": "reset",
    "hang": "hang",
    "drip": "drip",
    "drip_headers": "drip_headers",
    "cut": "cut",
    "lost_reply": "reset",
}
STORING = frozenset({"ok", "other_picture", "reencoded", "lost_reply", "drip", "drip_headers", "cut", "bad_url"})
"""Faults after which the host has the picture all the same."""

OTHER_PICTURE = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa75\x81\x84\x00\x00\x00\x00IEND\xaeB`\x82"
)
HTML = Reply(200, b"<!DOCTYPE html><html><body>Checking your browser</body></html>", "text/html; charset=utf-8")


@dataclass
class Stored:
    """One uploaded picture: the bytes as they arrived, and the keys under which it can be seen and removed."""

    data: bytes
    mime_type: str
    picture_id: str
    removal_id: str
    removal_hash: str
    name: str
    fields: dict[str, str]
    gets: int = 0
    deleted: bool = False
    changed: bytes | None = None
    """What the host gives out in place of ``data``, once it has changed it."""

    @property
    def shown(self) -> bytes:
        """What the host gives out."""
        return self.data if self.changed is None else self.changed


class PictureHost(Service):
    """A host that stores what it gets, serves it under its own URLs, and misbehaves as told.

    Set ``fault`` (and ``status``, ``retry_after``, ``returned_url`` that some faults use), ``deletion_ignored``,
    ``lag`` (the first so many GETs of every picture answer 404) or ``serving`` (a status for every GET of a picture).
    """

    upload_path: str
    removal_hash_bytes = 16
    """Length of the secret half of the removal key; its hexadecimal text is twice as long."""

    def __init__(self) -> None:
        self.fault: Fault = "ok"
        self.status = 503
        """Status of the fault ``status``."""
        self.retry_after = ""
        """Value of the Retry-After header of a failure, empty for none."""
        self.returned_url = "http://169.254.169.254/latest/meta-data/"
        """Where the fault ``bad_url`` says the picture is."""
        self.redirect_to = "http://127.0.0.1:9/"
        self.deletion_ignored = False
        self.lag = 0
        self.serving = 200
        self.uploads = 0
        """Upload requests that arrived, whatever became of them."""
        self.stored: list[Stored] = []
        self._lock = threading.Lock()

    def state(self) -> dict[str, Any]:
        """Return the settings and the counters; never the bytes."""
        return {
            "name": self.name,
            "fault": self.fault,
            "status": self.status,
            "uploads": self.uploads,
            "stored": len(self.stored),
            "live": len(self.live),
            "lag": self.lag,
            "serving": self.serving,
            "deletion_ignored": self.deletion_ignored,
        }

    @property
    def live(self) -> list[Stored]:
        """The pictures that were uploaded and not deleted."""
        return [one for one in self.stored if not one.deleted]

    def accept(self, data: bytes, mime_type: str, name: str, fields: dict[str, str]) -> Reply:
        """Take one upload and answer as ``fault`` says."""
        fault = self.fault
        with self._lock:
            self.uploads += 1
            stored = Stored(data, mime_type, _code(), _code(), secrets.token_hex(self.removal_hash_bytes), name, fields)
            if fault in STORING:
                self.stored.append(stored)
        return self._answer(fault, stored)

    def _answer(self, fault: Fault, stored: Stored) -> Reply:
        if fault in DELIVERIES:
            return self.success(stored).delivered(DELIVERIES[fault])
        if fault == "redirect":
            return Reply(307, headers={"Location": self.redirect_to})
        if fault == "html":
            return HTML
        if fault in ("status", "rate_limit", "bad_key", "success_false"):
            return self.failure(fault)
        answer = self.success(stored, returned_url=self._returned(fault))
        if fault == "truncated" and isinstance(answer.body, bytes):
            return Reply(200, answer.body[: len(answer.body) // 2], answer.content_type)
        return answer

    def _returned(self, fault: Fault) -> str | None:
        return {"bad_url": self.returned_url, "no_url": ""}.get(fault)

    def success(self, stored: Stored, returned_url: str | None = None) -> Reply:
        """Return the host's own success; ``returned_url`` replaces the picture's URL, empty leaves it out."""
        raise NotImplementedError

    def failure(self, fault: Fault) -> Reply:
        """Return the host's own words for a failure."""
        raise NotImplementedError

    def retry_headers(self) -> dict[str, str]:
        """Return the Retry-After header, if one is set."""
        return {"Retry-After": self.retry_after} if self.retry_after else {}

    def picture_path(self, stored: Stored) -> str:
        """Return the path of a picture on this server."""
        return f"/{self.name}/i/{stored.picture_id}/{stored.name}"

    def serve_picture(self, request: Request) -> Reply:
        """Answer a GET of a picture's URL."""
        found = [one for one in self.stored if self.picture_path(one) == request.path]
        if self.serving != 200:
            return Reply(self.serving, b"", headers=self.retry_headers())
        if not found or found[0].deleted:
            return Reply(404, b"<html>not found</html>", "text/html")
        found[0].gets += 1
        if found[0].gets <= self.lag:
            return Reply(404, b"<html>not yet</html>", "text/html")
        return self._bytes_of(found[0])

    def _bytes_of(self, stored: Stored) -> Reply:
        if self.fault == "other_picture":
            return Reply(200, OTHER_PICTURE, "image/png")
        if self.fault == "reencoded":
            return Reply(200, stored.shown + b"\x00", stored.mime_type)
        return Reply(200, stored.shown, stored.mime_type)

    def remove(self, removal_id: str, removal_hash: str) -> bool:
        """Delete the picture that both keys belong to; False when there is none."""
        for one in self.live:
            if (one.removal_id, one.removal_hash) == (removal_id, removal_hash):
                one.deleted = not self.deletion_ignored
                return True
        return False


def _code() -> str:
    return secrets.token_hex(4)
