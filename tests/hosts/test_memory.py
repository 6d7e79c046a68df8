"""The host in this process."""

from __future__ import annotations

import pytest

from ChatBot.hosts.memory import BASE_URL, MemoryHost
from tests.hosts.contract import HostContract


class TestMemoryHost(HostContract):
    @pytest.fixture
    def host(self) -> MemoryHost:
        return MemoryHost()

    @pytest.fixture
    def unknown_url(self) -> str:
        return f"{BASE_URL}absent.png"
