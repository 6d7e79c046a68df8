"""The services wired by hand on a real database and a temporary disk, with whatever stand-in a test passes in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from PIL import Image as Pillow
from pymongo.database import Database

from ChatBot.assistants.base import Assistant, Finished, Piece, TextDelta, Turn
from ChatBot.cancelling import CancelCheck
from ChatBot.db.repositories import Repositories
from ChatBot.errors import BytesMissing, Cancelled, ChatBotError
from ChatBot.generators.base import (
    GeneratedPicture,
    GenerationRequest,
    Generator,
    Progress,
    ProgressCallback,
)
from ChatBot.hosts.base import CloudHost, DeletionProof, HostTraits, Receipt, Upload
from ChatBot.hosts.chain import HostChain
from ChatBot.jobs.base import Jobs
from ChatBot.jobs.memory import MemoryJobs
from ChatBot.media.files import FileStore
from ChatBot.media.paths import StoragePaths
from ChatBot.media.spool import Spool
from ChatBot.models import Conversation, Copy, Image, Message, Provenance, User, new_id, now
from ChatBot.services.accounts import Accounts
from ChatBot.services.conversations.chat import Chat
from ChatBot.services.conversations.generation import Generation
from ChatBot.services.conversations.running import Running
from ChatBot.services.conversations.threads import Threads
from ChatBot.services.copies.outbox import COPIES, Outbox
from ChatBot.services.copies.replication import Replicator
from ChatBot.services.events import EventLog
from ChatBot.services.pictures.deletion import Deletion
from ChatBot.services.pictures.gallery import Gallery
from ChatBot.services.pictures.image_handler import ImageHandler, IntakeLimits
from ChatBot.services.pictures.privacy import Privacy
from ChatBot.services.pictures.resolver import Resolver
from ChatBot.services.pictures.trash import Trash
from ChatBot.services.sharing.bundles import Bundles
from ChatBot.services.sharing.continuing import Continuing
from ChatBot.services.sharing.sharing import Sharing
from ChatBot.services.upkeep.stewardship import Limits, Stewardship
from tests.media.samples import noise, photograph, saved

LIMITS = IntakeLimits(max_bytes=500_000, max_pixels=4_000_000, max_frames=100)
TRAITS = HostTraits(max_bytes=32_000_000, public=True, deletable=True, may_recompress=False, trusted=True)
OWN_BUCKET = replace(TRAITS, public=False)
CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""The real algorithm at a hundredth of its work."""
SETTLED_SECONDS = 90.0
"""How long a test waits for background work before it fails."""


@cache
def picture(seed: int = 1, width: int = 64, height: int = 48) -> bytes:
    """Return a small PNG; another seed gives another picture."""
    return saved(noise((width, height), seed=seed), "PNG")


@cache
def wide_picture(seed: int = 1) -> bytes:
    """Return a JPEG that is wide enough to have a thumbnail of 256 pixels."""
    return saved(photograph((400, 300), seed=seed), "JPEG")


@cache
def re_encoded(data: bytes) -> bytes:
    """Return the same picture as other bytes, as a host that recompresses would."""
    return saved(Pillow.open(BytesIO(data)).convert("RGB"), "JPEG", quality=80)


class ScriptedHost(CloudHost):
    """A host in memory that does what its attributes say, and keeps a diary of what reached it."""

    def __init__(self, name: str = "first", *, traits: HostTraits = TRAITS, diary: list[str] | None = None) -> None:
        self.name = name
        self.traits = traits
        self.diary = diary if diary is not None else []
        self.pictures: dict[str, bytes] = {}
        self.upload_errors: list[Exception] = []
        """Raised one by one by the next uploads."""
        self.fetch_errors: list[ChatBotError] = []
        """Raised one by one by the next fetches."""
        self.down: ChatBotError | None = None
        """Raised by every call while it is set."""
        self.alters: Callable[[bytes], bytes] = lambda data: data
        """What the host makes of the bytes that it is sent."""
        self.proof: DeletionProof = "confirmed"
        self.gate = threading.Event()
        """Uploads wait for it."""
        self.gate.set()
        self.on_upload: Callable[[Upload], None] = lambda _: None
        """Called after the host took an upload, before it answers."""
        self.on_fetch: Callable[[], None] = lambda: None
        """Called once, while the host sends the next picture."""

    @property
    def uploads(self) -> int:
        return self.diary.count(f"{self.name}: upload")

    @property
    def fetches(self) -> int:
        return self.diary.count(f"{self.name}: fetch")

    def _upload(self, upload: Upload) -> Receipt:
        self.diary.append(f"{self.name}: upload")
        assert self.gate.wait(SETTLED_SECONDS)
        if self.down:
            raise self.down
        if self.upload_errors:
            raise self.upload_errors.pop(0)
        url = f"https://{self.name}.invalid/{new_id()}"
        self.pictures[url] = self.alters(upload.data)
        self.on_upload(upload)
        return Receipt(self.name, url, f"{url}/delete", f"{url}/page")

    def _fetch(self, url: str) -> bytes:
        self.diary.append(f"{self.name}: fetch")
        if self.down:
            raise self.down
        if self.fetch_errors:
            raise self.fetch_errors.pop(0)
        if url not in self.pictures:
            raise BytesMissing(f"{self.name} no longer has the picture")
        data = self.pictures[url]
        happening, self.on_fetch = self.on_fetch, lambda: None
        happening()
        return data

    def _delete(self, receipt: Receipt) -> DeletionProof:
        self.diary.append(f"{self.name}: delete")
        if self.down:
            raise self.down
        if self.proof == "confirmed":
            self.pictures.pop(receipt.url, None)
        return self.proof

    def _owns(self, url: str) -> bool:
        return url.startswith(f"https://{self.name}.invalid/")


class ScriptedGenerator(Generator):
    """Returns the pictures it was given, or raises; counts its calls."""

    name = "scripted"

    def __init__(self, *pictures: bytes) -> None:
        self.pictures = pictures or (picture(),)
        self.error: Exception | None = None
        self.requests: list[GenerationRequest] = []
        self.begun = threading.Event()
        self.gate = threading.Event()
        """Drawing waits for it."""
        self.gate.set()
        self.heeds_cancelling = True

    def _generate(
        self, request: GenerationRequest, on_progress: ProgressCallback, cancelled: CancelCheck
    ) -> list[GeneratedPicture]:
        self.requests.append(request)
        on_progress(Progress("generating", 0.5))
        self.begun.set()
        assert self.gate.wait(SETTLED_SECONDS)
        if self.error:
            raise self.error
        if cancelled() and self.heeds_cancelling:
            raise Cancelled("The picture was cancelled.")
        return [GeneratedPicture(data, seed=7, model="scripted-1") for data in self.pictures]

    def _check(self) -> None:
        if isinstance(self.error, ChatBotError):
            raise self.error


Script = Sequence[Piece | Exception | Callable[[], object]]


class ScriptedAssistant(Assistant):
    """Says one script per round (the last one again and again); exceptions in it are raised, functions called."""

    name = "scripted"

    def __init__(self, *scripts: Script) -> None:
        self.scripts = scripts or ([TextDelta("Hello."), Finished("stop")],)
        self.heard: list[list[Turn]] = []
        self.closed = 0

    def _stream(
        self,
        turns: Sequence[Turn],
        may_draw: bool,  # noqa: ARG002 - the interface's own
        cancelled: CancelCheck,  # noqa: ARG002 - the interface's own
    ) -> Iterator[Piece]:
        script = self.scripts[min(len(self.heard), len(self.scripts) - 1)]
        self.heard.append(list(turns))
        try:
            for step in script:
                if isinstance(step, Exception):
                    raise step
                if callable(step):
                    step()
                else:
                    yield step
        finally:
            self.closed += 1

    def _check(self) -> None:
        """It is always there."""


@dataclass
class Workshop:
    """All services; a second one on the same database and disk is another process."""

    database: Database[dict[str, Any]]
    root: Path
    repositories: Repositories
    hosts: tuple[CloudHost, ...] = ()
    generator: Generator = field(default_factory=ScriptedGenerator)
    assistant: Assistant = field(default_factory=ScriptedAssistant)
    store: Callable[[StoragePaths], FileStore] = FileStore
    cloud_wait_seconds: float = SETTLED_SECONDS
    trash_days: int = 30
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], datetime] = now
    """What the outbox takes for the present time."""
    jobs: Jobs = field(default_factory=MemoryJobs)
    """Nobody runs them; ``replicator.work_once`` does what is due."""

    def __post_init__(self) -> None:
        self._lay_the_ground()
        self._send_copies()
        self._keep_pictures()
        self._talk()

    def _lay_the_ground(self) -> None:
        kept = self.repositories
        self.messages, self.images = kept.messages, kept.images
        paths = StoragePaths(self.root)
        paths.ensure()
        self.files = self.store(paths)
        self.chain = HostChain(self.hosts)
        self.events = EventLog(kept.events)
        self.drawing = Running(self.messages, 8, "draw")
        self.chatting = Running(self.messages, 4, "chat")
        self.changed: list[str] = []
        self.stewardship = Stewardship.build(kept, paths, self.files, self.chain, self.limits)
        self.history = self.stewardship.history
        self.jobs.register(COPIES, lambda _: None, 0)
        self.outbox = Outbox(self.images, self.jobs)

    def _send_copies(self) -> None:
        self.replicator = Replicator(
            self.chain,
            self.images,
            self.files,
            self.changed.append,
            history=self.history,
            take_in=self.stewardship.orphans.take_in,
            wake=self.outbox.wake,
            clock=self.clock,
        )
        self.resolver = Resolver(self.files, self.images, self.chain, self.history)

    def _keep_pictures(self) -> None:
        kept = self.repositories
        self.privacy = Privacy(
            kept.users,
            kept.conversations,
            self.messages,
            self.images,
            kept.private,
            self.chain,
            self.replicator,
            self.resolver,
            self.changed.append,
            history=self.history,
        )
        self.handler = ImageHandler(
            self.files,
            self.messages,
            self.replicator,
            self.privacy,
            LIMITS,
            cloud_wait_seconds=self.cloud_wait_seconds,
            room=self.stewardship.quota,
            history=self.history,
        )
        self.gallery = Gallery(
            self.messages, self.images, self.events, room=self.stewardship.quota, history=self.history
        )
        self.deletion = Deletion(
            self.images,
            kept.tombstones,
            self.files,
            self.chain,
            trash_days=self.trash_days,
            history=self.history,
        )
        self.trash = Trash(kept.trash, self.gallery, self.deletion, self.resolver, trash_days=self.trash_days)

    def _talk(self) -> None:
        kept = self.repositories
        self.threads = Threads(
            kept.conversations, self.messages, self.images, kept.shares, self.events, kept.private, self.history
        )
        self.generation = Generation(
            {"scripted": self.generator},
            "scripted",
            self.handler,
            self.messages,
            self.threads,
            self.events,
            self.drawing,
            Spool(self.root / "spool"),
        )
        self.chat = Chat(
            self.assistant,
            self.generation,
            self.threads,
            self.messages,
            self.images,
            self.resolver,
            self.events,
            self.chatting,
        )
        self.accounts = Accounts(kept.users, kept.tokens, kept.sessions, allow_registration=True, hasher=CHEAP_HASHER)
        self.sharing = Sharing(
            kept.shares, kept.conversations, self.messages, self.images, self.threads, hasher=CHEAP_HASHER
        )
        self.bundles = Bundles(self.sharing, self.resolver, self.stewardship.viewing.note)
        self.continuing = Continuing(
            self.sharing, self.handler, self.resolver, kept.conversations, self.messages, kept.drafts, self.images
        )

    def close(self) -> None:
        """End all threads."""
        self.events.close()
        self.drawing.close()
        self.chatting.close()
        self.replicator.close()

    def upload(self, user: User, data: bytes | None = None, **provenance: Any) -> Image:
        """Keep a picture of that account and return it as it was acknowledged."""
        generated, conversation_id = provenance.pop("generated", False), provenance.pop("conversation_id", None)
        facts = Provenance(owner_id=user.id, generated=generated, **provenance)
        return self.handler.save_upload(data or picture(), facts, conversation_id)

    def image(self, image_id: str) -> Image:
        """Return a picture as it is stored now, from the trash too."""
        located = self.images.find(image_id, trashed=True)
        assert located is not None
        return located.image

    def path(self, image: Image) -> Path:
        """Return where the picture's file is."""
        return self.root / image.folder / image.filename

    def stored_files(self) -> set[str]:
        """Return the names of everything under Storage."""
        return {entry.filename for entry in self.files.list_files()}

    def settled(self, message: Message) -> Message:
        """Wait until a message is neither queued nor streaming and return it."""
        return self.generation.finished(message, SETTLED_SECONDS)

    def draw(self, user: User, conversation: Conversation | None = None) -> Message:
        """Draw one picture into a conversation, a new one if none is named."""
        conversation_id = conversation.id if conversation else None
        return self.settled(self.generation.start(user, conversation_id, GenerationRequest("a red fox")))


def make_user(name: str = "ann", **fields: Any) -> User:
    """Return an account that is in no database; its password is not usable."""
    return User(id=new_id(), username=name, username_key=name, password_hash="-", created_at=now(), **fields)


def make_image(owner_id: str | None = None, **fields: Any) -> Image:
    """Return the record of a picture that is in no database and on no disk."""
    image_id = fields.pop("id", None) or new_id()
    data = fields.pop("data", picture())
    wanted = {
        "id": image_id,
        "owner_id": owner_id or new_id(),
        "folder": "uploads",
        "filename": f"{image_id}.png",
        "mime_type": "image/png",
        "size": len(data),
        "width": 64,
        "height": 48,
        "sha256": sha256(data).hexdigest(),
        "crc32": 1,
        "generated": False,
        "created_at": now(),
    }
    return Image(**{**wanted, **fields})


def make_message(owner_id: str | None = None, **fields: Any) -> Message:
    """Return a message that is in no database."""
    wanted = {
        "id": new_id(),
        "conversation_id": new_id(),
        "owner_id": owner_id or new_id(),
        "role": "assistant",
        "created_at": now(),
    }
    return Message(**{**wanted, **fields})


def states(image: Image) -> dict[str, str]:
    """Return the state of each copy by host."""
    return {copy.host: copy.state for copy in image.copies}


def only_copy(image: Image) -> Copy:
    """Return the one copy that a picture has."""
    (copy,) = image.copies
    return copy


def make_due(workshop: Workshop, image_id: str) -> None:
    """Let every waiting time and every lease of a picture's copies be over."""
    past = now().replace(year=2020)
    workshop.database["messages"].update_one(
        {"images.id": image_id},
        {"$set": {"images.$[image].copies.$[].next_at": past}},
        array_filters=[{"image.id": image_id}],
    )
    workshop.database["messages"].update_one(
        {"images.id": image_id},
        {"$set": {"images.$[image].copies.$[leased].lease_until": past}},
        array_filters=[{"image.id": image_id}, {"leased.lease_until": {"$ne": None}}],
    )


def at_once(work: Callable[[int], Any], threads: int) -> list[Any]:
    """Run ``work(number)`` in so many threads at the same moment and return what each returned or raised."""
    results: list[Any] = [None] * threads
    barrier = threading.Barrier(threads)

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = work(number)
        except Exception as error:  # whatever it is, it is the result
            results[number] = error

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(SETTLED_SECONDS)
    return results
