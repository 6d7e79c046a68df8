"""A process is killed at every boundary of a save; the next one makes the promises true again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ChatBot.config import PROJECT_ROOT
from ChatBot.container import Services
from ChatBot.models import Message
from tests.chaos.dying import BOUNDARIES
from tests.fixtures.application import SettingsFactory
from tests.standins.hosts import HostServer

KEPT = ("complete", "interrupted")
PAID_FOR = tuple(BOUNDARIES)[1:]
"""From here on the generator's work is on this disk, so the picture must come to be."""


def killed_at(boundary: str, settings: Any, hosts: HostServer) -> list[list[str]]:
    """Let a process draw a picture until it is killed; return the lines it printed, as words."""
    environment = {
        **hosts.environment,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PROJECT_ROOT),
        "SECRET_KEY": settings.secret_key,
        "MONGODB_URI": settings.mongodb_uri,
        "MONGODB_DB": settings.mongodb_db,
        "STORAGE_ROOT": str(settings.storage_root),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.dying", boundary],
        cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    return [line.split() for line in done.stdout.splitlines() if line.startswith(("asked", "acknowledged"))]


def only_answer(services: Services) -> Message:
    document = services.database["messages"].find_one({"role": "assistant"})
    assert document is not None
    return Message.from_document(document)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_kill_when(
    boundary: str, make_settings: SettingsFactory, make_services: Callable[..., Services], hosts: HostServer,
    host_settings: dict[str, Any],
) -> None:  # fmt: skip
    lines = killed_at(boundary, make_settings(), hosts)

    services = make_services(**host_settings)
    services.recovery.sweep(lonely=True)
    message = services.generation.finished(only_answer(services))

    assert message.status in KEPT
    assert len(message.images) == (1 if boundary in PAID_FOR else 0)
    for image in message.images:
        assert sha256(services.files.read(image.folder, image.filename)).hexdigest() == image.sha256
    acknowledged = {words[1] for words in lines if words[0] == "acknowledged"}
    assert acknowledged <= {image.id for image in message.images}
    known = {image.filename for image in message.images}
    named = [path for path in stored(services) if not path.name.startswith(".")]
    strays = [path for path in named if path.name not in known]
    assert len(strays) <= 1
    assert all(path.read_bytes() for path in named)


def stored(services: Services) -> list[Path]:
    return sorted((services.settings.storage_root / "Image_Gen").iterdir())
