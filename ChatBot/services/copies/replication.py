"""Copies on cloud hosts: send them, record what came of it, prove them by reading back, try again later.

The outbox is the list of copies inside each picture's document. A copy is leased by whoever works on it, so a
process that dies leaves a lease that runs out and another worker takes over. ``copies`` holds the transitions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for_futures
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from ChatBot.db.history import NO_HISTORY, Notes, note_copy
from ChatBot.db.images import Images, Lease
from ChatBot.errors import BytesMissing, ChatBotError, ProviderError, ProviderUnavailable
from ChatBot.hosts.base import Receipt, Upload
from ChatBot.hosts.chain import Attempt, HostChain
from ChatBot.media.decoding import IN_PROCESS, Decoder
from ChatBot.media.files import FileStore
from ChatBot.models import Copy, Image, new_id, now
from ChatBot.services.copies.copies import LEASE_SECONDS, after_failure, after_read, after_unread, after_upload

log = structlog.get_logger(__name__)

PARALLEL_UPLOADS = 8

Listener = Callable[[str], None]
TakeIn = Callable[[str, Receipt], None]
"""Is told of a copy that belongs to nothing and could not be deleted at once: the picture's id and the receipt."""
Wake = Callable[[str, datetime], None]
"""Is told when a copy of a picture is to be worked on next; it must not raise."""


@dataclass
class Delivery:
    """An upload that runs beside the local write and waits for the document before it records anything."""

    upload: Upload
    done: Future[None] | None = None
    _decided: threading.Event = field(default_factory=threading.Event)
    _kept: bool = False

    def keep(self) -> None:
        """The document is written: the outcome may be recorded."""
        self._kept = True
        self._decided.set()

    def abandon(self) -> None:
        """There will be no document: whatever was uploaded is to be deleted again."""
        self._decided.set()

    def kept(self) -> bool:
        """Wait for the decision and return it."""
        return self._decided.wait(LEASE_SECONDS) and self._kept


def wait_for(deliveries: Iterable[Delivery], seconds: float) -> None:
    """Wait for the uploads and their read-backs, at most that long for all of them together."""
    running = {each.done: each.upload.image_id for each in deliveries if each.done is not None}
    if seconds > 0 and (late := wait_for_futures(running, timeout=seconds).not_done):
        log.info("replication.answer_goes_ahead", images=[running[each] for each in late])


class Replicator:
    """Brings the copies of pictures to the hosts of a chain and proves them."""

    def __init__(
        self,
        chain: HostChain,
        images: Images,
        files: FileStore,
        on_change: Listener,
        *,
        decoder: Decoder = IN_PROCESS,
        history: Notes = NO_HISTORY,
        take_in: TakeIn = lambda _image_id, _receipt: None,
        wake: Wake = lambda _image_id, _at: None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """``clock`` returns the present time in UTC."""
        self._clock = clock
        self._wake = wake
        self._decoder = decoder
        self._history = history
        self._take_in = take_in
        self._chain = chain
        self._images = images
        self._files = files
        self._on_change = on_change
        self._owner = new_id()
        self._pool = ThreadPoolExecutor(PARALLEL_UPLOADS, thread_name_prefix="upload")

    def first_copies(self, *, private: bool) -> tuple[Copy, ...]:
        """Return the copies a new picture starts with: the first host's, leased to this process; none without hosts."""
        hosts = self._chain.open_to(private=private)
        if not hosts:
            return ()
        until = self._clock() + timedelta(seconds=LEASE_SECONDS)
        first = hosts[0].name
        return (Copy(host=first, state="leased", lease_owner=self._owner, lease_until=until, next_at=until),)

    def begin(self, upload: Upload) -> Delivery:
        """Start sending a new picture's bytes through the chain, in parallel with its local write."""
        delivery = Delivery(upload)
        if self._chain.open_to(private=upload.private):
            delivery.done = self._pool.submit(self._deliver, delivery)
        return delivery

    def owe(self, image: Image) -> bool:
        """Put a copy on the first host into the outbox if the picture has none there; False when there is no need."""
        hosts = self._chain.open_to(private=image.off_public_hosts)
        if not hosts:
            return False
        fresh = Copy(host=hosts[0].name, next_at=self._clock())
        old = next((copy for copy in reversed(image.copies) if copy.host == fresh.host), None)
        if old is None:
            return self._images.add_copy(image.id, fresh)
        return old.state == "gone" and self._images.set_copy(image.id, old, fresh)

    def work_once(self) -> bool:
        """Do one due piece of the outbox; False when nothing is due."""
        return self._work(self._images.lease_due(self._owner, LEASE_SECONDS, self._clock()))

    def work_on(self, image_id: str) -> bool:
        """Do one due piece of the outbox that is about this picture; False when nothing of it is due."""
        return self._work(self._images.lease_due(self._owner, LEASE_SECONDS, self._clock(), image_id))

    def _work(self, lease: Lease | None) -> bool:
        if lease is None:
            return False
        copy = _copy_of(lease.located.image, lease.host)
        if copy.state == "uploaded":
            self._read_back(lease.located.image, copy)
        else:
            self._send_again(lease, copy)
        self._on_change(lease.located.image.id)
        return True

    def close(self) -> None:
        """Let running uploads finish; what is still queued stays leased and is taken over later."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _deliver(self, delivery: Delivery) -> None:
        try:
            attempt = self._chain.upload_detailed(delivery.upload)
            located = self._images.find(delivery.upload.image_id, trashed=True) if delivery.kept() else None
            if located is None:
                self._take_back(delivery.upload.image_id, attempt)
                return
            self._record(located.image, attempt)
            self._on_change(delivery.upload.image_id)
        except ChatBotError as error:
            log.warning("replication.unrecorded", image=delivery.upload.image_id, error=str(error))
        except Exception:
            # The lease runs out and the outbox tries again; the picture itself is safe on this disk.
            log.exception("replication.broke", image=delivery.upload.image_id)

    def _take_back(self, image_id: str, attempt: Attempt) -> None:
        """Delete what was uploaded in vain; what cannot be deleted now is an orphan that is looked after."""
        if attempt.receipt is None:
            return
        try:
            proof = self._chain.delete(attempt.receipt)
        except ChatBotError as error:
            log.warning("replication.orphan", host=attempt.receipt.host, error=str(error))
            proof = "pending"
        if proof != "confirmed":
            self._take_in(image_id, attempt.receipt)

    def _record(self, image: Image, attempt: Attempt) -> None:
        for host, failure in attempt.failures.items():
            self._store(image, host, partial(after_failure, failure=failure, at=self._clock()))
        if attempt.receipt is not None:
            change = partial(after_upload, receipt=attempt.receipt, owner=self._owner, at=self._clock())
            uploaded = self._store(image, attempt.receipt.host, change)
            if uploaded is not None:
                self._read_back(image, uploaded)
            elif not self._is_recorded(image.id, attempt.receipt):
                self._take_back(image.id, attempt)

    def _is_recorded(self, image_id: str, receipt: Receipt) -> bool:
        """Say whether a copy has that very URL: a host may answer the same one to whoever was faster."""
        located = self._images.find(image_id, trashed=True)
        return located is not None and any(copy.url == receipt.url for copy in located.image.copies)

    def _store(self, image: Image, host: str, change: Callable[[Copy], Copy]) -> Copy | None:
        """Apply a change to the copy on a host, adding the copy if this is the first one there."""
        old = next((copy for copy in reversed(image.copies) if copy.host == host), None)
        new = change(old or Copy(host=host))
        written = self._images.set_copy(image.id, old, new) if old else self._images.add_copy(image.id, new)
        if not written:
            log.warning("replication.lost_race", image=image.id, host=host, state=new.state)
            return None
        note_copy(self._history, image.id, new)
        self._wake_for(image.id, new)
        return new

    def _send_again(self, lease: Lease, copy: Copy) -> None:
        image = lease.located.image
        try:
            data = self._files.read(image.folder, image.filename, image.sha256)
        except ChatBotError as error:
            failure = ProviderUnavailable(f"The local file cannot be sent: {error}", provider=copy.host)
            self._record(image, Attempt(None, {copy.host: failure}))
            return
        upload = Upload(image.id, data, image.mime_type, image.sha256, image.off_public_hosts)
        self._record(image, self._attempt(upload, copy, image))

    def _attempt(self, upload: Upload, copy: Copy, image: Image) -> Attempt:
        """A first attempt goes through the whole chain; a later one to the one host that still owes a copy."""
        first = next(iter(self._chain.open_to(private=upload.private)), None)
        if copy.attempts == 0 and len(image.copies) == 1 and first is not None and copy.host == first.name:
            return self._chain.upload_detailed(upload)
        try:
            return Attempt(self._chain.member(copy.host).upload(upload), {})
        except ProviderError as error:
            return Attempt(None, {copy.host: error})

    def _read_back(self, image: Image, copy: Copy) -> None:
        try:
            data = self._chain.member(copy.host).fetch(copy.url or "")
        except (ProviderError, BytesMissing) as error:
            proved = after_unread(copy, str(error), self._clock())
        else:
            proved = after_read(copy, image, data, self._clock(), self._decoder)
        if not self._images.set_copy(image.id, copy, proved):
            log.warning("replication.lost_race", image=image.id, host=copy.host, state=proved.state)
            return
        note_copy(self._history, image.id, proved)
        self._wake_for(image.id, proved)
        if proved.state == "verified":
            for old in image.copies:
                if (old.host, old.state) == (proved.host, "suspect"):
                    self.retire(image, old, proved)

    def _wake_for(self, image_id: str, copy: Copy) -> None:
        """Wake whoever works when a copy is due again; one that is held by a lease needs it only if its holder dies."""
        if copy.next_at is not None and copy.lease_owner is None:
            self._wake(image_id, copy.next_at)

    def retire(self, image: Image, old: Copy, proved: Copy) -> None:
        """Forget a suspect copy whose replacement is proved, once what may be left of it is deleted on the host."""
        proof = "confirmed"
        if old.url and old.url != proved.url:
            try:
                proof = self._chain.delete(Receipt(old.host, old.url, old.delete_url, old.page_url))
            except (ProviderError, BytesMissing) as error:
                log.warning("replication.not_retired", image=image.id, host=old.host, error=str(error))
                return
        if proof == "confirmed":
            self._images.remove_suspect(image.id, old)


def _copy_of(image: Image, host: str) -> Copy:
    """Return the newest copy on a host: a suspect one may have its replacement beside it, which was added later."""
    return next(copy for copy in reversed(image.copies) if copy.host == host)
