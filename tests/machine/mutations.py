"""``python -m tests.machine.mutations``: plant one bug at a time and see the state machine catch it.

Each mutation breaks one promise on purpose, in this process only. A mutation that survives means that the machine could
not see that promise being broken.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from rich.console import Console
from rich.table import Table

from ChatBot.db.embedded import EmbeddedServer
from ChatBot.db.images import Images
from ChatBot.db.private import PrivatePictures
from ChatBot.db.shares import Shares
from ChatBot.errors import NotFound
from ChatBot.media.files import FileStore
from ChatBot.models import Copy
from ChatBot.services.access import owns
from ChatBot.services.conversations.threads import Threads
from ChatBot.services.copies import replication
from ChatBot.services.pictures import gallery
from ChatBot.services.pictures.privacy import Privacy
from ChatBot.services.pictures.resolver import Resolver
from ChatBot.services.sharing import sharing
from ChatBot.services.upkeep.copy_check import CopyCheck
from ChatBot.services.upkeep.debris import Debris, Sweep
from ChatBot.services.upkeep.last_copy import LastCopyRule
from tests.machine.machine import Promises

Mutation = Callable[[ExitStack], None]


def replaced(owner: Any, name: str, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Mutation:
    """Return a mutation that puts ``change(original)`` in the place of a function."""

    def plant(stack: ExitStack) -> None:
        stack.enter_context(patch.object(owner, name, change(getattr(owner, name))))

    return plant


def together(*mutations: Mutation) -> Mutation:
    """Return a mutation that plants several: a promise with two defences is broken only when both are."""

    def plant(stack: ExitStack) -> None:
        for mutation in mutations:
            mutation(stack)

    return plant


def _ownership_is_enough(_original: Callable[..., Any]) -> Callable[..., Any]:
    """Owners see their pictures, whatever became of them."""
    return lambda viewer, image, _holder: owns(viewer, image.owner_id)


def _without_key(original: Callable[..., Any]) -> Callable[..., Any]:
    """A request's key is not stored with its answer."""
    return lambda self, *words, **options: original(self, *words, **{**options, "idempotency_key": None})


def _proved_at_once(original: Callable[..., Copy]) -> Callable[..., Copy]:
    """A host's reply counts as proof."""

    def after_upload(copy: Copy, **facts: Any) -> Copy:
        done = original(copy, **facts)
        update = {"state": "verified", "fidelity": "exact", "verified_at": facts["at"], "lease_owner": None}
        return done.model_copy(update=update)

    return after_upload


def _forgetful(original: Callable[..., Copy]) -> Callable[..., Copy]:
    """A URL that cannot be read is erased."""
    return lambda copy, error, at: original(copy, error, at).model_copy(update={"url": None, "state": "suspect"})


def _any_bytes_are_right(original: Callable[..., Copy]) -> Callable[..., Copy]:
    """Whatever the URL returns counts as the picture."""

    def after_read(copy: Copy, image: Any, data: bytes, at: Any, *rest: Any) -> Copy:
        update = {"state": "verified", "fidelity": "exact", "verified_at": at, "next_at": None, "lease_owner": None}
        return original(copy, image, data, at, *rest).model_copy(update=update)

    return after_read


def _unchecked_open(_original: Callable[..., Any]) -> Callable[..., Any]:
    """The local file is sent without looking at its hash."""
    return lambda _self, _file, _image, _mark: None


def _first_bytes_win(original: Callable[..., Any]) -> Callable[..., Any]:
    """A cloud copy is sent and written back without looking at its hash."""

    def fetch(self: Any, copy: Copy, image: Any, tried: list[str]) -> bytes | None:
        if not copy.url:
            return original(self, copy, image, tried)  # type: ignore[no-any-return]
        try:
            return bytes(self._chain.member(copy.host).fetch(copy.url))
        except Exception:
            return None

    return fetch


def _always(value: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The function answers the same, whatever it is asked."""
    return lambda _original: lambda *_, **__: value


def _blind_find(_original: Callable[..., Any]) -> Callable[..., Any]:
    """The trash is not looked at."""
    original = Images.find
    return lambda self, image_id, **_: original(self, image_id, trashed=True)


def _unsynced(_original: Callable[..., Any]) -> Callable[..., Any]:
    """Bytes are written and not synced before the picture is acknowledged."""

    def write(self: Any, path: Path, data: bytes) -> None:
        descriptor = self._calls.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(descriptor, data)
        os.close(descriptor)

    return write


def _torn(original: Callable[..., Any]) -> Callable[..., Any]:
    """Half of a file is written under its final name."""
    return lambda self, folder, filename, data, **options: original(
        self, folder, filename, data[: len(data) // 2], **options
    )


def _share_shows_all(_original: Callable[..., Any]) -> Callable[..., Any]:
    """A link shows every picture whose id is known."""

    def image(self: Any, _share: Any, image_id: str) -> Any:
        located = self._images.find(image_id)
        if located is None:
            raise NotFound("There is no such picture.")
        return located.image

    return image


MUTATIONS: dict[str, Mutation] = {
    "a host's reply is proof (no read-back)": replaced(replication, "after_upload", _proved_at_once),
    "any bytes behind the URL verify a copy": replaced(replication, "after_read", _any_bytes_are_right),
    "a negative answer erases the reference": replaced(replication, "after_unread", _forgetful),
    "evict without fetching the copy again": replaced(LastCopyRule, "why_kept", _always("")),
    "send the local file without checking it": replaced(Resolver, "_prove", _unchecked_open),
    "send a cloud copy without checking it": replaced(Resolver, "_fetch", _first_bytes_win),
    "acknowledge before the bytes are synced": replaced(FileStore, "_write_temporary", _unsynced),
    "acknowledge before the name is synced": replaced(FileStore, "_sync_folder", _always(None)),
    "files that belong to nothing stay for ever": replaced(Debris, "sweep", _always(Sweep(()))),
    "write half a file": replaced(FileStore, "write", _torn),
    "the trash still answers": together(
        replaced(Images, "find", _blind_find), replaced(gallery, "can_view_image", _ownership_is_enough)
    ),
    "everybody is the owner": replaced(gallery, "can_view_image", _always(True)),
    "a link shows every picture": replaced(sharing.Sharing, "image", _share_shows_all),
    "deleting a conversation forgets its links": replaced(Shares, "pinned", _always(set())),
    "revoking does nothing": replaced(Shares, "revoke", _always(True)),
    "idempotency keys are forgotten": replaced(Threads, "ask", _without_key),
    "published copies are never withdrawn": replaced(Privacy, "_withdraw", _always(False)),
    "a withdrawn copy is forgotten and not deleted": replaced(Privacy, "_delete", _always("confirmed")),
    "what becomes private is not marked": replaced(PrivatePictures, "mark", _always(0)),
    "what a power cut left unmarked is overlooked": replaced(PrivatePictures, "overlooked", _always(set())),
    "proofs are never looked at again": replaced(CopyCheck, "check_due", _always(0)),
    "a copy that vanished is not sent anew": replaced(CopyCheck, "_replace", _always(None)),
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Run with one mutation in place."""
    with ExitStack() as stack:
        MUTATIONS[name](stack)
        yield


def caught(name: str, mongo_uri: str, examples: int) -> str | None:
    """Return what the machine said about a mutation, or None when it survived."""
    machine = type("Mutant", (Promises,), {"mongo_uri": mongo_uri})
    with planted(name):
        try:
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=examples,
                    stateful_step_count=25,
                    deadline=None,
                    database=None,
                    phases=(Phase.generate,),
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except Exception as error:
            return str(error).splitlines()[0] if str(error) else type(error).__name__
    return None


def main() -> int:
    """Try the mutations and return 1 when one survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.machine.mutations", description=__doc__)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("names", nargs="*", help="which mutations; all without")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    table = Table("mutation", "caught by")
    survived = []
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        server = EmbeddedServer(Path(folder) / "mongo").start("trying mutations")
        for name in options.names or MUTATIONS:
            said = caught(name, server.uri, options.examples)
            table.add_row(name, said or "[bold]survived[/]")
            if said is None:
                survived.append(name)
        server.stop()
    Console().print(table)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
