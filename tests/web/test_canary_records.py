"""What is recorded of a copy leads the server to no address of its own, whatever is done with the picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from flask import Flask

from ChatBot.container import Services
from ChatBot.hosts.base import Receipt
from ChatBot.models import new_id, now
from ChatBot.services.upkeep.copy_check import CopyCheck
from ChatBot.services.upkeep.last_copy import LastCopyRule
from tests.fixtures.application import Api
from tests.fixtures.canary import Canary
from tests.standins.hosts import HostServer

CHANGED = {
    "http://127.0.0.1:{port}/a.png": "postimages",
    "https://[::1]:{port}/a.png": "postimages",
    "https://i.ibb.co@127.0.0.1:{port}/a.png": "imgbb",
    "https://2130706433:{port}/a.png": "imgbb",
    "https://i.ibb.co.localhost:{port}/a.png": "imgbb",
    "http://127.0.0.1:{port}/pictures/a.png": "s3",
    "s3://127.0.0.1:{port}/pictures/00000000000000000000000000000000.png": "s3",
    "s3://pictures/../../127.0.0.1:{port}/a.png": "s3",
}
"""What a writer to the database, or an old backup, could put in place of a copy's address, and on which host."""

DELETE_URLS = {"imgbb": f"https://ibb.co/{'a' * 8}/{'0' * 32}"}
"""Keys of the form that a host gives out; where none is named, the address itself stands in its place."""

SETTLED_SECONDS = 90.0


@dataclass(frozen=True)
class Drawn:
    """A picture and the conversation that shows it."""

    conversation_id: str
    image_id: str


Way = Callable[[Api, Drawn], Any]


def offered(api: Api) -> Services:
    """Return the services behind the application that ``api`` talks to."""
    services: Services = api.http.application.extensions["chatbot"]
    return services


def _shown(api: Api, drawn: Drawn) -> None:
    api.get(f"/i/{drawn.image_id}")
    api.get(f"/i/{drawn.image_id}?w=256")


def _shared(api: Api, drawn: Drawn) -> None:
    link = api.post(f"/api/conversation/{drawn.conversation_id}/share", json={}).json
    Api(api.http.application).get(f"/share/{link['token']}/i/{drawn.image_id}")


def _previewed(api: Api, drawn: Drawn) -> None:
    link = api.post(f"/api/conversation/{drawn.conversation_id}/share", json={}).json
    Api(api.http.application).get(f"/share/{link['token']}/preview.jpg")


def _continued(api: Api, drawn: Drawn) -> None:
    link = api.post(f"/api/conversation/{drawn.conversation_id}/share", json={}).json
    Api(api.http.application).register(f"bob{new_id()[:8]}").post(f"/api/share/{link['token']}/continue")


def _linked(api: Api, drawn: Drawn) -> None:
    link = api.post(f"/api/images/{drawn.image_id}/links", json={}).json
    Api(api.http.application).get(link["url"])


def _attached(api: Api, drawn: Drawn) -> None:
    """The model is shown what is attached, before it says its first word."""
    conversation_id = api.post("/api/conversations", json={}).json["id"]
    asked = {"content": "What is it?", "images": [drawn.image_id]}
    api.post(f"/api/conversation/{conversation_id}/messages", json=asked)
    end = time.monotonic() + SETTLED_SECONDS
    while time.monotonic() < end:
        answer = api.get(f"/api/conversation/{conversation_id}").json["messages"][-1]
        if answer["role"] == "assistant" and answer["content"]:
            return
        time.sleep(0.02)
    pytest.fail("The answer did not begin in time.")


def _restored(api: Api, drawn: Drawn) -> None:
    api.post(f"/api/images/{drawn.image_id}/restore")


def _restored_by_the_operator(api: Api, _drawn: Drawn) -> None:
    offered(api).restore.run(apply=True)


def _verified(api: Api, _drawn: Drawn) -> None:
    offered(api).upkeep.verify.run(deep=True)


def _evicted(api: Api, drawn: Drawn) -> None:
    """A local file may go only if its copy is found."""
    services = offered(api)
    located = services.repositories.images.find(drawn.image_id)
    assert located is not None
    LastCopyRule(services.chain).why_kept(located.image)


def _read_back(api: Api, drawn: Drawn) -> None:
    record(api, drawn, {"state": "uploaded", "next_at": now() - timedelta(days=1)})
    while offered(api).replicator.work_on(drawn.image_id):
        pass


def _checked(api: Api, drawn: Drawn) -> None:
    record(api, drawn, {"verified_at": now() - timedelta(days=999), "next_at": now() - timedelta(days=1)})
    services, kept = offered(api), offered(api).repositories
    retire, changed = services.replicator.retire, services.gallery.announce
    CopyCheck(kept.copy_checks, kept.images, services.files, services.chain, retire, changed, days=30).check_due()


def _withdrawn(api: Api, _drawn: Drawn) -> None:
    api.patch("/api/auth/me", json={"private": True})
    offered(api).privacy.withdraw_due()


def _purged(api: Api, drawn: Drawn) -> None:
    api.delete(f"/api/images/{drawn.image_id}")
    trashed = {"$set": {"images.$[].trashed_at": now() - timedelta(days=999)}}
    offered(api).database["messages"].update_many({"images.id": drawn.image_id}, trashed)
    offered(api).deletion.purge_due()


def _left_behind(api: Api, drawn: Drawn) -> None:
    """Its upload ended after the picture was gone."""
    services = offered(api)
    located = services.repositories.images.find(drawn.image_id)
    assert located is not None
    for copy in located.image.copies:
        receipt = Receipt(copy.host, copy.url or "", copy.delete_url, copy.page_url)
        services.stewardship.orphans.take_in(new_id(), receipt)
    services.stewardship.orphans.work_due()


WAYS: tuple[Way, ...] = (
    _shown,
    _shared,
    _previewed,
    _continued,
    _linked,
    _attached,
    _restored,
    _restored_by_the_operator,
    _verified,
    _evicted,
    _read_back,
    _checked,
    _withdrawn,
    _purged,
    _left_behind,
)
"""Everything the server does with the address of a stored copy."""


@pytest.fixture
def everywhere(host_settings: dict[str, Any], hosts: HostServer) -> dict[str, Any]:
    """Settings with three public hosts."""
    s3 = {name.lower(): value for name, value in hosts.s3.environment.items()}
    public = {"s3_public_base_url": "https://pictures.example"}
    return {**host_settings, **s3, **public, "cloud_hosts": "postimages,imgbb,s3", "rate_limits": "generation=off"}


def record(api: Api, drawn: Drawn, facts: dict[str, Any]) -> None:
    """Change what is recorded of a picture's copies."""
    changes = {f"images.$[].copies.$[].{name}": value for name, value in facts.items()}
    offered(api).database["messages"].update_one({"images.id": drawn.image_id}, {"$set": changes})


def led_astray(api: Api, address: str, host: str) -> Drawn:
    """Draw a picture, lose its file, and record its copies at ``address``."""
    made = api.generate()
    drawn = Drawn(made["conversation_id"], made["images"][0]["id"])
    root = offered(api).settings.storage_root
    for file in (*(root / "Image_Gen").glob("*.png"), *(root / "thumbnails").glob("*.webp")):
        file.unlink()
    places = {"url": address, "delete_url": DELETE_URLS.get(host, address), "page_url": address}
    record(api, drawn, {**places, "host": host, "state": "verified", "fidelity": "exact"})
    return drawn


def asked_for(hosts: HostServer, word: str) -> list[str]:
    """Return the paths with that word in them that the stand-ins were asked for."""
    return [request.path for request in hosts.requests if word in request.path]


@pytest.mark.parametrize("way", WAYS)
def test_a_changed_record_leads_the_server_to_no_address_of_its_own(
    make_app: Callable[..., Flask], everywhere: dict[str, Any], hosts: HostServer, canary: Canary, way: Way
) -> None:
    app = make_app(**everywhere)
    app.extensions["chatbot"].worker.close()
    led = []

    for number, (address, host) in enumerate(CHANGED.items()):
        api = Api(app).register(f"ann{number}")
        heard = canary.heard
        way(api, led_astray(api, canary.at(address), host))
        led += [address] if canary.heard > heard or asked_for(hosts, str(canary.port)) else []

    assert led == []


@pytest.mark.parametrize("way", WAYS)
def test_each_of_these_ways_leads_to_an_address_that_is_allowed(
    make_app: Callable[..., Flask], everywhere: dict[str, Any], hosts: HostServer, canary: Canary, way: Way
) -> None:
    allowed = f"{everywhere['fetch_allow_private_hosts']},127.0.0.1:{canary.port}"
    app = make_app(**{**everywhere, "fetch_allow_private_hosts": allowed})
    app.extensions["chatbot"].worker.close()
    own, led = new_id(), {}

    for host in ("postimages", "imgbb", "s3"):
        api = Api(app).register(f"ann_{host}")
        heard = canary.heard
        address = (
            f"s3://{hosts.s3.bucket}/pictures/{own}.png" if host == "s3" else canary.at("http://127.0.0.1:{port}/a")
        )
        way(api, led_astray(api, address, host))
        led[host] = bool(asked_for(hosts, own)) if host == "s3" else canary.heard > heard

    assert led == {"postimages": True, "imgbb": True, "s3": True}


def old_document(service: str, address: str) -> dict[str, Any]:
    """Return a message of the original design whose picture's file is lost."""
    entry = {"url": "/static/Storage/Image_Gen/lost.png", "cloud_url": address, "delete_url": address}
    return {"_id": ObjectId(), "role": "assistant", "content": "", "images": [{**entry, "service": service}]}


def test_an_old_document_leads_its_adoption_nowhere(
    make_app: Callable[..., Flask], everywhere: dict[str, Any], hosts: HostServer, canary: Canary
) -> None:
    services = offered(Api(make_app(**everywhere)).register())
    named = ("postimages", "imgbb", "s3", "local", "unheard of")
    documents = [old_document(service, canary.at(address)) for service in named for address in CHANGED]
    services.database["messages"].insert_many(documents)

    looked_at = services.adoption.adopt_all()

    assert looked_at == len(documents)
    assert (canary.heard, asked_for(hosts, str(canary.port))) == (0, [])


def test_an_old_document_leads_its_adoption_to_an_address_that_is_allowed(
    make_app: Callable[..., Flask], everywhere: dict[str, Any], canary: Canary
) -> None:
    allowed = f"{everywhere['fetch_allow_private_hosts']},127.0.0.1:{canary.port}"
    services = offered(Api(make_app(**{**everywhere, "fetch_allow_private_hosts": allowed})).register())
    address = canary.at("http://127.0.0.1:{port}/a.png")
    services.database["messages"].insert_many([old_document(name, address) for name in ("postimages", "imgbb")])

    services.adoption.adopt_all()

    assert canary.heard == 2
