"""Says in this application's errors what the ``openai`` client raised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import openai

from ChatBot.errors import ProviderError, ProviderRefused, ProviderUnavailable, RefusalReason
from ChatBot.sentence import Sentence

MAX_DETAIL_CHARACTERS = 300
"""Text of a server's own message that is passed on; whole HTML pages come as messages too."""

RETRYABLE_STATUSES = frozenset({408, 409, 425, 429})
USED_UP_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


def translate(error: openai.OpenAIError, *, provider: str) -> ProviderError:
    """Return the error that says what to do about ``error``: refused for good, or unavailable for now."""
    if isinstance(error, openai.APIStatusError):
        return _translate_status(error, provider)
    if isinstance(error, openai.APITimeoutError):
        return ProviderUnavailable(Sentence("The chat model did not answer in time."), provider=provider)
    if isinstance(error, openai.APIConnectionError):
        text = Sentence("The chat model cannot be reached; is OPENAI_BASE_URL right?")
        return ProviderUnavailable(text, provider=provider)
    if isinstance(error, openai.ContentFilterFinishReasonError):
        text = Sentence("The chat model's content filter refused this.")
        return ProviderRefused(text, provider=provider, reason="moderation")
    text = Sentence("The chat model's answer broke off: %(said)s", said=detail(error))
    return ProviderUnavailable(text, provider=provider)


def detail(error: openai.OpenAIError) -> str:
    """Return the server's own words, cut short; Gemini wraps them in a JSON list, others in an object or nothing."""
    body = _inner(getattr(error, "body", None))
    message = body.get("message") if isinstance(body, Mapping) else None
    text = message if isinstance(message, str) and message else str(error)
    return " ".join(text.split())[:MAX_DETAIL_CHARACTERS]


def _inner(body: Any) -> Any:
    if isinstance(body, list) and body:
        body = body[0]
    if isinstance(body, Mapping) and "error" in body:
        return {"message": body["error"]} if isinstance(body["error"], str) else body["error"]
    return body


def _translate_status(error: openai.APIStatusError, provider: str) -> ProviderError:
    status, words = error.status_code, detail(error)
    reason: RefusalReason
    match status:
        case 401 | 403:
            text, reason = Sentence("The chat model does not accept OPENAI_API_KEY: %(said)s", said=words), "auth"
        case 402:
            text, reason = Sentence("The chat model's account is used up: %(said)s", said=words), "quota"
        case 429 if error.code in USED_UP_CODES:
            text, reason = Sentence("The chat model's account is used up: %(said)s", said=words), "quota"
        case 413:
            text = Sentence("The conversation is too large for the chat model: %(said)s", said=words)
            reason = "too_large"
        case _ if 400 <= status < 500 and status not in RETRYABLE_STATUSES:
            text, reason = Sentence("The chat model refused the request: %(said)s", said=words), "input"
        case _:
            text = Sentence("The chat model cannot answer now: %(said)s", said=f"{status} {words}")
            return ProviderUnavailable(text, provider=provider, retry_after_seconds=_retry_after(error))
    return ProviderRefused(text, provider=provider, reason=reason)


def _retry_after(error: openai.APIStatusError) -> float | None:
    value = error.response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else None
