"""The last-copy rule asks the host, in this very moment, and believes nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ChatBot.errors import ProviderUnavailable
from ChatBot.hosts.base import Upload
from ChatBot.hosts.chain import HostChain
from ChatBot.models import Copy, CopyState, Image
from ChatBot.services.last_copy import LastCopyRule
from tests.services.workshop import TRAITS, ScriptedHost, make_image, picture


@pytest.fixture
def host() -> ScriptedHost:
    return ScriptedHost("first")


def kept_on(*hosts: ScriptedHost, **fields: object) -> Image:
    """Return the record of a picture with an exact, verified copy on each host."""
    image = make_image()
    copies = []
    for host in hosts:
        receipt = host.upload(Upload(image.id, picture(), image.mime_type, image.sha256))
        copy = Copy(host=host.name, state="verified", fidelity="exact", url=receipt.url)
        copies.append(copy.model_copy(update=fields))
    return image.model_copy(update={"copies": tuple(copies)})


def why_kept(image: Image, *hosts: ScriptedHost) -> str:
    return LastCopyRule(HostChain(hosts)).why_kept(image)


def test_an_exact_copy_that_was_fetched_just_now_lets_the_file_go(host: ScriptedHost) -> None:
    image = kept_on(host)

    assert why_kept(image, host) == ""
    assert host.fetches == 1


def return_another_picture(host: ScriptedHost) -> None:
    host.pictures = dict.fromkeys(host.pictures, picture(99))


def return_less(host: ScriptedHost) -> None:
    host.pictures = {url: data[:-1] for url, data in host.pictures.items()}


def forget(host: ScriptedHost) -> None:
    host.pictures.clear()


def go_down(host: ScriptedHost) -> None:
    host.down = ProviderUnavailable("asleep", provider="first")


def lose_trust(host: ScriptedHost) -> None:
    host.traits = replace(TRAITS, trusted=False)


@pytest.mark.parametrize("breakage", [return_another_picture, return_less, forget, go_down, lose_trust])
def test_a_copy_that_is_not_proved_now_keeps_the_file(
    host: ScriptedHost, breakage: Callable[[ScriptedHost], None]
) -> None:
    image = kept_on(host)
    breakage(host)

    assert "first" in why_kept(image, host)


@pytest.mark.parametrize(
    "state", ["pending", "leased", "uploaded", "retry", "refused", "suspect", "deleting", "gone", "delete_manual"]
)
def test_a_copy_that_was_never_verified_keeps_the_file_without_a_question(host: ScriptedHost, state: CopyState) -> None:
    image = kept_on(host, state=state)

    assert why_kept(image, host) == "no exact cloud copy"
    assert host.fetches == 0


@pytest.mark.parametrize("fields", [{"fidelity": "transcoded"}, {"fidelity": None}, {"url": None}])
def test_a_copy_that_is_not_exact_keeps_the_file(host: ScriptedHost, fields: dict[str, object]) -> None:
    assert why_kept(kept_on(host, **fields), host) == "no exact cloud copy"


def test_a_picture_without_a_copy_keeps_its_file(host: ScriptedHost) -> None:
    assert why_kept(make_image(), host) == "no exact cloud copy"


def test_a_host_that_this_server_no_longer_has_keeps_the_file(host: ScriptedHost) -> None:
    assert "first" in why_kept(kept_on(host))


def test_a_second_copy_is_asked_when_the_first_one_fails(host: ScriptedHost) -> None:
    second = ScriptedHost("second")
    image = kept_on(host, second)
    return_another_picture(host)

    assert why_kept(image, host, second) == ""
    assert (host.fetches, second.fetches) == (1, 1)
