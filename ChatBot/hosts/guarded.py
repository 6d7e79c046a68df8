"""What protects every host from us and us from every host: a limit on parallel calls, and a circuit breaker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from pybreaker import STATE_CLOSED, CircuitBreaker, CircuitBreakerError, CircuitMemoryStorage

from ChatBot.errors import ProviderUnavailable
from ChatBot.hosts.base import NO_LIMIT, Allowance, CloudHost, DeletionProof, HostCondition, Listed, Receipt, Upload

Verb = Literal["upload", "fetch", "delete"]

FAILURES_UNTIL_OPEN = 5
OPEN_SECONDS = 30.0
SLOT_WAIT_SECONDS = 15.0
"""Longest wait for a free slot. Three hosts tried in turn and the read-back, each with its wait, take 240 s at most:
(15 + 45) * 3 + 15 + 45. Whoever leases a copy for the attempt must lease it for longer."""

PARALLEL_FETCHES = 32
"""Reads go to a content network, which bears more than the upload interface does."""


class _Memory(CircuitMemoryStorage):
    """What a breaker remembers, by ``clock``: setting the system's clock back must not keep a host shut for longer."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(STATE_CLOSED)
        self._clock = clock
        self._opened_seconds: float | None = None

    @property
    def opened_at(self) -> datetime | None:
        """When it opened last, seen from the system's clock as it is now."""
        if self._opened_seconds is None:
            return None
        return datetime.now(UTC) - timedelta(seconds=self._clock() - self._opened_seconds)

    @opened_at.setter
    def opened_at(self, _moment: datetime) -> None:
        self._opened_seconds = self._clock()


class GuardedHost(CloudHost):
    """A host behind a breaker per verb and at most ``parallel_uploads`` uploads and deletions at once.

    Only ``ProviderUnavailable`` counts as a failure: a refusal is an answer. After a failure that named a wait
    (``retry_after_seconds``) no upload is tried until it is over, nor while ``allowance`` is used up. ``clock``
    returns seconds and never goes back; all waits go by it.
    """

    def __init__(
        self,
        host: CloudHost,
        *,
        parallel_uploads: int,
        allowance: Allowance = NO_LIMIT,
        failures_until_open: int = FAILURES_UNTIL_OPEN,
        open_seconds: float = OPEN_SECONDS,
        slot_wait_seconds: float = SLOT_WAIT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = host.name
        self.traits = host.traits
        self._host = host
        self._allowance = allowance
        self._open_seconds = open_seconds
        self._slot_wait_seconds = slot_wait_seconds
        self._clock = clock
        self._quiet_until = 0.0
        self._slots = threading.BoundedSemaphore(parallel_uploads)
        self._fetch_slots = threading.BoundedSemaphore(PARALLEL_FETCHES)
        self._states = {verb: _Memory(clock) for verb in ("upload", "fetch", "delete")}
        self._breakers = {verb: self._breaker(verb, failures_until_open) for verb in self._states}

    def _breaker(self, verb: str, failures: int) -> CircuitBreaker:
        return CircuitBreaker(
            fail_max=failures,
            reset_timeout=self._open_seconds,
            exclude=[lambda error: not isinstance(error, ProviderUnavailable)],
            state_storage=self._states[verb],
            name=f"{self.name}.{verb}",
            throw_new_error_on_trip=False,
        )

    def _upload(self, upload: Upload) -> Receipt:
        with self._slot(self._slots):
            self._require_wait_over()
            self._take_allowance()
            try:
                with self._guard("upload"):
                    return self._host._upload(upload)
            except ProviderUnavailable as error:
                self._quiet_until = max(self._quiet_until, self._clock() + (error.retry_after_seconds or 0.0))
                raise

    def _fetch(self, url: str) -> bytes:
        with self._slot(self._fetch_slots), self._guard("fetch"):
            return self._host._fetch(url)

    def _delete(self, receipt: Receipt) -> DeletionProof:
        with self._slot(self._slots), self._guard("delete"):
            return self._host._delete(receipt)

    def _owns(self, url: str) -> bool:
        return self._host._owns(url)

    def _link(self, url: str) -> str | None:
        return self._host._link(url)

    def _listing(self) -> Iterator[Listed] | None:
        return self._host._listing()

    def _reference_of(self, image_id: str, extension: str) -> str | None:
        return self._host._reference_of(image_id, extension)

    @property
    def condition(self) -> HostCondition:
        """How the host is doing now; asks no host."""
        allowance = self._allowance
        return replace(self._health(), uploads_per_hour=allowance.per_hour, uploads_used=allowance.used())

    def _health(self) -> HostCondition:
        opened = [state.opened_at for state in self._states.values() if state.state != STATE_CLOSED and state.opened_at]
        if opened:
            ago = (datetime.now(UTC) - max(opened)).total_seconds()
            return HostCondition("left_alone", max(0.0, self._open_seconds - ago))
        wait = self._quiet_until - self._clock()
        return HostCondition("waiting", wait) if wait > 0 else HostCondition()

    def _take_allowance(self) -> None:
        """Not the host's fault, so no breaker hears of it: the picture waits for the next hour."""
        wait = self._allowance.take()
        if wait > 0:
            raise ProviderUnavailable(
                f"{self.name} was sent its {self._allowance.per_hour} pictures of this hour",
                provider=self.name,
                retry_after_seconds=round(wait, 3),
            )

    @contextmanager
    def _slot(self, slots: threading.BoundedSemaphore) -> Iterator[None]:
        if not slots.acquire(timeout=self._slot_wait_seconds):
            raise ProviderUnavailable(f"{self.name} is busy with earlier pictures", provider=self.name)
        try:
            yield
        finally:
            slots.release()

    @contextmanager
    def _guard(self, verb: Verb) -> Iterator[None]:
        """Run the body under the breaker of ``verb``.

        Not ``CircuitBreaker.call``: that one holds the breaker's lock for as long as the call takes, so that calls
        would run one by one and a hanging host would block everybody.
        """
        try:
            with self._breakers[verb].calling():
                yield
        except CircuitBreakerError as error:
            raise ProviderUnavailable(
                f"{self.name} failed too often and is left alone for a while",
                provider=self.name,
                retry_after_seconds=self._open_seconds,
            ) from error

    def _require_wait_over(self) -> None:
        wait = self._quiet_until - self._clock()
        if wait > 0:
            raise ProviderUnavailable(
                f"{self.name} asked to wait", provider=self.name, retry_after_seconds=round(wait, 3)
            )
