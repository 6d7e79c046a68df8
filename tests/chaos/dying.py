"""A process that dies by SIGKILL at one named boundary of a save: ``python -m tests.chaos.dying BOUNDARY``.

It draws one picture on the database and the storage of its environment, prints what was acknowledged, and dies where it
was told to; if it gets past that point it exits with 0.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ChatBot.bootstrap import build
from ChatBot.config import Settings
from ChatBot.container import Services
from ChatBot.generators.base import GenerationRequest
from ChatBot.media.files import Syscalls

REQUEST = GenerationRequest(prompt="a red fox", width=128, height=128, seed=7)


def die() -> None:
    """End at once, as a power switch does."""
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def before(_function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that dies instead of doing its work."""

    def dying(*_: Any, **__: Any) -> None:
        die()

    return dying


def after(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that does its work and dies before its caller hears of it."""

    def dying(*arguments: Any, **options: Any) -> None:
        function(*arguments, **options)
        die()

    return dying


def syscall(name: str, when: Callable[..., Any]) -> Callable[[Services], None]:
    """Return what makes one system call of the file store the last one."""

    def prepare(services: Services) -> None:
        calls = Syscalls()
        services.files._calls = replace(calls, **{name: when(getattr(calls, name))})

    return prepare


def method(part: str, name: str, when: Callable[..., Any]) -> Callable[[Services], None]:
    """Return what makes one method of one service the last one."""

    def prepare(services: Services) -> None:
        owner: Any = services
        for step in part.split("."):
            owner = getattr(owner, step)
        setattr(owner, name, when(getattr(owner, name)))

    return prepare


BOUNDARIES: dict[str, Callable[[Services], None]] = {
    "the generator delivered": method("spool", "put", before),
    "the delivery is spooled": method("spool", "put", after),
    "the temporary file is open": syscall("open", after),
    "the bytes are written": syscall("write", after),
    "the bytes are synced": syscall("fsync", after),
    "the file has its name": syscall("replace", after),
    "the file is stored": method("image_handler", "stage", after),
    "the document is about to be written": method("image_handler", "commit", before),
    "the document is written": method("image_handler", "commit", after),
    "the upload is sent": method("chain", "upload_detailed", after),
    "the upload is recorded": method("replicator", "_read_back", before),
    "the copy is proved": method("replicator", "_read_back", after),
}


def main() -> int:
    """Draw one picture and die on the way."""
    services = build(Settings(_env_file=None))
    user = services.accounts.create("ann", "correct horse battery")
    BOUNDARIES[sys.argv[1]](services)
    message = services.generation.start(user, None, REQUEST)
    print("asked", message.id, flush=True)
    message = services.generation.finished(message)
    for image in message.images:
        print("acknowledged", image.id, image.sha256, flush=True)
    services.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
