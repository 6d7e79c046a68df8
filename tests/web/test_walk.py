"""The whole walk over HTTP against stand-in hosts: ask, see, find it on a host, share, show."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.fixtures.application import Api
from tests.standins.hosts import HostServer

WAIT_SECONDS = 90.0


def eventually(check: Callable[[], bool]) -> bool:
    """Return whether something becomes true while the background work runs."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def ann_with_hosts(make_app: Callable[..., Flask], host_settings: dict[str, Any]) -> Api:
    return Api(make_app(**host_settings)).register("ann")


def states(api: Api, image_id: str) -> dict[str, str]:
    """Return the state of each copy by host."""
    copies = api.get(f"/api/images/{image_id}").json["durability"]["copies"]
    return {copy["host"]: copy["state"] for copy in copies}


def test_a_picture_goes_to_postimages_when_it_is_up(ann_with_hosts: Api, hosts: HostServer) -> None:
    image = ann_with_hosts.generate("a lighthouse at dusk")["images"][0]

    assert image["service"] == "postimages"
    assert hashlib.sha256(hosts.postimages.stored[0].data).hexdigest() == image["sha256"]
    assert image["cloud_url"].startswith(hosts.base_url)
    assert states(ann_with_hosts, image["id"]) == {"postimages": "verified"}
    assert not hosts.imgbb.stored


def test_a_picture_goes_to_imgbb_when_postimages_fails(ann_with_hosts: Api, hosts: HostServer) -> None:
    hosts.postimages.fault = "status"

    image = ann_with_hosts.generate()["images"][0]

    assert image["service"] == "imgbb"
    assert states(ann_with_hosts, image["id"]) == {"postimages": "retry", "imgbb": "verified"}


def test_a_picture_stays_local_while_both_are_down_and_is_sent_to_both_when_they_return(
    ann_with_hosts: Api, hosts: HostServer
) -> None:
    hosts.postimages.fault = hosts.imgbb.fault = "status"

    image = ann_with_hosts.generate()["images"][0]

    assert (image["service"], image["cloud_url"]) == ("local", None)
    hosts.postimages.fault = hosts.imgbb.fault = "ok"
    both = {"postimages": "verified", "imgbb": "verified"}
    assert eventually(lambda: states(ann_with_hosts, image["id"]) == both)
    assert ann_with_hosts.get(f"/api/images/{image['id']}").json["cloud_url"]


def test_the_answer_does_not_wait_for_a_host_that_hangs(
    make_app: Callable[..., Flask], host_settings: dict[str, Any], hosts: HostServer
) -> None:
    hosts.postimages.fault = "hang"
    ann = Api(make_app(**host_settings, cloud_wait_seconds=0.2)).register()

    image = ann.generate()["images"][0]

    assert (image["service"], image["cloud_url"]) == ("local", None)
    assert states(ann, image["id"]) == {"postimages": "leased"}
    hosts.postimages.fault = "ok"


def test_no_answer_carries_a_delete_url(ann_with_hosts: Api, hosts: HostServer) -> None:
    made = ann_with_hosts.generate()
    token = ann_with_hosts.post(f"/api/conversation/{made['conversation_id']}/share", json={}).json["token"]

    pages = [
        ann_with_hosts.get(path, headers={"Accept": "text/html"}).text
        for path in (
            f"/api/images/{made['images'][0]['id']}",
            "/api/images",
            f"/api/conversation/{made['conversation_id']}",
            f"/c/{made['conversation_id']}",
            "/gallery",
            "/admin",
            f"/share/{token}",
            f"/api/share/{token}",
            "/metrics",
        )
    ]

    secrets = [stored.removal_hash for stored in hosts.postimages.stored]
    assert secrets
    assert not any(secret in page for secret in secrets for page in pages)
