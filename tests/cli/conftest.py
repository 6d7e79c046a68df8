"""Commands as their own processes, on a database and a disk of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from ChatBot.config import PROJECT_ROOT
from tests.fixtures.application import SECRET_KEY

TIMEOUT_SECONDS = 100


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def answer(self) -> dict[str, Any]:
        """The one JSON object on standard output; anything beside it is an error."""
        body = json.loads(self.stdout)
        assert isinstance(body, dict)
        return body


@dataclass
class CommandLine:
    """``python -m ChatBot`` with a whole environment of its own: no variable and no ``.env`` of a developer."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, **changes: str | None) -> Ran:
        """Run a command; ``changes`` are variables to set, or to leave out (None)."""
        wanted = {**self.environment, **changes}
        environment = {name: value for name, value in wanted.items() if value is not None}
        done = subprocess.run(
            [sys.executable, "-m", "ChatBot", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def chatbot(database: Database[dict[str, Any]], mongo_uri: str, tmp_path: Path) -> CommandLine:
    """The command line of an installation that ``make_services`` of the same test shares."""
    return CommandLine(
        tmp_path,
        {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(PROJECT_ROOT),
            "PYTHONWARNINGS": "error::ResourceWarning",
            "ENV_FILE": "",
            "SECRET_KEY": SECRET_KEY,
            "MONGODB_URI": mongo_uri,
            "MONGODB_DB": database.name,
            "STORAGE_ROOT": str(tmp_path / "Storage"),
        },
    )
