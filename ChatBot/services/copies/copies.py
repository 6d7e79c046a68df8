"""The life of one cloud copy, as pure functions from what is recorded and what just happened to the next record.

::

    leased ── uploaded ── verified          our own GET returned the recorded bytes (or the picture, re-encoded)
      │           └────── suspect           something else is behind the URL; the reference is kept
      ├────── retry ───── leased ...        the host failed for now; the next attempt has a time
      └────── refused                       the host will never take this picture

    verified ── suspect                     a later look found something else; the reference is kept
    suspect ── verified                     a still later one found the picture again
    any ── deleting ── gone                 a GET proved it; ``delete_manual`` when only a person can

An administrator can have a failed copy tried again: ``retry`` and ``refused`` are sent anew, ``suspect`` is read anew.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from hashlib import sha256

from ChatBot.errors import ChatBotError, ProviderError, ProviderRefused, ProviderUnavailable
from ChatBot.hosts.base import DeletionProof, Receipt
from ChatBot.media.decoding import IN_PROCESS, Decoder
from ChatBot.models import Copy, Image, new_id

LEASE_SECONDS = 300.0
"""Longer than the sum of the hosts' total deadlines, so that no lease runs out under a living worker."""
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 900.0
FIRST_CHECK_SECONDS = 3600.0
LONGEST_CHECK_SECONDS = 24 * 3600.0
UNANSWERED_CHECKS = 4
"""So often in a row a verified copy may be asked for without an answer, over seven hours, before it is suspect."""
READ_BACK_ATTEMPTS = 8
"""A content network may answer 404 for a while after an upload; after this many reads a copy becomes suspect."""


def after_upload(copy: Copy, receipt: Receipt, owner: str, at: datetime) -> Copy:
    """Return the copy after a host said it has the picture: not proof, so it is read back next."""
    return copy.model_copy(
        update={
            "state": "uploaded",
            "url": receipt.url,
            "delete_url": receipt.delete_url,
            "page_url": receipt.page_url,
            "uploaded_at": at,
            "attempts": 0,
            "error": None,
            "lease_owner": owner,
            "lease_until": None,
            "next_at": at + timedelta(seconds=LEASE_SECONDS),
        }
    )


def after_failure(copy: Copy, failure: ProviderError, at: datetime) -> Copy:
    """Return the copy after a failed upload: refused for good, or with the time of the next attempt."""
    attempts = copy.attempts + 1
    common = {"attempts": attempts, "error": str(failure), "lease_owner": None, "lease_until": None}
    if isinstance(failure, ProviderRefused):
        return copy.model_copy(update={**common, "state": "refused", "next_at": None})
    wait = backoff_seconds(attempts)
    if isinstance(failure, ProviderUnavailable) and failure.retry_after_seconds:
        wait = max(wait, failure.retry_after_seconds)
    return copy.model_copy(update={**common, "state": "retry", "next_at": at + timedelta(seconds=wait)})


def after_read(copy: Copy, image: Image, data: bytes, at: datetime, decoder: Decoder = IN_PROCESS) -> Copy:
    """Return the copy after its URL gave ``data``: verified when that is the picture, suspect when it is not.

    ``decoder`` looks at bytes that are not the stored ones.
    """
    settled = {"lease_owner": None, "lease_until": None, "next_at": None, "error": None}
    if sha256(data).hexdigest() == image.sha256:
        return copy.model_copy(update={**settled, "state": "verified", "fidelity": "exact", "verified_at": at})
    if _same_picture_re_encoded(data, image, decoder):
        return copy.model_copy(update={**settled, "state": "verified", "fidelity": "transcoded", "verified_at": at})
    return doubted(copy, "The URL returned other bytes than were sent.", at)


def after_unread(copy: Copy, error: str, at: datetime) -> Copy:
    """Return the copy after its URL could not be read: read again later, suspect after too many tries."""
    attempts = copy.attempts + 1
    common = {"attempts": attempts, "error": error, "lease_owner": None, "lease_until": None}
    if attempts >= READ_BACK_ATTEMPTS:
        return doubted(copy, error, at)
    return copy.model_copy(update={**common, "next_at": at + timedelta(seconds=backoff_seconds(attempts))})


def after_check(copy: Copy, image: Image, data: bytes, at: datetime, decoder: Decoder = IN_PROCESS) -> Copy:
    """Return a copy that was verified or suspect after its URL gave ``data``; what was exact must be exact again."""
    seen = after_read(copy, image, data, at, decoder)
    if copy.fidelity == "exact" and seen.fidelity != "exact":
        return doubted(copy, "The URL returned the picture re-encoded.", at)
    return seen if seen.state == "suspect" else seen.model_copy(update={"attempts": 0})


def doubted(copy: Copy, reason: str, at: datetime) -> Copy:
    """Return the copy after its URL did not give the picture: suspect, its reference kept, to be looked at again."""
    attempts = copy.attempts + 1 if copy.state == "suspect" else 1
    waiting = {"attempts": attempts, "next_at": at + timedelta(seconds=_check_wait_seconds(attempts))}
    settled = {"error": reason, "lease_owner": None, "lease_until": None}
    return copy.model_copy(update={**waiting, **settled, "state": "suspect"})


def after_no_answer(copy: Copy, error: str, at: datetime) -> Copy:
    """Return a copy that was verified or suspect after its host did not answer: that says little about the copy."""
    attempts = copy.attempts + 1
    state = "suspect" if attempts >= UNANSWERED_CHECKS else copy.state
    waiting = {"attempts": attempts, "next_at": at + timedelta(seconds=_check_wait_seconds(attempts))}
    settled = {"error": error if state == "suspect" else None, "lease_owner": None, "lease_until": None}
    return copy.model_copy(update={**waiting, **settled, "state": state})


def asked_again(copy: Copy, at: datetime) -> Copy | None:
    """Return a failed copy as it is when somebody wants it tried now; None when it has not failed.

    A suspect copy keeps its reference and is only read again: its host may have been ill.
    """
    if copy.state not in ("retry", "refused", "suspect"):
        return None
    settled = {"next_at": at, "lease_owner": None, "lease_until": None, "attempts": 0, "error": None}
    if copy.state == "suspect" and copy.url:
        return copy.model_copy(update={**settled, "state": "uploaded"})
    return copy.model_copy(update={**settled, "state": "pending", "attempts": max(1, copy.attempts)})


def withdrawn(copy: Copy, at: datetime) -> Copy | None:
    """Return the copy on a public host whose picture became private; None when there is nothing to do about it now.

    What was never sent is struck off; what was sent is to be deleted. An upload under way is waited for: only its
    reply says where the copy is.
    """
    if copy.state in ("gone", "deleting", "delete_manual") or _is_being_sent(copy, at):
        return None
    if not copy.url:
        return Copy(host=copy.host, state="gone")
    settled = {"attempts": 0, "error": None, "lease_owner": None, "lease_until": None}
    return copy.model_copy(update={**settled, "state": "deleting", "next_at": at})


def lease(copy: Copy, seconds: float, at: datetime) -> Copy:
    """Return the copy as claimed for so long by somebody who works on it."""
    until = at + timedelta(seconds=seconds)
    return copy.model_copy(update={"lease_owner": new_id(), "lease_until": until, "next_at": until})


def after_deletion(copy: Copy, proof: DeletionProof, at: datetime) -> Copy:
    """Return the copy after its host was asked to delete it: the secrets go with the proof that it is gone.

    What only a person can delete is looked at again each day.
    """
    if proof == "confirmed":
        return Copy(host=copy.host, state="gone")
    attempts = copy.attempts + 1
    settled = {"attempts": attempts, "lease_owner": None, "lease_until": None}
    if proof == "manual":
        return copy.model_copy(update={**settled, "state": "delete_manual", "next_at": at + timedelta(days=1)})
    later = at + timedelta(seconds=backoff_seconds(attempts))
    return copy.model_copy(update={**settled, "state": "deleting", "next_at": later})


def backoff_seconds(attempts: int) -> float:
    """Return the wait before the next attempt: doubling from one second, at most 15 minutes, with 25 % of jitter."""
    return _doubling_seconds(attempts, FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS)


def _check_wait_seconds(attempts: int) -> float:
    return _doubling_seconds(attempts, FIRST_CHECK_SECONDS, LONGEST_CHECK_SECONDS)


def _doubling_seconds(attempts: int, first: float, longest: float) -> float:
    doublings = min(attempts - 1, 30)  # a host can be down for so long that 2 ** attempts is no float any more
    return min(longest, first * 2.0**doublings) * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret


def _is_being_sent(copy: Copy, at: datetime) -> bool:
    return copy.state == "leased" and copy.lease_until is not None and copy.lease_until > at


def _same_picture_re_encoded(data: bytes, image: Image, decoder: Decoder) -> bool:
    if image.is_file:
        return False
    try:
        picture = decoder.examine(data, max_pixels=image.width * image.height, max_frames=max(image.frames, 1))
    except ChatBotError:
        return False
    return (picture.width, picture.height) == (image.width, image.height)
