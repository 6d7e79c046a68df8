"""What a reply means for the caller: the one table from HTTP status to "never again" or "later"."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ChatBot.errors import ProviderRefused, ProviderUnavailable, RefusalReason

TRANSIENT_STATUSES = frozenset({408, 425, 429})
"""4xx answers that ask for patience: request timeout, too early, too many requests (RFC 9110, 8470, 6585)."""

REFUSALS: Mapping[int, RefusalReason] = {401: "auth", 403: "auth", 413: "too_large", 415: "type"}
"""4xx answers that say why; every other one is about the input."""

LONGEST_WAIT_SECONDS = 24 * 3600.0
"""A host cannot make us wait longer than a day by its Retry-After."""


def retry_after_seconds(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the wait that ``Retry-After`` asks for, in seconds or as an HTTP date; None without a usable one."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_WAIT_SECONDS)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    wait = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(wait, 0.0), LONGEST_WAIT_SECONDS)


def raise_for_status(status: int, headers: Mapping[str, str], *, provider: str, detail: str = "") -> None:
    """Return for 2xx; raise ``ProviderUnavailable`` or ``ProviderRefused`` for everything else.

    ``detail`` is the provider's own sentence, if it sent one; keys of ``headers`` are in lower case.
    """
    if 200 <= status < 300:
        return
    said = f"{provider} answered {status}" + (f": {detail[:200]}" if detail else "")
    if 400 <= status < 500 and status not in TRANSIENT_STATUSES:
        raise ProviderRefused(said, provider=provider, reason=REFUSALS.get(status, "input"))
    raise ProviderUnavailable(said, provider=provider, retry_after_seconds=retry_after_seconds(headers))


def malformed(what: str, *, provider: str) -> ProviderUnavailable:
    """Return the error for a reply that says success but does not hold what a success holds."""
    return ProviderUnavailable(f"{provider} answered, but {what}", provider=provider)
