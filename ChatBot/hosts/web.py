"""What the hosts that are reached over the web share: reading a picture back and proving that it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ChatBot.errors import BytesMissing, ProviderError, ProviderRefused
from ChatBot.hosts.base import CloudHost, Upload
from ChatBot.models import new_id
from ChatBot.outbound import Fetched, Gate, malformed, raise_for_status


@dataclass(frozen=True)
class Deadlines:
    """The seconds that each call to a host may take in all, however slowly its bytes come."""

    upload_seconds: float = 45.0
    """25 MB at 5 Mbit/s take 40 s, a usual picture of 500 KB less than one."""
    fetch_seconds: float = 30.0
    """Of a read-back or of one step of a deletion."""


DEADLINES = Deadlines()

REPLY_BYTES = 256 * 1024
"""Cap on API replies and removal pages; real ones have a few kilobytes."""

GONE_STATUSES = frozenset({404, 410})


class WebHost(CloudHost):
    """A host whose pictures are plain URLs on its own names, ``picture_hosts``, and its pages on ``page_hosts``.

    ``api_url`` may be private, since the operator typed it; what the host answers with is never trusted and goes
    through ``gate``. Without ``api_key`` uploads are refused, reading and deleting still work.
    """

    picture_hosts: ClassVar[frozenset[str]]
    page_hosts: ClassVar[frozenset[str]]

    def __init__(self, *, api_url: str, api_key: str, gate: Gate, deadlines: Deadlines = DEADLINES) -> None:
        self._api_url = api_url
        self._api_key = api_key
        self._gate = gate
        self._api_gate = gate.trusting(api_url)
        self._deadlines = deadlines

    def _require_sendable(self, upload: Upload) -> None:
        if not self._api_key:
            raise ProviderRefused(f"{self.name} has no API key", provider=self.name, reason="auth")
        if len(upload.data) > self.traits.max_bytes:
            raise ProviderRefused(
                f"{self.name} takes at most {self.traits.max_bytes} bytes", provider=self.name, reason="too_large"
            )

    def _owns(self, url: str) -> bool:
        try:
            self._gate.check(url, provider=self.name, allowed_hosts=self.picture_hosts)
        except ProviderRefused:
            return False
        return True

    def _require_own(self, url: object) -> str:
        """Return ``url`` if this host may have given it out; a foreign one is a broken reply, not a refusal."""
        if not isinstance(url, str) or not self._owns(url):
            raise malformed("not with a picture URL of its own", provider=self.name)
        return url

    def _own_page(self, url: object) -> str | None:
        """Return ``url`` if it is a page of the site; a picture without its page is still a success."""
        if not isinstance(url, str):
            return None
        try:
            self._gate.check(url, provider=self.name, allowed_hosts=self.page_hosts)
        except ProviderRefused:
            return None
        return url

    def _fetch(self, url: str) -> bytes:
        reply = self._get(url)
        if reply.status in GONE_STATUSES:
            raise BytesMissing(f"{self.name} no longer has the picture")
        raise_for_status(reply.status, reply.headers, provider=self.name)
        if _is_page(reply):
            raise BytesMissing(f"{self.name} sent a page instead of the picture")
        return reply.body

    def _get(self, url: str) -> Fetched:
        return self._gate.get(
            url,
            provider=self.name,
            max_bytes=self.traits.max_bytes,
            deadline_seconds=self._deadlines.fetch_seconds,
            allowed_hosts=self.picture_hosts,
        )

    def _is_gone(self, url: str) -> bool:
        """Say whether a GET that no cache can answer finds nothing; False when the host does not say."""
        separator = "&" if "?" in url else "?"
        try:
            return self._get(f"{url}{separator}fresh={new_id()}").status in GONE_STATUSES
        except ProviderError:
            return False


def _is_page(reply: Fetched) -> bool:
    kind = reply.headers.get("content-type", "")
    return not reply.body or kind.startswith("text/") or reply.body.lstrip()[:1] == b"<"
