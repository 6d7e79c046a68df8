"""Private conversations and accounts over HTTP, with public stand-in hosts."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from ChatBot.container import Services
from tests.fixtures.application import Answer, Api
from tests.media.samples import noise, saved
from tests.standins.hosts import HostServer
from tests.web.test_walk import eventually, states


def hand_in(api: Api, conversation_id: str) -> Answer:
    """Send a picture for a conversation as the page does."""
    form = {"file": (BytesIO(saved(noise((64, 48)), "PNG")), "photo.png"), "conversation_id": conversation_id}
    return api.post("/api/uploads", data=form, content_type="multipart/form-data")


@pytest.fixture
def ann(make_app: Callable[..., Flask], host_settings: dict[str, Any]) -> Api:
    return Api(make_app(**{**host_settings, "cloud_hosts": "imgbb"})).register("ann")


@pytest.fixture
def bob(ann: Api) -> Api:
    return Api(ann.http.application).register("bob")


def test_pictures_of_a_private_conversation_reach_no_public_host(ann: Api, hosts: HostServer) -> None:
    diary = ann.post("/api/conversations", json={"private": True}).json

    made = ann.post("/api/generate-image", json={"prompt": "a fox", "conversation_id": diary["id"]}).json

    assert diary["private"]
    assert made["images"][0]["private"]
    assert (made["images"][0]["cloud_url"], made["images"][0]["service"]) == (None, "local")
    assert not hosts.imgbb.stored


def test_an_upload_for_a_private_conversation_reaches_no_public_host(ann: Api, hosts: HostServer) -> None:
    diary = ann.post("/api/conversations", json={"private": True}).json

    image = hand_in(ann, diary["id"]).json

    assert image["private"]
    assert not hosts.imgbb.stored


def test_an_upload_for_somebody_else_s_conversation_is_refused(ann: Api, bob: Api) -> None:
    theirs = bob.post("/api/conversations", json={}).json

    answer = hand_in(ann, theirs["id"])

    assert answer.status_code == 404


def test_what_was_published_is_deleted_and_named_until_nothing_is_found(ann: Api, hosts: HostServer) -> None:
    image = ann.generate()["images"][0]
    hosts.imgbb.deletion_ignored = True

    ann.patch("/api/auth/me", json={"private": True})
    named = ann.get(f"/api/images/{image['id']}").json
    waiting = eventually(lambda: states(ann, image["id"]) == {"imgbb": "deleting"})
    address = ann.get(f"/api/images/{image['id']}").json["durability"]["copies"][0]["published_at"]
    hosts.imgbb.deletion_ignored = False

    assert named["private"]
    assert waiting
    assert address == image["cloud_url"]
    assert eventually(lambda: states(ann, image["id"]) == {"imgbb": "gone"})
    assert not hosts.imgbb.live


@pytest.mark.parametrize("service", ["imgbb", "a host of old"])
def test_what_the_original_design_published_is_named_where_only_a_person_can_delete_it(
    ann: Api, hosts: HostServer, service: str
) -> None:
    services: Services = ann.http.application.extensions["chatbot"]
    data = saved(noise((64, 48)), "PNG")
    (services.settings.storage_root / "Image_Gen" / "fox.png").write_bytes(data)
    hosts.imgbb.accept(data, "image/png", "fox.png", {})
    address = hosts.base_url + hosts.imgbb.picture_path(hosts.imgbb.stored[0])
    entry = {"url": "/static/Storage/Image_Gen/fox.png", "cloud_url": address, "delete_url": None, "service": service}
    conversation = services.database["conversations"].insert_one({"title": "Foxes"}).inserted_id
    services.database["messages"].insert_one({"conversation_id": conversation, "role": "assistant", "images": [entry]})
    services.adoption.adopt_all()
    (foxes,) = ann.get("/api/conversations").json["items"]
    (image,) = ann.get("/api/images").json["items"]

    ann.patch(f"/api/conversation/{foxes['id']}", json={"private": True})
    services.privacy.withdraw_due()
    waiting = states(ann, image["id"])
    named = ann.get(f"/api/images/{image['id']}").json
    page = ann.get(f"/c/{foxes['id']}").text

    assert waiting == {service: "delete_manual"}
    assert (image["private"], named["private"]) == (False, True)
    assert [copy["published_at"] for copy in named["durability"]["copies"]] == [address]
    assert f'href="{address}"' in page
    assert ann.get(named["src"]).data == data


def test_nobody_makes_the_conversation_of_another_private(ann: Api, bob: Api) -> None:
    theirs = bob.post("/api/conversations", json={}).json

    answer = ann.patch(f"/api/conversation/{theirs['id']}", json={"private": True})

    assert answer.status_code == 404
