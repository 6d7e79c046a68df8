"""The stand-ins for PostImages and ImgBB, and hosts that talk to them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ChatBot.hosts.imgbb import ImgbbHost
from ChatBot.hosts.postimages import PostimagesHost
from ChatBot.hosts.web import Deadlines
from ChatBot.outbound import Gate
from tests.standins.hosts import HostServer

DEADLINE_SECONDS = 1.0
"""Short, because every hanging fault is waited out once."""


@pytest.fixture
def server() -> Iterator[HostServer]:
    with HostServer() as running:
        yield running


@pytest.fixture
def gate(server: HostServer) -> Gate:
    return Gate([server.netloc])


@pytest.fixture
def postimages(server: HostServer, gate: Gate) -> PostimagesHost:
    return PostimagesHost(
        api_url=server.postimages.api_url,
        api_key="key",
        gate=gate,
        deadlines=Deadlines(DEADLINE_SECONDS, DEADLINE_SECONDS),
    )


@pytest.fixture
def imgbb(server: HostServer, gate: Gate) -> ImgbbHost:
    return ImgbbHost(
        api_url=server.imgbb.api_url,
        delete_api_url=server.imgbb.delete_api_url,
        api_key="key",
        gate=gate,
        deadlines=Deadlines(DEADLINE_SECONDS, DEADLINE_SECONDS),
    )
