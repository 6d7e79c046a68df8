"""The breaker, the wait and the limit around a host."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ChatBot.errors import BytesMissing, ProviderRefused, ProviderUnavailable
from ChatBot.hosts.base import Receipt
from ChatBot.hosts.guarded import GuardedHost
from ChatBot.hosts.imgbb import ImgbbHost
from ChatBot.hosts.memory import BASE_URL, MemoryHost
from tests.hosts.contract import HostContract, PublicHostContract, make_upload
from tests.hosts.fakes import FailingHost
from tests.standins.hosts import HostServer

DOWN = ProviderUnavailable("down", provider="memory")


class TestGuardedMemoryHost(HostContract):
    @pytest.fixture
    def host(self) -> GuardedHost:
        return GuardedHost(MemoryHost(), parallel_uploads=2)

    @pytest.fixture
    def unknown_url(self) -> str:
        return f"{BASE_URL}absent.png"


class TestGuardedImgbb(PublicHostContract):
    @pytest.fixture
    def host(self, imgbb: ImgbbHost) -> GuardedHost:
        return GuardedHost(imgbb, parallel_uploads=2)

    @pytest.fixture
    def unknown_url(self, server: HostServer) -> str:
        return f"{server.base_url}/imgbb/i/absent/absent.png"


def fail_uploads(host: GuardedHost, times: int) -> list[Exception]:
    errors: list[Exception] = []
    for _ in range(times):
        with pytest.raises((ProviderUnavailable, ProviderRefused)) as caught:
            host.upload(make_upload())
        errors.append(caught.value)
    return errors


def test_host_that_keeps_failing_is_left_alone() -> None:
    inner = FailingHost(error=DOWN)
    host = GuardedHost(inner, parallel_uploads=2, failures_until_open=3, open_seconds=60, clock=lambda: 0.0)

    errors = fail_uploads(host, 5)

    assert inner.calls == 3
    assert errors[:3] == [DOWN, DOWN, DOWN]
    assert isinstance(errors[4], ProviderUnavailable)
    assert errors[4].retry_after_seconds == 60


def test_host_is_tried_again_when_the_time_is_over_and_recovers() -> None:
    inner = FailingHost(error=DOWN)
    host = GuardedHost(inner, parallel_uploads=2, failures_until_open=2, open_seconds=0)
    fail_uploads(host, 4)
    inner.error = None

    receipts = [host.upload(make_upload()) for _ in range(3)]

    assert len(receipts) == 3
    assert inner.calls == 7


def test_host_is_left_alone_until_its_time_by_the_clock_is_over_and_again_after_a_failed_try() -> None:
    inner = FailingHost(error=DOWN)
    moment = [0.0]
    host = GuardedHost(inner, parallel_uploads=2, failures_until_open=2, open_seconds=60, clock=lambda: moment[0])
    fail_uploads(host, 2)
    asked = []

    for moment[0] in (0.0, 59.0, 60.5, 61.0, 120.0, 121.0):
        fail_uploads(host, 1)
        asked.append(inner.calls)

    assert asked == [2, 2, 3, 3, 3, 4]
    assert host.condition.state == "left_alone"


def test_refusals_do_not_open_the_breaker() -> None:
    refusal = ProviderRefused("no", provider="memory", reason="type")
    inner = FailingHost(error=refusal)
    host = GuardedHost(inner, parallel_uploads=2, failures_until_open=2)

    errors = fail_uploads(host, 6)

    assert inner.calls == 6
    assert errors == [refusal] * 6


def test_success_between_failures_starts_the_count_again() -> None:
    inner = FailingHost()
    host = GuardedHost(inner, parallel_uploads=2, failures_until_open=2)

    for error in (DOWN, None, DOWN, None, DOWN):
        inner.error = error
        fail_uploads(host, 1) if error else host.upload(make_upload())

    assert inner.calls == 5


def test_missing_pictures_do_not_open_the_breaker() -> None:
    host = GuardedHost(MemoryHost(), parallel_uploads=2, failures_until_open=2)

    for _ in range(4):
        with pytest.raises(BytesMissing):
            host.fetch(f"{BASE_URL}absent.png")


def test_failing_uploads_leave_reading_and_deleting_possible() -> None:
    inner = FailingHost()
    host = GuardedHost(inner, parallel_uploads=2, failures_until_open=1)
    upload = make_upload()
    receipt = host.upload(upload)
    inner.error = DOWN
    fail_uploads(host, 3)
    inner.error = None

    assert host.fetch(receipt.url) == upload.data
    assert host.delete(receipt) == "confirmed"


def test_wait_that_the_host_named_is_kept() -> None:
    now = [100.0]
    inner = FailingHost(error=ProviderUnavailable("slow down", provider="memory", retry_after_seconds=50))
    host = GuardedHost(inner, parallel_uploads=2, clock=lambda: now[0])
    fail_uploads(host, 1)
    inner.error = None
    now[0] = 130.0

    (refused_early,) = fail_uploads(host, 1)
    now[0] = 150.0
    host.upload(make_upload())

    assert isinstance(refused_early, ProviderUnavailable)
    assert refused_early.retry_after_seconds == 20
    assert inner.calls == 2


def test_uploads_run_in_parallel_up_to_the_limit() -> None:
    inner = FailingHost()
    inner.gate.clear()
    host = GuardedHost(inner, parallel_uploads=2)

    with ThreadPoolExecutor(6) as pool:
        pending = [pool.submit(host.upload, make_upload()) for _ in range(6)]
        while inner.running < 2:
            threading.Event().wait(0.001)
        inner.gate.set()
        receipts = {future.result().url for future in pending}

    assert inner.most_running == 2
    assert len(receipts) == 6


def test_upload_that_finds_no_free_place_is_for_later() -> None:
    inner = FailingHost()
    inner.gate.clear()
    host = GuardedHost(inner, parallel_uploads=1, slot_wait_seconds=0.01, failures_until_open=1)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(host.upload, make_upload())
        while inner.running < 1:
            threading.Event().wait(0.001)
        (busy,) = fail_uploads(host, 1)
        inner.gate.set()
        first.result()

    assert isinstance(busy, ProviderUnavailable)
    assert isinstance(host.upload(make_upload()), Receipt)


def test_hanging_upload_does_not_block_reading() -> None:
    inner = FailingHost()
    host = GuardedHost(inner, parallel_uploads=1)
    upload = make_upload()
    receipt = host.upload(upload)
    inner.gate.clear()

    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(host.upload, make_upload())
        fetched = host.fetch(receipt.url)
        was_hanging = not hanging.done()
        inner.gate.set()

    assert fetched == upload.data
    assert was_hanging


def test_condition_says_how_a_host_is_doing_and_when_it_is_asked_again() -> None:
    inner = FailingHost(error=ProviderUnavailable("slow down", provider="memory", retry_after_seconds=40))
    asked_to_wait = GuardedHost(inner, parallel_uploads=2, clock=lambda: 1000.0)
    broken = GuardedHost(FailingHost(error=DOWN), parallel_uploads=2, failures_until_open=2, open_seconds=3600)

    before = broken.condition
    fail_uploads(asked_to_wait, 1)
    fail_uploads(broken, 3)

    assert (before.state, before.next_attempt_seconds) == ("ready", 0.0)
    assert (asked_to_wait.condition.state, asked_to_wait.condition.next_attempt_seconds) == ("waiting", 40.0)
    assert broken.condition.state == "left_alone"
    assert 3000 < broken.condition.next_attempt_seconds <= 3600


class FewUploads:
    """So many uploads, then none for a minute."""

    per_hour: int | None = 2

    def __init__(self) -> None:
        self.taken = 0

    def take(self) -> float:
        self.taken += 1
        return 0.0 if self.taken <= 2 else 60.0

    def used(self) -> int:
        return min(self.taken, 2)


def test_uploads_beyond_the_allowance_wait_and_open_no_breaker() -> None:
    inner = FailingHost(error=None)
    host = GuardedHost(inner, parallel_uploads=2, failures_until_open=1, allowance=FewUploads())
    receipts = [host.upload(make_upload()) for _ in range(2)]

    errors = fail_uploads(host, 3)

    assert inner.calls == 2
    assert all(isinstance(error, ProviderUnavailable) and error.retry_after_seconds == 60 for error in errors)
    assert "2 pictures of this hour" in str(errors[0])
    assert (host.condition.state, host.condition.uploads_per_hour, host.condition.uploads_used) == ("ready", 2, 2)
    assert host.fetch(receipts[0].url)
