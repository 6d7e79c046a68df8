"""What an HTTP status means for the caller."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ChatBot.errors import ProviderRefused, ProviderUnavailable
from ChatBot.outbound import raise_for_status, retry_after_seconds

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_success_passes(status: int) -> None:
    raise_for_status(status, {}, provider="host")


@pytest.mark.parametrize("status", [302, 408, 425, 429, 500, 502, 503, 504, 599])
def test_passing_trouble_is_for_later(status: int) -> None:
    with pytest.raises(ProviderUnavailable):
        raise_for_status(status, {}, provider="host")


@pytest.mark.parametrize(
    ("status", "reason"),
    [(400, "input"), (401, "auth"), (403, "auth"), (404, "input"), (413, "too_large"), (415, "type"), (422, "input")],
)
def test_refusal_carries_its_reason(status: int, reason: str) -> None:
    with pytest.raises(ProviderRefused) as caught:
        raise_for_status(status, {}, provider="host", detail="because")

    assert (caught.value.reason, str(caught.value)) == (reason, f"host answered {status}: because")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Thu, 01 Jan 2026 12:01:30 GMT", 90.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("999999999", 86400.0),
        ("soon", None),
        ("-5", None),
        ("\u0663", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_seconds({"retry-after": value}, NOON) == seconds


def test_unavailable_carries_the_wait_that_was_asked_for() -> None:
    with pytest.raises(ProviderUnavailable) as caught:
        raise_for_status(429, {"retry-after": "12"}, provider="host")

    assert caught.value.retry_after_seconds == 12.0
