"""One installation with two people, two cloud hosts that misbehave, and a disk that loses things."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from ChatBot.bootstrap import build
from ChatBot.config import Settings
from ChatBot.container import Services
from ChatBot.errors import ChatBotError, NotFound
from ChatBot.generators.base import GenerationRequest
from ChatBot.hosts.guarded import GuardedHost
from ChatBot.media.decoding import IN_PROCESS
from ChatBot.models import Copy, Image, Message, Provenance, User, new_id, now
from ChatBot.services.access import Viewer
from tests.fixtures.application import CHEAP_HASHER, PASSWORD, SECRET_KEY
from tests.machine.power import ForgetfulDisk
from tests.media.samples import noise, saved
from tests.standins.hosts import HostServer
from tests.standins.picture_host import PictureHost, Stored

SIDE = 64
PICTURE_FOLDERS = ("Image_Gen", "uploads", "thumbnails")
LONG = timedelta(days=2)
"""Longer than every lease, back-off and grace time."""


@dataclass
class Promise:
    """A picture that was acknowledged to somebody."""

    owner: User
    sha256: str
    conversation_id: str | None
    state: str = "live"
    """``live``, ``trashed``, ``purged``, or ``forfeited``: its last copy was taken from outside."""
    proved: set[str] = field(default_factory=set)
    """The URLs whose proof was seen to be a real one."""


class World:
    """The services under test and what they have promised so far."""

    def __init__(self, mongo_uri: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self.hosts = HostServer().__enter__()
        values: dict[str, Any] = {
            **{name.lower(): value for name, value in self.hosts.environment.items()},
            "secret_key": SECRET_KEY,
            "mongodb_uri": mongo_uri,
            "mongodb_db": f"machine_{new_id()}",
            "storage_root": self.folder / "Storage",
            "cloud_wait_seconds": 60.0,  # each answer waits for its copies: a replay finds the same states
            "trash_days": 1,
        }
        self._settings = Settings(_env_file=None, **values)
        self._disk = ForgetfulDisk()
        self.services = self._started()
        self.people = [self.services.accounts.create(name, PASSWORD) for name in ("ann", "bob")]
        self.promises: dict[str, Promise] = {}
        self.shares: dict[str, tuple[str, str]] = {}
        """Open links: share id -> (token, conversation id)."""
        self.pinned: dict[str, set[str]] = {}
        """The pictures that each open link was made with."""
        self.revoked: set[str] = set()
        self.removed: set[str] = set()
        """Conversations that were deleted."""
        self._random = random.Random(7)

    def close(self) -> None:
        """Take everything down."""
        self.services.database.client.drop_database(self._settings.mongodb_db)
        self.services.close()
        self.hosts.__exit__(None, None, None)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _started(self) -> Services:
        services = build(self._settings, hasher=CHEAP_HASHER, decoder=IN_PROCESS)
        services.files._calls = self._disk.calls
        for host in services.chain.known:
            assert isinstance(host, GuardedHost)
            for breaker in host._breakers.values():
                breaker.reset_timeout = 0  # it opens for seconds of the real clock, which no replay repeats
        return services

    def power_cut(self) -> None:
        """End everything at once, and let the disk forget what was not synced."""
        self.services.close()
        self._disk.cut()
        self.services = self._started()
        self.services.recovery.sweep(lonely=True)

    def crash(self) -> None:
        """Forget the running services as a killed process would, and start new ones on what is stored.

        A save was under way: its file is there, and no document of it.
        """
        (self._settings.storage_root / "Image_Gen" / f"{new_id()}.png").write_bytes(b"cut off by a kill")
        old = self.services
        self.services = self._started()
        old.close()
        self.services.recovery.sweep(lonely=True)

    # What people do

    def upload(self, person: int, seed: int) -> None:
        owner = self.people[person]
        # Nobody else hands in the same bytes: a host that loses them, or has them, is asked about by their hash.
        data = saved(noise((SIDE, SIDE), seed=1000 * person + seed), "PNG")
        image = self.services.image_handler.save_upload(data, Provenance(owner_id=owner.id, generated=False))
        self._acknowledged(image, owner, None)

    def draw(self, person: int, seed: int, key: str | None, conversation_id: str | None = None) -> list[str]:
        """Draw, with an idempotency key or into a conversation, and return the pictures' ids."""
        owner = self.people[person]
        prompt = f"a fox {seed} for {owner.username} with {key}"
        request = GenerationRequest(prompt=prompt, width=SIDE, height=SIDE, seed=seed)
        message = self.services.generation.start(owner, conversation_id, request, idempotency_key=key)
        message = self.services.generation.finished(message)
        for image in message.images:
            if image.id not in self.promises:
                self._acknowledged(image, owner, message.conversation_id)
        return [image.id for image in message.images]

    def trash(self, image_id: str) -> None:
        promise = self.promises[image_id]
        self.services.gallery.trash(promise.owner, image_id)
        promise.state = "trashed"

    def untrash(self, image_id: str) -> None:
        promise = self.promises[image_id]
        self.services.gallery.untrash(promise.owner, image_id)
        promise.state = "live"

    def delete_for_good(self, image_id: str) -> None:
        promise = self.promises[image_id]
        self.services.trash.delete(promise.owner, [image_id])
        promise.state = "purged"

    def share(self, conversation_id: str, owner: User) -> None:
        share, token = self.services.sharing.create(owner, conversation_id)
        self.shares[share.id] = (token, conversation_id)
        self.pinned[share.id] = set(share.image_ids)

    def revoke(self, share_id: str, owner: User) -> None:
        self.services.sharing.revoke(owner, share_id)
        self.revoked.add(self.shares.pop(share_id)[0])
        del self.pinned[share_id]

    def remove(self, conversation_id: str, owner: User) -> set[str]:
        """Delete a conversation and return its pictures; those that an open link shows stay."""
        self.services.threads.remove(owner, conversation_id)
        self.removed.add(conversation_id)
        kept = set().union(*self.pinned.values())
        shown = {each for each, promise in self.promises.items() if promise.conversation_id == conversation_id}
        for image_id in shown - kept:
            if self.promises[image_id].state == "live":
                self.promises[image_id].state = "trashed"
        return shown

    # What time and operators do

    def pass_time(self) -> None:
        """Let every lease run out and everything that waits become due."""
        past = now() - LONG
        messages = self.services.database["messages"]
        for name in ("next_at", "lease_until"):
            messages.update_many(
                {"images.id": {"$exists": True}},
                {"$set": {f"images.$[].copies.$[copy].{name}": past}},
                array_filters=[{f"copy.{name}": {"$ne": None}}],
            )
        messages.update_many(
            {"images.trashed_at": {"$ne": None}},
            {"$set": {"images.$[image].trashed_at": past}},
            array_filters=[{"image.trashed_at": {"$gt": past}}],
        )

    def age_proofs(self, at: datetime) -> None:
        """Let every proof of a copy be from then."""
        self.services.database["messages"].update_many(
            {"images.id": {"$exists": True}},
            {"$set": {"images.$[].copies.$[copy].verified_at": at}},
            array_filters=[{"copy.verified_at": {"$ne": None}}],
        )

    def work(self) -> None:
        """Let the background work run until nothing is due."""
        for _ in range(40):
            if not self.services.replicator.work_once():
                break
        for records in self.services.records:
            for _ in range(200):
                if not records.work_once():
                    break

    def purge(self) -> None:
        self.services.deletion.purge_due()
        for promise_id, promise in self.promises.items():
            located = self.services.repositories.images.find(promise_id, trashed=True)
            if promise.state == "trashed" and (located is None or located.image.id not in self._trashed_now()):
                promise.state = "purged"

    def _trashed_now(self) -> set[str]:
        past = now() - timedelta(days=1)
        return {
            located.image.id
            for located in self.services.repositories.images.each()
            if located.image.trashed_at is not None and located.image.trashed_at > past
        }

    def clean_up(self) -> None:
        self.services.cleanup.run(apply=True, max_age_days=0, force=True)

    def age_files(self) -> None:
        """Let every file under Storage be older than the grace time."""
        past = (now() - LONG).timestamp()
        for folder in PICTURE_FOLDERS:
            for path in (self._settings.storage_root / folder).iterdir():
                if path.is_file() and not path.is_symlink():
                    os.utime(path, (past, past))

    def strays(self) -> list[str]:
        """Return the files whose picture no document holds."""
        known = {located.image.id for located in self.services.repositories.images.each()}
        found = (each for folder in PICTURE_FOLDERS for each in (self._settings.storage_root / folder).iterdir())
        return [each.name for each in found if each.name != ".gitkeep" and each.name[:32] not in known]

    def is_kept(self, image_id: str) -> bool:
        """Say whether the right bytes are on this disk, or on a host behind an address that the document names."""
        image = self.image(image_id)
        if image is None:
            return False
        return self.has_local_file(image) or any(
            str(copy.url).endswith(host.picture_path(one)) and sha256(one.shown).hexdigest() == image.sha256
            for copy in image.copies
            if copy.url
            for host in (getattr(self.hosts, copy.host),)
            for one in host.live
        )

    def restore(self) -> None:
        self.services.restore.run(apply=True)

    # What the disk does

    def damage(self, image_id: str, how: Callable[[Path], None]) -> None:
        """Let the disk lose or change a local file; without an exact copy elsewhere the picture is forfeited."""
        image = self.image(image_id)
        if image is None:
            return
        path = self._settings.storage_root / image.folder / image.filename
        if not path.is_file() or path.is_symlink():
            return
        if not self.has_exact_copy(image):
            self.promises[image_id].state = "forfeited"
        how(path)

    def lose_copy(self, image_id: str, host_name: str, how: Callable[[Stored], None]) -> None:
        """Let a host lose or change what it has of a picture.

        Whatever has the same bytes is forfeited, unless they are on this disk or elsewhere.
        """
        image = self.image(image_id)
        if image is None:
            return
        for one in getattr(self.hosts, host_name).live:
            if sha256(one.shown).hexdigest() == image.sha256:
                how(one)
        for each in self.ids("live"):
            other = self.image(each)
            if other is None or other.sha256 != image.sha256:
                continue
            if not self.has_local_file(other) and not self.has_exact_copy(other):
                self.promises[each].state = "forfeited"

    def hosts_recover(self) -> None:
        """Let both hosts do again what they should."""
        for host in (self.hosts.postimages, self.hosts.imgbb):
            host.fault, host.serving = "ok", 200

    def has_local_file(self, image: Image) -> bool:
        """Say whether this disk has the right bytes of a picture."""
        path = self._settings.storage_root / image.folder / image.filename
        regular = path.is_file() and not path.is_symlink()
        return regular and sha256(path.read_bytes()).hexdigest() == image.sha256

    # What can be seen

    def was_fetched(self, copy: Copy) -> bool:
        """Say whether somebody asked the stand-in for the picture behind a copy's URL."""
        host = getattr(self.hosts, copy.host)
        return any(one.gets for one in host.stored if str(copy.url).endswith(host.picture_path(one)))

    def stored_at(self, host_name: str, url: str) -> list[Stored]:
        """Return what a stand-in still has behind an address."""
        host = getattr(self.hosts, host_name)
        return [one for one in host.live if url.endswith(host.picture_path(one))]

    def sent(self) -> Counter[str]:
        """Count by their hash which bytes the public hosts ever took."""
        stored = (*self.hosts.postimages.stored, *self.hosts.imgbb.stored)
        return Counter(sha256(one.data).hexdigest() for one in stored)

    def image(self, image_id: str) -> Image | None:
        located = self.services.repositories.images.find(image_id, trashed=True)
        return located.image if located else None

    def has_exact_copy(self, image: Image) -> bool:
        """Ask the stand-ins themselves, not the records, whether a recorded copy would give the right bytes now."""
        for copy in image.copies:
            if copy.state != "verified" or copy.fidelity != "exact" or not copy.url:
                continue
            host = getattr(self.hosts, copy.host)
            if not ill(host) and any(sha256(one.shown).hexdigest() == image.sha256 for one in host.live):
                return True
        return False

    def seen(self, viewer: Viewer, image_id: str) -> bytes | None:
        """Return the bytes a viewer gets for a picture, or None when it answers as absent."""
        try:
            image = self.services.gallery.view(viewer, image_id)
            with self.services.resolver.open(image).file as file:
                return file.read()
        except NotFound:
            return None

    def shared(self, token: str, image_id: str) -> bytes | None:
        """Return the bytes the holder of a link gets for a picture, or None."""
        try:
            image = self.services.sharing.image(self.services.sharing.open(token), image_id)
            with self.services.resolver.open(image).file as file:
                return file.read()
        except NotFound:
            return None

    def ids(self, state: str) -> list[str]:
        """Return pictures in the order of their making: their ids are random, and a run must be repeatable."""
        return [image_id for image_id, promise in self.promises.items() if promise.state == state]

    def messages(self) -> list[Message]:
        found = self.services.database["messages"].find({})
        return [Message.from_document(document) for document in found]

    def _acknowledged(self, image: Image, owner: User, conversation_id: str | None) -> None:
        self.promises[image.id] = Promise(owner, image.sha256, conversation_id)


def ill(host: PictureHost) -> bool:
    """Say whether a stand-in does not give out now what was sent to it."""
    return host.serving != 200 or host.fault in ("other_picture", "reencoded")


def quietly(action: Callable[[], Any]) -> bool:
    """Do something that the application may refuse with one of its own errors; say whether it did it."""
    try:
        action()
    except ChatBotError:
        return False
    return True
