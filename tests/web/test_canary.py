"""Sockets on loopback that must hear nothing, whichever way an address reaches the server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from ChatBot.assistants.base import Turn
from ChatBot.container import Services
from ChatBot.errors import ChatBotError, ProviderRefused
from ChatBot.generators.base import GenerationRequest
from ChatBot.outbound import Gate
from tests.fixtures.application import Api
from tests.fixtures.canary import Canary
from tests.outbound.test_gate import Script, resolving_to
from tests.standins.hosts import HostServer
from tests.standins.server import Reply, Server, json_reply

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
    "http://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd",
    "",
)
"""Spellings of this machine, addresses that one parser or another takes for one, and what is not of the web."""


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


def a_redirect_to(address: str) -> Reply:
    """Return a redirect that keeps method and body."""
    return Reply(307, headers={"Location": address.encode("ascii", "ignore").decode().partition("\r")[0]})


def test_no_spelling_of_this_machine_is_fetched_by_an_upload(ann: Api, canary: Canary) -> None:
    for address in LOOPBACK:
        answer = ann.post("/api/uploads", json={"url": canary.at(address)})

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
        script.replies["/a.png"] = replace(a_redirect_to(canary.at(address)), status=status)
        assert ann.post("/api/uploads", json={"url": f"{server.base_url}/a.png"}).status_code == 422, address

    assert canary.heard == 0


@pytest.mark.parametrize("among", [(), ("93.184.216.34",)], ids=["alone", "after a public one"])
@pytest.mark.parametrize(
    "number",
    ["127.0.0.1", "0.0.0.0", "10.0.0.1", "100.64.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"],  # noqa: S104 - nothing is bound
)
def test_no_name_leads_to_a_private_number(number: str, among: tuple[str, ...], canary: Canary) -> None:
    gate = Gate(resolve=resolving_to(*among, number))

    with pytest.raises(ProviderRefused, match="not a public one"):  # anything else was tried, or would have been
        gate.get(f"http://pictures.example:{canary.port}/a.png", provider="tested", max_bytes=9, deadline_seconds=5)

    assert canary.heard == 0


FOREIGN = (
    "http://127.0.0.1:{port}/a.png",
    "https://[::1]:{port}/a.png",
    "https://i.ibb.co@127.0.0.1:{port}/a.png",
    "https://2130706433:{port}/a.png",
    "https://i.ibb.co.localhost:{port}/a.png",
    "s3://127.0.0.1:{port}/pictures/a.png",
)
"""Addresses of this machine that a service could answer with."""


@pytest.mark.parametrize("address", FOREIGN)
@pytest.mark.parametrize("fault", ["bad_url", "redirect"])
def test_what_a_host_answers_leads_nowhere(
    make_app: Callable[..., Flask],
    host_settings: dict[str, Any],
    hosts: HostServer,
    canary: Canary,
    fault: Any,
    address: str,
) -> None:
    ann = Api(make_app(**host_settings)).register()
    for host in (hosts.postimages, hosts.imgbb):
        host.fault = fault
        host.returned_url = host.redirect_to = canary.at(address)

    image = ann.generate()["images"][0]

    assert str(canary.port) not in ann.get(f"/api/images/{image['id']}").text
    assert (hosts.postimages.uploads, hosts.imgbb.uploads) == (1, 1)
    assert canary.heard == 0


def test_no_picture_that_a_generator_names_is_fetched(
    make_app: Callable[..., Flask], elsewhere: tuple[Script, Server], canary: Canary
) -> None:
    script, server = elsewhere
    ann = Api(
        make_app(image_generator="stable_diffusion", sd_webui_url=server.base_url, rate_limits="generation=off")
    ).register()
    wanted = {"prompt": "a fox", "width": 256, "height": 256}

    for address in map(canary.at, LOOPBACK):
        named = {"images": [address], "url": address, "info": json.dumps({"image": address})}
        script.replies["/sdapi/v1/txt2img"] = json_reply(named)
        assert ann.post("/api/generate-image", json=wanted).status_code == 502, address

    assert canary.heard == 0
    assert ann.get("/api/images").json["items"] == []


def test_no_redirect_of_a_generator_or_a_chat_model_leads_to_this_machine(
    make_app: Callable[..., Flask], elsewhere: tuple[Script, Server], canary: Canary
) -> None:
    script, server = elsewhere
    chat = {"chat_model": "m", "openai_base_url": f"{server.base_url}/v1", "openai_api_key": "k"}
    app = make_app(image_generator="stable_diffusion", sd_webui_url=server.base_url, **chat)
    services = offered(Api(app))

    for address in map(canary.at, LOOPBACK):
        for path in ("/sdapi/v1/progress", "/sdapi/v1/txt2img", "/v1/models", "/v1/chat/completions"):
            script.replies[path] = a_redirect_to(address)
        with pytest.raises(ChatBotError):
            services.generators["stable_diffusion"].check()
        with pytest.raises(ChatBotError):
            services.generators["stable_diffusion"].generate(GenerationRequest("a fox"))
        with pytest.raises(ChatBotError):
            services.assistant.check()
        with pytest.raises(ChatBotError):
            list(services.assistant.stream([Turn("user", "Hello")]))

    assert canary.heard == 0
    assert {request.path for request in server.requests} >= set(script.replies)
