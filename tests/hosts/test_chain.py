"""Several hosts as one."""

from __future__ import annotations

import pytest

from ChatBot.errors import ProviderError, ProviderRefused, ProviderUnavailable
from ChatBot.hosts.base import Receipt
from ChatBot.hosts.chain import HostChain
from ChatBot.hosts.imgbb import ImgbbHost
from ChatBot.hosts.memory import BASE_URL, MemoryHost
from ChatBot.hosts.postimages import PostimagesHost
from tests.hosts.contract import HostContract, PublicHostContract, make_upload
from tests.hosts.fakes import FailingHost
from tests.standins.hosts import HostServer
from tests.standins.picture_host import Fault


def refused(name: str) -> ProviderRefused:
    return ProviderRefused(f"{name} says no", provider=name, reason="type")


def unavailable(name: str, seconds: float | None = None) -> ProviderUnavailable:
    return ProviderUnavailable(f"{name} is down", provider=name, retry_after_seconds=seconds)


class TestChainOfOne(HostContract):
    @pytest.fixture
    def host(self) -> HostChain:
        return HostChain([MemoryHost()])

    @pytest.fixture
    def unknown_url(self) -> str:
        return f"{BASE_URL}absent.png"


class TestChainOverTheWeb(PublicHostContract):
    @pytest.fixture
    def host(self, postimages: PostimagesHost, imgbb: ImgbbHost, server: HostServer) -> HostChain:
        server.postimages.fault = "status"
        return HostChain([postimages, imgbb])

    @pytest.fixture
    def unknown_url(self, server: HostServer) -> str:
        return f"{server.base_url}/imgbb/i/absent/absent.png"


def test_first_host_that_works_gets_the_picture() -> None:
    first, second = FailingHost("first"), FailingHost("second")

    attempt = HostChain([first, second]).upload_detailed(make_upload())

    assert (attempt.failures, first.calls, second.calls) == ({}, 1, 0)


@pytest.mark.parametrize("error", [refused("first"), unavailable("first")])
def test_refusal_and_failure_move_on_to_the_next_host(error: ProviderError) -> None:
    first, second = FailingHost("first", error), FailingHost("second")

    attempt = HostChain([first, second]).upload_detailed(make_upload())

    assert attempt.receipt is not None
    assert attempt.failures == {"first": error}
    assert second.calls == 1


def test_when_all_fail_the_most_retryable_error_carries_every_failure() -> None:
    errors: dict[str, ProviderError] = {
        "a": refused("a"),
        "b": unavailable("b", 90),
        "c": unavailable("c", 30),
        "d": refused("d"),
    }
    chain = HostChain([FailingHost(name, error) for name, error in errors.items()])

    with pytest.raises(ProviderUnavailable) as caught:
        chain.upload(make_upload())

    assert caught.value.failures == errors
    assert caught.value.retry_after_seconds == 30


def test_when_all_refuse_the_chain_refuses() -> None:
    chain = HostChain([FailingHost("a", refused("a")), FailingHost("b", refused("b"))])

    with pytest.raises(ProviderRefused) as caught:
        chain.upload(make_upload())

    assert (caught.value.reason, str(caught.value)) == ("type", "a says no; b says no")


def test_failure_without_a_named_wait_may_be_tried_at_any_time() -> None:
    chain = HostChain([FailingHost("a", unavailable("a", 3600)), FailingHost("b", unavailable("b"))])

    with pytest.raises(ProviderUnavailable) as caught:
        chain.upload(make_upload())

    assert caught.value.retry_after_seconds is None


def test_chain_of_nobody_refuses() -> None:
    chain = HostChain([])

    with pytest.raises(ProviderRefused):
        chain.upload(make_upload())

    assert chain.hosts == ()
    assert chain.upload_detailed(make_upload()).receipt is None


def test_members_are_found_by_name() -> None:
    first, second = FailingHost("first"), FailingHost("second")
    chain = HostChain([first], retired=[second])

    assert (chain.by_name("first"), chain.by_name("second"), chain.by_name("third")) == (first, second, None)
    assert chain.hosts == (first,)


def test_deletion_goes_to_the_host_that_has_the_copy() -> None:
    first, second = FailingHost("first"), FailingHost("second")

    proof = HostChain([first, second]).delete(Receipt(host="second", url=f"{BASE_URL}a.png"))

    assert (proof, first.calls, second.calls) == ("confirmed", 0, 1)


def test_copy_on_a_host_that_nobody_knows_is_left_to_a_person() -> None:
    assert HostChain([MemoryHost()]).delete(Receipt(host="closed", url="https://closed.example/a.png")) == "manual"


def test_retired_host_gives_back_what_it_has_and_takes_nothing(
    imgbb: ImgbbHost, postimages: PostimagesHost, server: HostServer
) -> None:
    upload = make_upload()
    receipt = imgbb.upload(upload)
    server.postimages.fault = "status"
    chain = HostChain([postimages], retired=[imgbb])

    attempt = chain.upload_detailed(make_upload())

    assert attempt.receipt is None
    assert imgbb.fetch(receipt.url) == upload.data
    assert chain.delete(receipt) == "confirmed"


def test_walk_over_the_web_falls_back_and_recovers(
    postimages: PostimagesHost, imgbb: ImgbbHost, server: HostServer
) -> None:
    chain = HostChain([postimages, imgbb])

    used = []
    walk: list[tuple[Fault, Fault]] = [("ok", "ok"), ("status", "ok"), ("status", "reset"), ("ok", "reset")]
    for postimages_fault, imgbb_fault in walk:
        server.postimages.fault, server.imgbb.fault = postimages_fault, imgbb_fault
        receipt = chain.upload_detailed(make_upload()).receipt
        used.append(receipt and receipt.host)

    assert used == ["postimages", "imgbb", None, "postimages"]


def test_traits_promise_only_what_every_member_keeps(postimages: PostimagesHost) -> None:
    traits = HostChain([MemoryHost(), postimages]).traits

    assert (traits.max_bytes, traits.public, traits.may_recompress, traits.trusted) == (33_554_432, True, True, False)
