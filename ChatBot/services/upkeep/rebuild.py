"""MongoDB from the files alone: insert what records tell of and the database lacks; never undo what is newer.

A record is input like any other: it may be damaged, stale or forged. What it says is taken only as far as the rest
agrees: the owner exists, the conversation is the owner's, the picture is nobody else's, was not deleted for good, and
its bytes are somewhere. People log in again: sessions and API tokens have no records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from ChatBot.db.images import Images
from ChatBot.db.ledger import KINDS, Ledger, kind_of
from ChatBot.db.users import Users
from ChatBot.errors import ChatBotError, Conflict, IntegrityError, SettingsError
from ChatBot.media.records import COMPLETE
from ChatBot.models import Conversation, Message, PictureLink, Recorded, RecordPlace, Share, Tombstone, User
from ChatBot.services.records import SUFFIX, RecordStore, decode_record
from ChatBot.services.upkeep.evidence import Evidence
from ChatBot.services.upkeep.salvage import Salvage, Verdict
from ChatBot.services.upkeep.volume import Volume

PARALLEL_READS = 16
BATCH = 256
Progress = Callable[[int], None]
R = TypeVar("R", bound=Recorded)
KIND_NAMES: dict[str, str] = {kind: name for kind, (name, _) in KINDS.items()}


@dataclass
class RebuildReport:
    """What a rebuild found: counts and ids of what was (or would be) added, and everything that was not, with why."""

    source: str
    applied: bool
    records: int = 0
    added: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KIND_NAMES.values(), 0))
    images: list[str] = field(default_factory=list)
    """Ids of the pictures that came back."""
    closed: list[str] = field(default_factory=list)
    """Shares and pictures that the database, restored from older data, had open although they were closed since."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Accounts whose name is taken by now, by id, with the name they came back under."""
    lost: dict[str, str] = field(default_factory=dict)
    """Ids of pictures whose bytes are nowhere, with what was tried."""
    gone: list[str] = field(default_factory=list)
    """Ids of pictures that were deleted for good and stay so."""
    skipped: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)


class Rebuild:
    """Reads the records of a place and brings back what MongoDB has lost."""

    def __init__(
        self,
        ledger: Ledger,
        images: Images,
        users: Users,
        evidence: Evidence,
        stores: Sequence[RecordStore],
        volume: Volume,
    ) -> None:
        self._ledger = ledger
        self._images = images
        self._users = users
        self._evidence = evidence
        self._stores = {store.place: store for store in stores}
        self._volume = volume

    def run(self, *, apply: bool, source: RecordPlace = "disk", on_step: Progress = lambda _: None) -> RebuildReport:
        """Find out what is missing, and with ``apply`` insert it. Running it again changes nothing.

        Raises ``SettingsError`` when that source of records is not set up, or Storage belongs to another database.
        """
        self._volume.require_no_other()
        store = self._stores.get(source)
        if store is None:
            raise SettingsError(f"There are no records at {source}; this server knows: {', '.join(self._stores)}.")
        report = _Run(self._ledger, self._images, self._users, self._evidence, store, apply, on_step).work()
        if apply and source == "disk":
            self._volume.adopt()
        return report


class _Run:
    """One rebuild: what it knows so far, and its report."""

    def __init__(
        self,
        ledger: Ledger,
        images: Images,
        users: Users,
        evidence: Evidence,
        store: RecordStore,
        apply: bool,
        on_step: Progress,
    ) -> None:
        self._ledger = ledger
        self._images = images
        self._users = users
        self._store = store
        self._apply = apply
        self._on_step = on_step
        self.report = RebuildReport(store.place, apply)
        self._names: dict[str, list[str]] = {kind: [] for kind in KINDS}
        self._owners = {kind: ledger.owners(kind) for kind in ("u", "c")}
        """Owner of each account (itself) and conversation, those that come back included."""
        self._usernames: set[str] = set()
        self._salvage = Salvage(ledger, images, evidence)

    def work(self) -> RebuildReport:
        for filename in sorted(self._store.names()):
            kind, _, rest = filename.partition("-")
            if filename == COMPLETE:
                continue
            if kind in KINDS and rest.endswith(SUFFIX):
                self._names[kind].append(filename.removesuffix(SUFFIX))
            else:
                self.report.damaged[filename] = "It is not a record."
        self._each(Tombstone, self._tombstone)
        self._each(User, self._user)
        self._keep_administrator()
        self._each(Conversation, self._conversation)
        self._salvage.claims = self._claims()
        self._each(Message, self._message, self._salvage.examine)
        self._each(Share, self._share)
        self._each(PictureLink, self._picture_link)
        return self.report

    def _each(
        self,
        model: type[R],
        handle: Callable[[R, bool, Verdict], None],
        examine: Callable[[R], Verdict] = lambda _: Verdict(),
    ) -> None:
        """Hand each readable record on: its document, whether the database has it, and what examining it found."""
        for batch, values in self._read(model, examine):
            known = self._ledger.known(batch)
            for name, (value, verdict) in values.items():
                try:
                    handle(value, name in known, verdict)
                except Conflict as error:
                    self.report.skipped[name] = str(error)
            self.report.records += len(batch)
            self._on_step(self.report.records)

    def _read(
        self, model: type[R], examine: Callable[[R], Verdict]
    ) -> Iterator[tuple[list[str], dict[str, tuple[R, Verdict]]]]:
        names = self._names[kind_of(model)]
        with ThreadPoolExecutor(PARALLEL_READS, thread_name_prefix="rebuild") as pool:
            for start in range(0, len(names), BATCH):
                batch = names[start : start + BATCH]
                found = pool.map(lambda name: self._read_one(name, model, examine), batch)
                yield batch, {name: one for name, one in zip(batch, found, strict=True) if one is not None}

    def _read_one(self, name: str, model: type[R], examine: Callable[[R], Verdict]) -> tuple[R, Verdict] | None:
        try:
            value = decode_record(name + SUFFIX, self._store.get(name + SUFFIX), model)
        except IntegrityError as error:
            self.report.damaged[name + SUFFIX] = str(error)
            return None
        except ChatBotError as error:
            self.report.damaged[name + SUFFIX] = f"It cannot be read: {error}"
            return None
        return value, examine(value)

    def _claims(self) -> dict[str, str | None]:
        """Return which message's record has each picture; None when two have it, for then neither is believed."""
        claims: dict[str, str | None] = {}
        for _, values in self._read(Message, lambda _: Verdict()):
            for value, _ in values.values():
                for image in value.images:
                    claims[image.id] = None if image.id in claims else value.id
        return claims

    def _insert(self, value: Recorded) -> None:
        if self._apply:
            self._ledger.insert(value)
        self.report.added[KIND_NAMES[kind_of(type(value))]] += 1

    def _tombstone(self, value: Tombstone, known: bool, _: Verdict) -> None:
        self._salvage.buried.add(value.id)
        if not known:
            self._insert(value)
            self._close_image(value.id)

    def _user(self, value: User, known: bool, _: Verdict) -> None:
        if known:
            return
        if value.username_key in self._usernames or self._users.by_name(value.username_key):
            suffix = f" {value.id[:8]}"
            names = {"username": value.username + suffix, "username_key": value.username_key + suffix}
            value = value.model_copy(update=names)
            self.report.renamed[value.id] = value.username
        self._insert(value)
        self._usernames.add(value.username_key)
        self._owners["u"][value.id] = value.id

    def _keep_administrator(self) -> None:
        """Without this the next stranger who registers would count as the first account."""
        if self._apply and self._owners["u"]:
            self._ledger.keep_administrator()

    def _conversation(self, value: Conversation, known: bool, _: Verdict) -> None:
        if known:
            return
        if value.owner_id not in self._owners["u"]:
            self.report.skipped[f"c-{value.id}"] = "Its owner is unknown."
            return
        self._insert(value)
        self._owners["c"][value.id] = value.owner_id

    def _message(self, value: Message, known: bool, verdict: Verdict) -> None:
        if value.owner_id not in self._owners["u"]:
            self.report.skipped[f"m-{value.id}"] = "Its owner is unknown."
            return
        self.report.lost |= verdict.lost
        self.report.gone += verdict.gone
        self.report.skipped |= verdict.skipped
        if known:
            self._complete(value, verdict)
            return
        own = value.conversation_id is not None and self._owners["c"].get(value.conversation_id) == value.owner_id
        if not own and not verdict.images:
            if not verdict.explained:
                self.report.skipped[f"m-{value.id}"] = "Its conversation is unknown."
            return
        self._insert(self._salvage.document(value, verdict, own))
        self.report.images += [image.id for image in verdict.images]

    def _complete(self, value: Message, verdict: Verdict) -> None:
        """Put into an older document of the message what its newer record has, and close what that closed."""
        stored = self._ledger.read(f"m-{value.id}")
        if not isinstance(stored, Message) or stored.revision >= value.revision or stored.owner_id != value.owner_id:
            return
        present = {image.id: image for image in stored.images}
        for image in value.images:
            if image.trashed_at and image.id in present and present[image.id].trashed_at is None:
                self._close_image(image.id)
        missing = [image for image in verdict.images if image.id not in present]
        if missing and (not self._apply or self._ledger.add_images(value.id, value.revision, missing)):
            self.report.images += [image.id for image in missing]

    def _close_image(self, image_id: str) -> None:
        """Put a picture that is open in the database into the trash, from where the purge takes it."""
        if self._images.find(image_id) and (not self._apply or self._images.trash(image_id)):
            self.report.closed.append(image_id)

    def _share(self, value: Share, known: bool, _: Verdict) -> None:
        if known:
            self._close_link(value)
        elif self._owners["c"].get(value.conversation_id) == value.owner_id or self._outlives(value):
            self._insert(value)
        elif value.revoked_at is None:
            self.report.skipped[f"s-{value.id}"] = "Its conversation is unknown."

    def _outlives(self, value: Share) -> bool:
        """Say whether a share shows a conversation that its owner deleted: it needs nobody's conversation any more."""
        return value.frozen and value.conversation_id not in self._owners["c"] and value.owner_id in self._owners["u"]

    def _picture_link(self, value: PictureLink, known: bool, _: Verdict) -> None:
        """Bring back a link also when its picture is lost: it shows nothing until the picture returns."""
        if known:
            self._close_link(value)
        elif value.owner_id in self._owners["u"]:
            self._insert(value)
        elif value.revoked_at is None:
            self.report.skipped[f"l-{value.id}"] = "Its account is unknown."

    def _close_link(self, value: Share | PictureLink) -> None:
        """Close a link that the database, restored from older data, has open."""
        stored = self._ledger.read(f"{kind_of(type(value))}-{value.id}")
        older = isinstance(stored, type(value)) and stored.revoked_at is None and stored.revision < value.revision
        if value.revoked_at and older and (not self._apply or self._ledger.close_link(value)):
            self.report.closed.append(value.id)
