"""The list of built-in hosts and how settings choose from it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any

import pytest

import ChatBot.hosts
from ChatBot.config import Settings
from ChatBot.errors import SettingsError
from ChatBot.hosts import BUILT_IN_HOSTS, build_chain, build_hosts
from ChatBot.hosts.base import NO_LIMIT, Allowance, CloudHost
from ChatBot.outbound import Gate

AROUND_HOSTS = {"chain", "guarded"}
"""Modules whose classes wrap hosts and therefore are not on the list."""


def settings(**values: Any) -> Settings:
    empty = {"postimages_api_key": None, "imgbb_api_key": None, "cloud_hosts": ("postimages", "imgbb")}
    return Settings(_env_file=None, **{**empty, **values})


def test_every_host_module_is_listed() -> None:
    found = set()
    for module in pkgutil.iter_modules(ChatBot.hosts.__path__):
        members = vars(importlib.import_module(f"ChatBot.hosts.{module.name}")).values()
        own = [one for one in members if inspect.isclass(one) and one.__module__ == f"ChatBot.hosts.{module.name}"]
        found |= {one for one in own if issubclass(one, CloudHost) and module.name not in AROUND_HOSTS}

    concrete = {one for one in found if "name" in vars(one)}
    assert concrete == {one.host for one in BUILT_IN_HOSTS}


def test_module_is_named_after_its_host() -> None:
    assert all(one.host.__module__ == f"ChatBot.hosts.{one.name}" for one in BUILT_IN_HOSTS)


def test_without_keys_no_host_is_active() -> None:
    assert build_hosts(settings(), Gate()) == ()


def test_host_is_active_once_its_key_is_set() -> None:
    hosts = build_hosts(settings(imgbb_api_key="k"), Gate())

    assert [host.name for host in hosts] == ["imgbb"]


def test_order_of_the_setting_is_the_order_of_the_chain() -> None:
    chosen = settings(postimages_api_key="k", imgbb_api_key="k", cloud_hosts=("imgbb", "postimages", "imgbb"))

    assert [host.name for host in build_hosts(chosen, Gate())] == ["imgbb", "postimages"]


def test_key_alone_does_not_activate_a_host_that_was_not_chosen() -> None:
    assert build_hosts(settings(imgbb_api_key="k", cloud_hosts=("postimages",)), Gate()) == ()


S3 = {"s3_bucket": "pictures", "s3_access_key": "key", "s3_secret_key": "secret"}


def test_s3_is_active_once_it_is_named_and_its_bucket_and_keys_are_set() -> None:
    assert build_hosts(settings(cloud_hosts=("imgbb", "s3")), Gate()) == ()
    assert build_hosts(settings(**S3), Gate()) == ()
    assert [host.name for host in build_hosts(settings(cloud_hosts=("s3",), **S3), Gate())] == ["s3"]


@pytest.mark.parametrize("left_out", S3)
def test_half_set_s3_stops_the_start_and_names_what_is_missing(left_out: str) -> None:
    half = {name: value for name, value in S3.items() if name != left_out}

    with pytest.raises(SettingsError, match=f"CLOUD_HOSTS.*{left_out.upper()} as well"):
        build_hosts(settings(cloud_hosts=("s3",), **half), Gate())


def test_s3_that_is_no_longer_named_still_gives_back_its_pictures() -> None:
    chain = build_chain(settings(**S3), Gate())

    reference = f"s3://pictures/pictures/{'0' * 32}.png"
    assert chain.hosts == ()
    assert chain.owns(reference)
    assert (chain.link(reference) or "").startswith("https://pictures.s3.amazonaws.com/")


def test_memory_host_is_active_when_it_is_named() -> None:
    assert [host.name for host in build_hosts(settings(cloud_hosts=("memory",)), Gate())] == ["memory"]


def test_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"CLOUD_HOSTS.*'imgur'.*postimages, imgbb, s3, memory"):
        build_hosts(settings(cloud_hosts=("imgur",)), Gate())


def test_chain_still_knows_the_hosts_whose_key_was_taken_away() -> None:
    chain = build_chain(settings(imgbb_api_key="k"), Gate())

    assert [host.name for host in chain.hosts] == ["imgbb"]
    assert chain.owns("https://i.postimg.cc/kG0PhWKw/sample-s.jpg")


def test_unusable_url_of_a_service_stops_the_start() -> None:
    with pytest.raises(SettingsError):
        build_hosts(settings(imgbb_api_key="k", imgbb_api_url="ftp://api.imgbb.com/"), Gate())


def test_a_limit_of_uploads_is_read_per_host_and_a_wrong_name_stops_the_start() -> None:
    asked: list[str] = []

    def allowance(host: str) -> Allowance:
        asked.append(host)
        return NO_LIMIT

    chosen = settings(imgbb_api_key="k", cloud_uploads_per_hour="imgbb=60, postimages = 100")
    build_hosts(chosen, Gate(), allowance)

    assert asked == ["imgbb"]
    assert chosen.cloud_uploads_per_hour == {"imgbb": 60, "postimages": 100}
    with pytest.raises(SettingsError, match="CLOUD_UPLOADS_PER_HOUR"):
        build_hosts(settings(cloud_uploads_per_hour="imgur=5"), Gate())
    with pytest.raises(ValueError, match="host=number"):
        settings(cloud_uploads_per_hour="60")
