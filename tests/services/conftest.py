"""What the tests of the services share: a factory of wired services, and two accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from ChatBot.db.repositories import Repositories
from tests.fixtures.repositories import ann, bob, emptied_database, module_database, repositories
from tests.services.workshop import OWN_BUCKET, ScriptedHost, Workshop

__all__ = ["ann", "bob", "emptied_database", "make_workshop", "module_database", "repositories", "workshop"]


@pytest.fixture
def make_workshop(
    emptied_database: Database[dict[str, Any]], repositories: Repositories, tmp_path: Path
) -> Iterator[Callable[..., Workshop]]:
    built: list[Workshop] = []

    def make(**parts: Any) -> Workshop:
        built.append(Workshop(emptied_database, tmp_path / "Storage", repositories, **parts))
        return built[-1]

    yield make
    for workshop in built:
        workshop.close()


@pytest.fixture
def workshop(make_workshop: Callable[..., Workshop]) -> Workshop:
    """Services without cloud hosts."""
    return make_workshop()


@pytest.fixture
def host() -> ScriptedHost:
    """A cloud host that does what a test tells it."""
    return ScriptedHost("first")


@pytest.fixture
def cloud(make_workshop: Callable[..., Workshop], host: ScriptedHost) -> Workshop:
    """A workshop with that host."""
    return make_workshop(hosts=(host,))


@pytest.fixture
def public() -> ScriptedHost:
    """A cloud host whose pictures anybody can look at who has their address."""
    return ScriptedHost("public")


@pytest.fixture
def bucket() -> ScriptedHost:
    """A cloud host of the operator's own, which shows nothing to others."""
    return ScriptedHost("bucket", traits=OWN_BUCKET)


@pytest.fixture
def house(make_workshop: Callable[..., Workshop], public: ScriptedHost, bucket: ScriptedHost) -> Workshop:
    """A workshop with both."""
    return make_workshop(hosts=(public, bucket))
