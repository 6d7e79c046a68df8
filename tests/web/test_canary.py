"""Sockets on loopback that must hear nothing, whichever way an address reaches the server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId
from flask import Flask

from ChatBot.container import Services
from ChatBot.errors import ChatBotError
from ChatBot.models import now
from ChatBot.outbound import Gate
from ChatBot.services.upkeep.copy_check import CopyCheck
from tests.fixtures.application import Api
from tests.outbound.test_gate import Script, resolving_to
from tests.standins.hosts import HostServer
from tests.standins.server import Reply, Server

LOOPBACK = (
    "http://127.0.0.1:{port}/a.png",
    "https://127.0.0.1:{port}/a.png",
    "http://127.1:{port}/a.png",
    "http://127.0.0.1.:{port}/a.png",
    "http://127.255.255.254:{port}/a.png",
    "http://localhost:{port}/a.png",
    "http://localhost.:{port}/a.png",
    "http://LocalHost:{port}/a.png",
    "http://0:{port}/a.png",
    "http://0.0.0.0:{port}/a.png",
    "http://2130706433:{port}/a.png",
    "http://0x7f000001:{port}/a.png",
    "http://0x7f.1:{port}/a.png",
    "http://0177.0.0.1:{port}/a.png",
    "http://017700000001:{port}/a.png",
    "http://127.0.0.0x1:{port}/a.png",
    "http://[::1]:{port}/a.png",
    "http://[::]:{port}/a.png",
    "http://[0:0:0:0:0:0:0:1]:{port}/a.png",
    "http://[::1%25lo]:{port}/a.png",
    "http://[::127.0.0.1]:{port}/a.png",
    "http://[::ffff:127.0.0.1]:{port}/a.png",
    "http://[::ffff:7f00:1]:{port}/a.png",
    "http://[::ffff:0:127.0.0.1]:{port}/a.png",
    "http://[64:ff9b::127.0.0.1]:{port}/a.png",
    "http://[64:ff9b:1::7f00:1]:{port}/a.png",
    "http://[2002:7f00:1::]:{port}/a.png",
    "http://[2001:0:7f00:1::80ff:fffe]:{port}/a.png",
    "http://[fe80::1%25lo]:{port}/a.png",
    "http://user:secret@127.0.0.1:{port}/a.png",
    "http://i.ibb.co@127.0.0.1:{port}/a.png",
    "http://127.0.0.1:{port}#@i.ibb.co/a.png",
    "http://127.0.0.1:{port}\\@i.ibb.co/a.png",
    "http://i.ibb.co:80@127.0.0.1:{port}/a.png",
    "http://i.ibb.co\t@127.0.0.1:{port}/a.png",
    "http://\u2460\u2461\u2466.0.0.1:{port}/a.png",
    "http://\uff11\uff12\uff17.0.0.1:{port}/a.png",
    "http://127\u30020\u30020\u30021:{port}/a.png",
    "http://\uff4cocalhost:{port}/a.png",
    "http:127.0.0.1:{port}/a.png",
    "http:/127.0.0.1:{port}/a.png",
    "http:\\\\127.0.0.1:{port}\\a.png",
    "//127.0.0.1:{port}/a.png",
    " http://127.0.0.1:{port}/a.png",
    "http://127.0.0.1:{port}/\r\nHost: i.ibb.co",
    "HTTP://127.0.0.1:{port}/a.png",
    "ftp://127.0.0.1:{port}/a.png",
    "gopher://127.0.0.1:{port}/a.png",
    "dict://127.0.0.1:{port}/a.png",
    "jar:http://127.0.0.1:{port}/!/a.png",
    "s3://127.0.0.1:{port}/a.png",
)
"""Spellings of this machine, and addresses that one parser or another takes for one."""


class Canary:
    """One port of 127.0.0.1 and ::1 that counts whoever connects, and hangs up."""

    def __init__(self) -> None:
        self.heard = 0
        self._lines = [socket.create_server(("127.0.0.1", 0))]
        self.port: int = self._lines[0].getsockname()[1]
        self._lines.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for line in self._lines:
            threading.Thread(target=self._listen, args=(line,), daemon=True).start()

    def _listen(self, line: socket.socket) -> None:
        while True:
            try:
                caller, _ = line.accept()
            except OSError:
                return
            self.heard += 1  # before hanging up: whoever connected comes back only afterwards
            caller.close()

    def close(self) -> None:
        """Hang up for good."""
        for line in self._lines:
            line.shutdown(socket.SHUT_RDWR)
            line.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    listener = Canary()
    yield listener
    listener.close()


@pytest.fixture
def elsewhere() -> Iterator[tuple[Script, Server]]:
    """A server that may be fetched from, and whose answers lead elsewhere."""
    script = Script()
    with Server(script) as server:
        yield script, server


def offered(api: Api) -> Services:
    """Return the services behind the application that ``api`` talks to."""
    services: Services = api.http.application.extensions["chatbot"]
    return services


def test_no_spelling_of_this_machine_is_fetched_by_an_upload(ann: Api, canary: Canary) -> None:
    for address in LOOPBACK:
        answer = ann.post("/api/uploads", json={"url": address.format(port=canary.port)})

        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), address
        assert canary.heard == 0, address
    assert ann.get("/api/images").json["items"] == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_an_upload_to_this_machine(
    make_app: Callable[..., Flask], elsewhere: tuple[Script, Server], canary: Canary, status: int
) -> None:
    script, server = elsewhere
    ann = Api(make_app(fetch_allow_private_hosts=server.netloc)).register()

    for address in LOOPBACK:
        location = address.format(port=canary.port).encode("ascii", "ignore").decode().partition("\r")[0]
        script.replies["/a.png"] = Reply(status, headers={"Location": location})
        assert ann.post("/api/uploads", json={"url": f"{server.base_url}/a.png"}).status_code == 422, address

    assert canary.heard == 0


@pytest.mark.parametrize(
    "number",
    ["127.0.0.1", "0.0.0.0", "10.0.0.1", "100.64.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"],  # noqa: S104 - nothing is bound
)
def test_no_name_leads_to_a_private_number(number: str, canary: Canary) -> None:
    gate = Gate(resolve=resolving_to("93.184.216.34", number))

    with pytest.raises(ChatBotError):
        gate.get(f"http://pictures.example:{canary.port}/a.png", provider="tested", max_bytes=9, deadline_seconds=5)

    assert canary.heard == 0


Way = Callable[[Api, str], Any]


def _shown(api: Api, image_id: str) -> None:
    api.get(f"/i/{image_id}")
    api.get(f"/i/{image_id}?w=256")


def _restored(api: Api, image_id: str) -> None:
    api.post(f"/api/images/{image_id}/restore")


def _restored_by_the_operator(api: Api, _image_id: str) -> None:
    offered(api).restore.run(apply=True)


def _verified(api: Api, _image_id: str) -> None:
    offered(api).upkeep.verify.run(deep=True)


def _read_back(api: Api, image_id: str) -> None:
    _set_copies(api, {"state": "uploaded", "next_at": now() - timedelta(days=1)})
    services = offered(api)
    while services.replicator.work_on(image_id):
        pass


def _checked(api: Api, _image_id: str) -> None:
    _set_copies(api, {"verified_at": now() - timedelta(days=999), "next_at": now() - timedelta(days=1)})
    services, kept = offered(api), offered(api).repositories
    retire, changed = services.replicator.retire, services.gallery.announce
    CopyCheck(kept.copy_checks, kept.images, services.files, services.chain, retire, changed, days=30).check_due()


def _withdrawn(api: Api, _image_id: str) -> None:
    api.patch("/api/auth/me", json={"private": True})
    offered(api).privacy.withdraw_due()


def _purged(api: Api, image_id: str) -> None:
    api.delete(f"/api/images/{image_id}")
    trashed = {"$set": {"images.$[].trashed_at": now() - timedelta(days=999)}}
    offered(api).database["messages"].update_many({}, trashed)
    offered(api).deletion.purge_due()


WAYS: tuple[Way, ...] = (
    _shown,
    _restored,
    _restored_by_the_operator,
    _verified,
    _read_back,
    _checked,
    _withdrawn,
    _purged,
)
"""Everything the server does with the address of a stored copy."""


def _set_copies(api: Api, values: dict[str, Any]) -> None:
    changes = {f"images.$[].copies.$[].{name}": value for name, value in values.items()}
    offered(api).database["messages"].update_many({"images.0": {"$exists": True}}, {"$set": changes})


def led_astray(api: Api, address: str, host: str, way: Way) -> None:
    """Draw a picture, lose its file, change what is recorded of its copies to ``address``, and go one way."""
    image = api.generate()["images"][0]
    services = offered(api)
    services.worker.close()
    for file in (services.settings.storage_root / "Image_Gen").glob("*.png"):
        file.unlink()
    for file in (services.settings.storage_root / "thumbnails").glob("*.webp"):
        file.unlink()
    _set_copies(api, {"url": address, "delete_url": address, "page_url": address, "host": host, "state": "verified"})
    way(api, image["id"])


CHANGED = {
    "http://127.0.0.1:{port}/a.png": "postimages",
    "https://[::1]:{port}/a.png": "postimages",
    "https://i.ibb.co@127.0.0.1:{port}/a.png": "imgbb",
    "https://2130706433:{port}/a.png": "imgbb",
    "https://i.ibb.co.localhost:{port}/a.png": "imgbb",
    "http://127.0.0.1:{port}/pictures/a.png": "s3",
    "s3://stand-in/../../127.0.0.1:{port}/a.png": "s3",
}
"""What a writer to the database, or an old backup, could put in place of a copy's address, and on which host."""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("address", CHANGED)
def test_a_changed_record_leads_the_server_to_no_address_of_its_own(
    make_app: Callable[..., Flask],
    host_settings: dict[str, Any],
    hosts: HostServer,
    canary: Canary,
    way: Way,
    address: str,
) -> None:
    s3 = {name.lower(): value for name, value in hosts.s3.environment.items()}
    everywhere = {**host_settings, **s3, "cloud_hosts": "postimages,imgbb,s3"}
    ann = Api(make_app(**everywhere)).register()

    led_astray(ann, address.format(port=canary.port), CHANGED[address], way)

    assert canary.heard == 0


@pytest.mark.parametrize("way", WAYS)
def test_each_of_these_ways_leads_to_an_address_that_is_allowed(
    make_app: Callable[..., Flask], host_settings: dict[str, Any], canary: Canary, way: Way
) -> None:
    allowed = f"{host_settings['fetch_allow_private_hosts']},127.0.0.1:{canary.port}"
    ann = Api(make_app(**{**host_settings, "fetch_allow_private_hosts": allowed})).register()

    led_astray(ann, f"http://127.0.0.1:{canary.port}/a.png", "postimages", way)

    assert canary.heard > 0


@pytest.mark.parametrize("address", CHANGED)
@pytest.mark.parametrize("service", ["postimages", "imgbb", "s3", "local", "unheard of"])
def test_an_old_document_leads_its_adoption_nowhere(
    make_app: Callable[..., Flask], host_settings: dict[str, Any], canary: Canary, address: str, service: str
) -> None:
    services = offered(Api(make_app(**host_settings)).register())
    address = address.format(port=canary.port)
    entry = {"url": "/static/Storage/Image_Gen/lost.png", "cloud_url": address, "delete_url": address}
    services.database["messages"].insert_one(
        {"_id": ObjectId(), "role": "assistant", "content": "", "images": [{**entry, "service": service}]}
    )

    services.adoption.adopt_all()

    assert canary.heard == 0


@pytest.mark.parametrize("fault", ["bad_url", "redirect"])
def test_what_a_host_answers_leads_nowhere(
    make_app: Callable[..., Flask], host_settings: dict[str, Any], hosts: HostServer, canary: Canary, fault: Any
) -> None:
    ann = Api(make_app(**host_settings)).register()

    for address in CHANGED:
        for host in (hosts.postimages, hosts.imgbb):
            host.fault = fault
            host.returned_url = host.redirect_to = address.format(port=canary.port)
        image = ann.generate()["images"][0]
        assert str(canary.port) not in ann.get(f"/api/images/{image['id']}").text

    assert canary.heard == 0
