"""An installation with one host that does what it is told, for the tests of what operators do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from ChatBot.db.repositories import Repositories
from tests.services.kept import KeptWorkshop, kept_workshop
from tests.services.workshop import ScriptedHost


@pytest.fixture
def host() -> ScriptedHost:
    return ScriptedHost()


@pytest.fixture
def shop(
    emptied_database: Database[dict[str, Any]], repositories: Repositories, tmp_path: Path, host: ScriptedHost
) -> Iterator[KeptWorkshop]:
    with kept_workshop(emptied_database, repositories, tmp_path, host) as opened:
        yield opened
