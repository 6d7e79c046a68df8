"""ImgBB (api.imgbb.com, version 1): multipart in, JSON out, deletion through the site's own form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ChatBot.errors import ProviderRefused, ProviderUnavailable, RefusalReason
from ChatBot.hosts.base import DeletionProof, HostTraits, Receipt, Upload
from ChatBot.hosts.web import DEADLINES, REPLY_BYTES, Deadlines, WebHost
from ChatBot.models import new_id
from ChatBot.outbound import Fetched, Gate, malformed, raise_for_status

RATE_LIMIT_SECONDS = 3600.0
"""Pause after "Rate limit reached."; the limit is per key and its window is not published."""

_DELETE_URL = re.compile(r"https://ibb\.co(?:\.com)?/(?P<id>[A-Za-z0-9]+)/(?P<hash>[0-9a-f]{32})")

_REFUSALS: tuple[tuple[str, RefusalReason], ...] = (
    ("api v1 key", "auth"),
    ("api key", "auth"),
    ("too big", "too_large"),
    ("too large", "too_large"),
    ("inappropriate", "moderation"),
    ("invalid image", "type"),
    ("content type", "type"),
    ("extension", "type"),
)
"""Words of ``error.message`` and what they mean; the code says nothing: 100 is a bad key and a rate limit alike."""


class ImgbbHost(WebHost):
    """Public pictures on i.ibb.co. The size limit is the one its API page gives, in decimal megabytes."""

    name = "imgbb"
    traits = HostTraits(
        max_bytes=32_000_000,
        public=True,
        deletable=True,
        may_recompress=False,
        trusted=True,
        picture_origins=("https://i.ibb.co",),
    )
    picture_hosts = frozenset({"i.ibb.co"})
    page_hosts = frozenset({"ibb.co", "ibb.co.com"})

    def __init__(
        self, *, api_url: str, delete_api_url: str, api_key: str, gate: Gate, deadlines: Deadlines = DEADLINES
    ) -> None:
        super().__init__(api_url=api_url, api_key=api_key, gate=gate, deadlines=deadlines)
        self._delete_api_url = delete_api_url
        self._delete_gate = gate.trusting(delete_api_url)

    def _upload(self, upload: Upload) -> Receipt:
        self._require_sendable(upload)
        filename = f"{new_id()}.{upload.extension}"  # never the user's: the name becomes part of a public URL
        reply = self._api_gate.send(
            "POST",
            self._api_url,
            provider=self.name,
            max_bytes=REPLY_BYTES,
            deadline_seconds=self._deadlines.upload_seconds,
            form={"key": self._api_key},
            files={"image": (filename, upload.data, upload.mime_type)},
        )
        answer = _json_object(reply)
        self._raise_for_error(reply, answer)
        return self._receipt(answer)

    def _raise_for_error(self, reply: Fetched, answer: Mapping[str, Any]) -> None:
        message = _message(answer)
        if "rate limit" in message.lower():
            raise ProviderUnavailable(
                f"{self.name}: {message}", provider=self.name, retry_after_seconds=RATE_LIMIT_SECONDS
            )
        for words, reason in _REFUSALS:
            if words in message.lower() and reply.status < 500:
                raise ProviderRefused(f"{self.name}: {message}", provider=self.name, reason=reason)
        raise_for_status(reply.status, reply.headers, provider=self.name, detail=message)
        if answer.get("success") is not True:
            raise malformed("without saying that it worked", provider=self.name)

    def _receipt(self, answer: Mapping[str, Any]) -> Receipt:
        data = answer.get("data")
        if not isinstance(data, dict):
            raise malformed("without any data", provider=self.name)
        delete_url = str(data.get("delete_url"))
        return Receipt(
            host=self.name,
            url=self._require_own(data.get("url")),
            delete_url=delete_url if _DELETE_URL.fullmatch(delete_url) else None,
            page_url=self._own_page(data.get("url_viewer")),
        )

    def _delete(self, receipt: Receipt) -> DeletionProof:
        parts = _DELETE_URL.fullmatch(receipt.delete_url or "")
        if parts is None:
            return "manual"
        accepted = self._post_deletion(parts["id"], parts["hash"])
        if self._is_gone(receipt.url):
            return "confirmed"
        return "pending" if accepted else "manual"

    def _post_deletion(self, picture_id: str, secret: str) -> bool:
        """Send what the button on the removal page sends; a GET of that page deletes nothing."""
        reply = self._delete_gate.send(
            "POST",
            self._delete_api_url,
            provider=self.name,
            max_bytes=REPLY_BYTES,
            deadline_seconds=self._deadlines.fetch_seconds,
            form={
                "pathname": f"/{picture_id}/{secret}",
                "action": "delete",
                "delete": "image",
                "from": "resource",
                "deleting[id]": picture_id,
                "deleting[hash]": secret,
            },
        )
        try:
            raise_for_status(reply.status, reply.headers, provider=self.name)
        except ProviderRefused:
            return False
        return _json_object(reply).get("status_code") in (200, "200")


def _json_object(reply: Fetched) -> Mapping[str, Any]:
    """Return the JSON object in ``reply``; an empty one for anything else, which then fails as malformed."""
    try:
        answer = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _message(answer: Mapping[str, Any]) -> str:
    error = answer.get("error")
    return str(error.get("message", "")) if isinstance(error, dict) else str(error or "")
