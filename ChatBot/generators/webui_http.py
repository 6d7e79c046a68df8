"""The HTTP calls to a Stable Diffusion WebUI: bounded in time and bytes, its errors told in ours."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from ChatBot.errors import ProviderError, ProviderRefused, ProviderUnavailable
from ChatBot.outbound import Fetched, Gate, retry_after_seconds
from ChatBot.sentence import Sentence

MAX_ANSWER_BYTES = 256_000_000
"""Four 2048 x 2048 pictures as incompressible PNG in base64 are 70 MB; the rest is room for extensions."""
MAX_DETAIL_CHARACTERS = 300
RETRYABLE_STATUSES = frozenset({408, 425, 429})


class WebUI:
    """A WebUI server. Every call raises ``ProviderRefused`` or ``ProviderUnavailable``, nothing else.

    Every call takes the seconds after which it must have ended, however slowly the server drips. ``gate`` must let
    ``base_url`` through.
    """

    def __init__(self, base_url: str, *, gate: Gate, credentials: tuple[str, str] | None, provider: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._gate = gate
        self._headers = {} if credentials is None else {"Authorization": _basic(*credentials)}
        self._provider = provider

    def txt2img(self, payload: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Draw, and return the whole answer; blocks for the server's queue and the drawing."""
        return self._object(self._post("/sdapi/v1/txt2img", payload, seconds))

    def progress(self, seconds: float) -> dict[str, Any]:
        """Return the state of whichever job the server works on now."""
        reply = self._gate.get(
            f"{self._base_url}/sdapi/v1/progress?skip_current_image=true",
            provider=self._provider,
            max_bytes=MAX_ANSWER_BYTES,
            deadline_seconds=seconds,
            headers=self._headers,
        )
        self._raise_for_status(reply)
        return self._object(reply)

    def interrupt(self, seconds: float) -> None:
        """Stop whichever job the server works on now."""
        self._post("/sdapi/v1/interrupt", {}, seconds)

    def _post(self, path: str, payload: dict[str, Any], seconds: float) -> Fetched:
        reply = self._gate.send(
            "POST",
            self._base_url + path,
            json=payload,
            provider=self._provider,
            max_bytes=MAX_ANSWER_BYTES,
            deadline_seconds=max(seconds, 0.001),
            headers=self._headers,
        )
        self._raise_for_status(reply)
        return reply

    def _object(self, reply: Fetched) -> dict[str, Any]:
        value = _parse(reply.body)
        if not isinstance(value, dict):
            raise self._unavailable(Sentence("What answered is no Stable Diffusion WebUI; is SD_WEBUI_URL right?"))
        return value

    def _raise_for_status(self, reply: Fetched) -> None:
        if reply.status != 200:
            raise self._failure(reply, _words(_parse(reply.body)))

    def _failure(self, reply: Fetched, words: str) -> ProviderError:
        status = reply.status
        if status in {401, 403}:
            text = Sentence("The Stable Diffusion server wants a user and password: put them into SD_WEBUI_URL.")
            return ProviderRefused(text, provider=self._provider, reason="auth")
        if status == 404 and words in {"", "Not Found"}:
            return self._unavailable(Sentence("The Stable Diffusion server has no API; start it with --api."))
        if "OutOfMemory" in words:
            return self._unavailable(
                Sentence("The Stable Diffusion server ran out of graphics memory; ask for a smaller size.")
            )
        if status == 413:
            text = Sentence("The request is too large for the Stable Diffusion server.")
            return ProviderRefused(text, provider=self._provider, reason="too_large")
        if "Invalid encoded image" in words or (400 <= status < 500 and status not in RETRYABLE_STATUSES):
            said = words or str(status)
            text = Sentence("The Stable Diffusion server does not accept the request: %(said)s", said=said)
            return ProviderRefused(text, provider=self._provider, reason="input")
        said = f"{status} {words}".rstrip()
        text = Sentence("The Stable Diffusion server cannot draw now: %(said)s", said=said)
        return self._unavailable(text, retry_after_seconds(reply.headers))

    def _unavailable(self, text: str, seconds: float | None = None) -> ProviderUnavailable:
        return ProviderUnavailable(text, provider=self._provider, retry_after_seconds=seconds)


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def _parse(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _words(value: object) -> str:
    """Return the server's own words: ``{"error", "detail", "errors"}``, or FastAPI's list of what is wrong."""
    if not isinstance(value, Mapping):
        return ""
    parts = [value.get("error"), _detail(value.get("detail")), value.get("errors")]
    words = ": ".join(dict.fromkeys(part for part in parts if isinstance(part, str) and part))
    return " ".join(words.split())[:MAX_DETAIL_CHARACTERS]


def _detail(detail: object) -> object:
    if not isinstance(detail, list):
        return detail
    items = [item for item in detail if isinstance(item, Mapping)]
    return "; ".join(f"{'.'.join(map(str, item.get('loc') or ()))}: {item.get('msg')}" for item in items)
