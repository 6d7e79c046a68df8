"""``ImageHandler``: accept a picture's bytes (or a PDF's), keep them here and in MongoDB, send them to a cloud host.

The order of a save: validate and encode; write the file durably *while* the upload already runs; one MongoDB write of
the message with the embedded picture and its pending copies; acknowledge. The answer waits for the hosts a few
seconds at most, the outbox does the rest.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import structlog

from ChatBot.db.history import NO_HISTORY, Notes
from ChatBot.db.messages import Messages
from ChatBot.errors import Cancelled, ChatBotError, DatabaseUnavailable, IntegrityError
from ChatBot.hosts.base import Upload
from ChatBot.media import documents
from ChatBot.media.decoding import IN_PROCESS, Decoder
from ChatBot.media.encoding import StoredPicture
from ChatBot.media.files import FileStore
from ChatBot.models import Image, Message, MessageStatus, Provenance, new_id, now
from ChatBot.services.copies.replication import Delivery, Replicator, wait_for
from ChatBot.services.pictures.privacy import Privacy
from ChatBot.services.pictures.quota import UNLIMITED, Room

log = structlog.get_logger(__name__)

COPIED = {
    *("kind", "folder", "mime_type", "size", "width", "height", "frames", "sha256", "crc32", "thumbhash"),
    *("generated", "prompt", "caption"),
}
"""What a copy in another account takes over: what its bytes say anyway, and the words that a viewer reads."""


@dataclass(frozen=True)
class IntakeLimits:
    """What a picture may be: ``max_bytes`` is the stored size aimed at (0: lossless), the rest are hard limits."""

    max_bytes: int
    max_pixels: int
    max_frames: int


@dataclass(frozen=True)
class Staged:
    """A picture whose file is durable and whose upload runs, but which no document holds yet."""

    image: Image
    delivery: Delivery


class ImageHandler:
    """Saves pictures so that an acknowledged one is never lost."""

    def __init__(
        self,
        files: FileStore,
        messages: Messages,
        replicator: Replicator,
        privacy: Privacy,
        limits: IntakeLimits,
        *,
        cloud_wait_seconds: float,
        decoder: Decoder = IN_PROCESS,
        room: Room = UNLIMITED,
        history: Notes = NO_HISTORY,
    ) -> None:
        self._files = files
        self._messages = messages
        self._replicator = replicator
        self._privacy = privacy
        self._decoder = decoder
        self._limits = limits
        self._cloud_wait_seconds = cloud_wait_seconds
        self._room = room
        self._history = history

    def require_room(self, owner_id: str, images: int = 1) -> None:
        """Raise ``QuotaExceeded`` when an account cannot keep so many more pictures: ask before they are made."""
        self._room.require_room(owner_id, images)

    def save_upload(self, data: bytes, provenance: Provenance, conversation_id: str | None = None) -> Image:
        """Keep a picture or a PDF that no conversation shows yet; ``conversation_id`` is the one it is meant for.

        Raises ``QuotaExceeded``, ``PictureRefused``, ``TooLarge``, ``StorageError`` or ``DatabaseUnavailable``; then
        nothing was kept.
        """
        self.require_room(provenance.owner_id)
        stage = self._stage_file if documents.is_pdf(data) else self.stage
        staged = stage(data, provenance, conversation_id)
        moment = now()
        holder = Message(
            id=new_id(),
            conversation_id=None,
            owner_id=provenance.owner_id,
            role="upload",
            images=(staged.image,),
            created_at=moment,
            updated_at=moment,
        )
        self.add([holder], [staged])
        return self._after_hosts(holder, [staged])[0]

    def add(self, messages: Sequence[Message], staged: Sequence[Staged]) -> None:
        """Write new messages of one account that hold the staged pictures: from here on they are acknowledged.

        Raises ``QuotaExceeded`` or ``Conflict`` (nothing of the pictures is kept), or ``DatabaseUnavailable``.
        """
        try:
            with self._room.room_for([each.image for each in staged]):
                self._messages.add(*messages)
        except ChatBotError as error:
            self._after_failed_write(staged, error)
            raise
        self._acknowledged(staged, *messages)

    def stage(self, data: bytes, provenance: Provenance, conversation_id: str | None = None) -> Staged:
        """Validate and encode, then write the file while the upload already runs.

        The account and the conversation decide whether it may go to public hosts.

        Raises ``PictureRefused``, ``TooLarge`` or ``StorageError``; then neither file nor copy stays.
        """
        picture = self._decoder.encode(
            data,
            max_bytes=self._limits.max_bytes,
            max_pixels=self._limits.max_pixels,
            max_frames=self._limits.max_frames,
        )
        image = self._describe(picture, provenance, self._privacy.required(provenance.owner_id, conversation_id))
        return self._begin(image, picture.data, picture.thumbnails)

    def _stage_file(self, data: bytes, provenance: Provenance, conversation_id: str | None = None) -> Staged:
        """Do the same with a PDF, which is kept byte for byte and offered to private hosts only."""
        documents.require_whole(data)
        image_id = new_id()
        image = Image(
            **provenance.model_dump(),
            id=image_id,
            kind="file",
            folder="uploads",
            filename=f"{image_id}.{documents.EXTENSION}",
            mime_type=documents.MIME_TYPE,
            size=len(data),
            width=0,
            height=0,
            sha256=sha256(data).hexdigest(),
            crc32=zlib.crc32(data),
            private=self._privacy.required(provenance.owner_id, conversation_id),
            copies=self._replicator.first_copies(private=True),
            created_at=now(),
        )
        return self._begin(image, data, {})

    def stage_copy(self, image: Image, data: bytes, owner_id: str, conversation_id: str | None = None) -> Staged:
        """Do the same with the stored bytes of a picture, as a new one that is another account's own.

        Of what is known about the picture the copy has only what everybody sees who is shown it; what no public host
        might have, none may have of the copy either. Raises
        ``IntegrityError`` when those are not its bytes, or ``StorageError``.
        """
        if sha256(data).hexdigest() != image.sha256:
            raise IntegrityError("The bytes of this picture are not the recorded ones.")
        private, image_id = self._privacy.required(owner_id, conversation_id), new_id()
        own = {
            "id": image_id,
            "owner_id": owner_id,
            "filename": f"{image_id}.{image.filename.rpartition('.')[2]}",
            "original_name": image.original_name if image.is_file else None,
            "private": private,
            "withheld": image.off_public_hosts,
            "copies": self._replicator.first_copies(private=private or image.off_public_hosts),
            "created_at": now(),
        }
        return self._begin(Image(**image.model_dump(include=COPIED), **own), data, {})

    def _begin(self, image: Image, data: bytes, thumbnails: Mapping[int, bytes]) -> Staged:
        """Start the upload and write the files meanwhile."""
        upload = Upload(image.id, data, image.mime_type, image.sha256, private=image.off_public_hosts)
        delivery = self._replicator.begin(upload)
        try:
            self._files.write(image.folder, image.filename, data)
            for width, thumbnail in thumbnails.items():
                self._files.write_thumbnail(image.id, width, thumbnail)
        except ChatBotError:
            self.discard([Staged(image, delivery)])
            raise
        return Staged(image, delivery)

    def commit(self, message_id: str, staged: Sequence[Staged], status: MessageStatus = "complete") -> Message:
        """Write staged pictures into a running message: from here on they are acknowledged.

        Raises ``Cancelled`` when the message no longer waits for them or ``QuotaExceeded`` when there is no room for
        them (nothing is kept), or ``DatabaseUnavailable``.
        """
        images = [each.image for each in staged]
        try:
            with self._room.room_for(images):
                message = self._messages.settle(message_id, status, images=images)
                if message is None:
                    raise Cancelled("The message was stopped or removed before its picture was ready.")
        except ChatBotError as error:
            self._after_failed_write(staged, error)
            raise
        self._acknowledged(staged, message)
        return message

    def wait_for_hosts(self, staged: Sequence[Staged]) -> None:
        """Give the hosts their few seconds; whatever has not finished by then is the outbox's."""
        wait_for([each.delivery for each in staged], self._cloud_wait_seconds)

    def discard(self, staged: Sequence[Staged]) -> None:
        """Remove staged pictures that no document holds: their files, and what was uploaded."""
        for each in staged:
            each.delivery.abandon()  # all of them, before a bad disk can stop us
        for each in staged:
            self._files.delete(each.image.folder, each.image.filename)
            self._files.delete_thumbnails(each.image.id)

    def _after_failed_write(self, staged: Sequence[Staged], error: ChatBotError) -> None:
        """After a refused write the files go; after an unknown outcome they stay, for the document may exist.

        Files without a document are removed by the clean-up once the grace time is over.
        """
        if isinstance(error, DatabaseUnavailable):
            for each in staged:
                each.delivery.keep()
            return
        self.discard(staged)

    def _acknowledged(self, staged: Sequence[Staged], *holders: Message) -> None:
        for holder in holders:
            try:
                self._privacy.uphold(holder)
            except DatabaseUnavailable as error:
                log.warning("image_handler.privacy_unknown", message=holder.id, error=str(error))
        for each in staged:
            self._history.note(each.image.id, "stored")
            each.delivery.keep()

    def _after_hosts(self, holder: Message, staged: Sequence[Staged]) -> tuple[Image, ...]:
        self.wait_for_hosts(staged)
        fresh = self._messages.get(holder.id)
        return fresh.images if fresh else holder.images

    def _describe(self, picture: StoredPicture, provenance: Provenance, private: bool) -> Image:
        image_id = new_id()
        return Image(
            **provenance.model_dump(exclude={"metadata"}),
            id=image_id,
            folder="Image_Gen" if provenance.generated else "uploads",
            filename=f"{image_id}.{picture.extension}",
            mime_type=picture.mime_type,
            size=len(picture.data),
            width=picture.width,
            height=picture.height,
            frames=picture.frames,
            sha256=picture.sha256,
            crc32=picture.crc32,
            thumbhash=picture.thumbhash,
            metadata={**picture.metadata, **provenance.metadata},
            private=private,
            copies=self._replicator.first_copies(private=private),
            created_at=now(),
        )
