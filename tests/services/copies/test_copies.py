"""The life of a cloud copy: every state is reached by its own arrow only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ChatBot.errors import ProviderError, ProviderRefused, ProviderUnavailable
from ChatBot.hosts.base import Receipt
from ChatBot.models import Copy, now
from ChatBot.services.copies.copies import (
    LONGEST_RETRY_SECONDS,
    READ_BACK_ATTEMPTS,
    after_failure,
    after_read,
    after_unread,
    after_upload,
    backoff_seconds,
)
from tests.services.workshop import make_image, picture, re_encoded

AT = now()
OWNER = "0" * 32
LEASED = Copy(host="first", state="leased", lease_owner=OWNER, lease_until=AT, next_at=AT, attempts=3, error="once")
RECEIPT = Receipt("first", "https://first.invalid/a", "https://first.invalid/a/delete", "https://first.invalid/a/page")
UPLOADED = after_upload(LEASED, RECEIPT, OWNER, AT)
REFUSAL = ProviderRefused("too large", provider="first", reason="too_large")


def unavailable(seconds: float | None = None) -> ProviderUnavailable:
    return ProviderUnavailable("busy", provider="first", retry_after_seconds=seconds)


def test_an_upload_records_url_and_delete_url_together_and_is_no_proof() -> None:
    assert (UPLOADED.state, UPLOADED.url, UPLOADED.delete_url) == ("uploaded", RECEIPT.url, RECEIPT.delete_url)
    assert UPLOADED.page_url == RECEIPT.page_url
    assert (UPLOADED.verified_at, UPLOADED.fidelity) == (None, None)
    assert (UPLOADED.attempts, UPLOADED.error, UPLOADED.uploaded_at) == (0, None, AT)


def test_an_upload_whose_reader_dies_is_read_by_another_later() -> None:
    assert UPLOADED.next_at is not None
    assert UPLOADED.next_at > AT


def test_a_refusal_is_never_tried_again() -> None:
    refused = after_failure(LEASED, REFUSAL, AT)

    assert (refused.state, refused.next_at, refused.error) == ("refused", None, "too large")
    assert (refused.lease_owner, refused.lease_until) == (None, None)


def test_a_failure_is_tried_again_at_a_later_time() -> None:
    failed = after_failure(LEASED, unavailable(), AT)

    assert (failed.state, failed.attempts, failed.error) == ("retry", 4, "busy")
    assert failed.next_at is not None
    assert failed.next_at > AT
    assert (failed.lease_owner, failed.lease_until) == (None, None)


def test_a_host_that_names_a_wait_is_left_alone_for_that_long() -> None:
    failed = after_failure(LEASED, unavailable(3600), AT)

    assert failed.next_at == AT + timedelta(seconds=3600)


def test_a_shorter_named_wait_does_not_shorten_the_back_off() -> None:
    failed = after_failure(LEASED.model_copy(update={"attempts": 9}), unavailable(1), AT)

    assert failed.next_at is not None
    assert failed.next_at >= AT + timedelta(seconds=256)


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=100_000))
def test_the_back_off_doubles_within_its_jitter_and_ends_at_its_limit(attempts: int) -> None:
    centre = LONGEST_RETRY_SECONDS if attempts > 10 else min(LONGEST_RETRY_SECONDS, 2.0 ** (attempts - 1))

    wait = backoff_seconds(attempts)

    assert centre * 0.75 <= wait <= centre * 1.25


def test_the_same_bytes_are_an_exact_copy() -> None:
    proved = after_read(UPLOADED, make_image(), picture(), AT)

    assert (proved.state, proved.fidelity, proved.verified_at) == ("verified", "exact", AT)
    assert (proved.lease_owner, proved.next_at, proved.url) == (None, None, RECEIPT.url)


def test_the_same_picture_as_other_bytes_is_a_transcoded_copy() -> None:
    proved = after_read(UPLOADED, make_image(), re_encoded(picture()), AT)

    assert (proved.state, proved.fidelity) == ("verified", "transcoded")


@pytest.mark.parametrize(
    "data", [b"", b"<html>", picture(1, 48, 64), picture()[:-30], re_encoded(picture())[:400]], ids=range(5)
)
def test_anything_else_makes_a_copy_suspect_and_keeps_its_reference(data: bytes) -> None:
    suspect = after_read(UPLOADED, make_image(), data, AT)

    assert (suspect.state, suspect.fidelity, suspect.verified_at) == ("suspect", None, None)
    assert (suspect.url, suspect.delete_url) == (RECEIPT.url, RECEIPT.delete_url)
    assert suspect.error


def test_a_copy_that_cannot_be_read_yet_stays_uploaded_and_is_read_again() -> None:
    unread = after_unread(UPLOADED, "404", AT)

    assert (unread.state, unread.attempts, unread.error) == ("uploaded", 1, "404")
    assert unread.next_at is not None
    assert AT < unread.next_at < AT + timedelta(seconds=2)


def test_a_copy_that_can_never_be_read_becomes_suspect_and_keeps_its_reference() -> None:
    copy = UPLOADED
    seen = []

    for _ in range(READ_BACK_ATTEMPTS):
        copy = after_unread(copy, "404", AT)
        seen.append(copy.state)

    assert seen == ["uploaded"] * (READ_BACK_ATTEMPTS - 1) + ["suspect"]
    assert (copy.url, copy.delete_url) == (RECEIPT.url, RECEIPT.delete_url)
    assert copy.next_at is not None
    assert copy.next_at > AT + timedelta(minutes=30)


failures = st.sampled_from([REFUSAL, unavailable(), unavailable(5)])
readings = st.sampled_from([picture(), re_encoded(picture()), b"<html>", None])


@settings(deadline=None)
@given(st.lists(failures, max_size=3), st.lists(readings, max_size=10))
def test_only_reading_the_picture_back_makes_a_copy_verified(
    failed: list[ProviderError], read: list[bytes | None]
) -> None:
    copy = LEASED
    for failure in failed:
        copy = after_failure(copy, failure, AT)
        assert copy.state in ("retry", "refused")
    copy = after_upload(copy, RECEIPT, OWNER, AT)

    for data in read:
        copy = after_unread(copy, "404", AT) if data is None else after_read(copy, make_image(), data, AT)

        assert (copy.state == "verified") is (data is not None and data != b"<html>")
        assert copy.url == RECEIPT.url
        if copy.state == "verified":
            break
