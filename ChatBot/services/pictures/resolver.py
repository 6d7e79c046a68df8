"""From a picture's record to its bytes: this disk first, else a cloud copy whose hash is right, which heals it."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import BinaryIO

import structlog

from ChatBot.db.history import NO_HISTORY, Notes
from ChatBot.db.images import Images
from ChatBot.errors import BytesMissing, ChatBotError, IntegrityError, NotFound, StorageError
from ChatBot.hosts.chain import HostChain
from ChatBot.media.decoding import IN_PROCESS, Decoder
from ChatBot.media.files import FileStore
from ChatBot.media.paths import THUMBNAIL_WIDTHS
from ChatBot.models import Copy, Image, LocalState

log = structlog.get_logger(__name__)

THUMBNAIL_TYPE = "image/webp"
FETCHED_STATES: frozenset[str] = frozenset({"verified", "uploaded", "suspect"})
"""Copies that are worth asking for; what they answer is compared anyway."""
REMEMBERED_PROOFS = 100_000
"""Files whose hash was checked since they last changed; one entry takes about 200 bytes."""


@dataclass(frozen=True)
class Opened:
    """Bytes ready to be sent: an open file positioned at 0, its size in bytes, its SHA-256, its type, its source."""

    file: BinaryIO
    size: int
    etag: str
    mime_type: str
    source: str
    """``local`` or the name of the host the bytes came from."""


class Resolver:
    """Opens the bytes of pictures and of their thumbnails; only the recorded bytes ever leave it."""

    def __init__(
        self,
        files: FileStore,
        images: Images,
        chain: HostChain,
        history: Notes = NO_HISTORY,
        decoder: Decoder = IN_PROCESS,
    ) -> None:
        self._history = history
        self._decoder = decoder
        self._files = files
        self._images = images
        self._chain = chain
        self._proved: dict[tuple[int, ...], str] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def open(self, image: Image) -> Opened:
        """Return the stored byte string of a picture.

        Raises ``NotFound`` when neither this disk nor any copy has the right bytes; the text says what was tried.
        """
        try:
            return self._open_local(image)
        except (BytesMissing, IntegrityError, StorageError) as error:
            return self._heal(image, error)

    def open_thumbnail(self, image: Image, width: int) -> Opened:
        """Return a rendition that is ``width`` pixels wide (one of ``THUMBNAIL_WIDTHS``), made anew when it is missing.

        A picture that is not wider than that is returned itself. Raises ``NotFound`` for another width, and for files.
        """
        if width not in THUMBNAIL_WIDTHS or image.is_file:
            raise NotFound("There is no such size.")
        if image.width <= width:
            return self.open(image)
        try:
            return _in_memory(self._files.read_thumbnail(image.id, width), THUMBNAIL_TYPE, "local")
        except BytesMissing:
            return self._make_thumbnail(image, width)

    def _make_thumbnail(self, image: Image, width: int) -> Opened:
        opened = self.open(image)
        with opened.file as file:
            data = self._decoder.render(file.read(), width, max_pixels=image.width * image.height)
        if data is None:
            return self.open(image)
        try:
            self._files.write_thumbnail(image.id, width, data)
        except StorageError as error:
            log.warning("resolver.thumbnail_not_kept", image=image.id, error=str(error))
        self._require_not_deleted(image)
        return _in_memory(data, THUMBNAIL_TYPE, opened.source)

    def at_hand(self, image: Image, width: int | None = None) -> Opened | None:
        """Return what this disk can send at once; None when it must be fetched, proved wrong, or made first."""
        try:
            if width is not None and image.is_file:
                return None
            if width is None or image.width <= width:
                return self._open_local(image)
            return _in_memory(self._files.read_thumbnail(image.id, width), THUMBNAIL_TYPE, "local")
        except (IntegrityError, StorageError):
            return None

    def may_open(self, image: Image) -> bool:
        """Say whether there is anything to open a picture from, asking no host; False: its bytes are nowhere now.

        A file that is not known to be damaged counts unread; it is proved when it is opened.
        """
        if image.local == "present" and self._lies_here(image):
            return True
        if any(copy.url and copy.state in FETCHED_STATES for copy in image.copies):
            return True
        opened = self.at_hand(image)
        if opened is not None:
            opened.file.close()
        return opened is not None

    def restore(self, image: Image) -> str:
        """Bring the local file back from a copy; returns where the bytes came from (``local``: it was there).

        Raises ``NotFound`` when no copy has the right bytes.
        """
        opened = self.open(image)
        opened.file.close()
        return opened.source

    def fetch(self, image: Image) -> tuple[bytes, str]:
        """Return the right bytes from a copy, and the name of its host; writes nothing.

        Raises ``NotFound`` when no copy has them; the text says what was tried.
        """
        tried: list[str] = []
        for copy in image.copies:
            data = self._fetch(copy, image, tried)
            if data is not None:
                return data, copy.host
        raise NotFound("No copy has the bytes; tried: " + ("; ".join(tried) or "none, there is no copy") + ".")

    def _lies_here(self, image: Image) -> bool:
        try:
            return self._files.exists(image.folder, image.filename)
        except StorageError:
            return False

    def _open_local(self, image: Image) -> Opened:
        file, stat = self._files.open(image.folder, image.filename)
        try:
            mark = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            if self._proved.get(mark) != image.sha256:
                self._prove(file, image, mark)
        except BaseException:
            file.close()
            raise
        return Opened(file, stat.st_size, image.sha256, image.mime_type, "local")

    def _prove(self, file: BinaryIO, image: Image, mark: tuple[int, ...]) -> None:
        """Hash the open file once per change of it (device, inode, size and both times)."""
        try:
            data = file.read()
        except OSError as error:
            raise StorageError(f"The local file cannot be read: {error.strerror or error}.") from error
        if sha256(data).hexdigest() != image.sha256:
            raise IntegrityError("The local file is damaged.")
        file.seek(0)
        if len(self._proved) >= REMEMBERED_PROOFS:
            self._proved.clear()
        self._proved[mark] = image.sha256

    def _heal(self, image: Image, cause: ChatBotError) -> Opened:
        """Fetch once for all who wait, check, write back and open."""
        with self._locks[image.id]:
            try:
                return self._open_local(image)
            except (BytesMissing, IntegrityError, StorageError):
                pass
            tried = [f"this disk ({cause})"]
            for copy in image.copies:
                data = self._fetch(copy, image, tried)
                if data is not None:
                    return self._write_back(image, data, copy.host)
        log.error("resolver.nothing_left", image=image.id, tried=tried)
        self._mark(image, "corrupt" if isinstance(cause, IntegrityError) else image.local)
        raise NotFound("The bytes of this picture are not available now; tried: " + "; ".join(tried) + ".")

    def _fetch(self, copy: Copy, image: Image, tried: list[str]) -> bytes | None:
        if not copy.url or copy.state not in FETCHED_STATES:
            return None
        try:
            data = self._chain.member(copy.host).fetch(copy.url)
        except ChatBotError as error:
            tried.append(f"{copy.host} ({error})")
            return None
        if sha256(data).hexdigest() != image.sha256:
            tried.append(f"{copy.host} (other bytes)")
            return None
        return data

    def _write_back(self, image: Image, data: bytes, host: str) -> Opened:
        try:
            self._files.write(image.folder, image.filename, data, replace=True)
        except StorageError as error:
            log.warning("resolver.not_healed", image=image.id, error=str(error))
            return _in_memory(data, image.mime_type, host)
        self._require_not_deleted(image)
        self._mark(image, "present")
        log.info("resolver.healed", image=image.id, host=host)
        self._history.note(image.id, "healed", host)
        return _in_memory(data, image.mime_type, host)

    def _require_not_deleted(self, image: Image) -> None:
        """Remove what was just written for a picture if its deletion for good has begun meanwhile: that is over.

        Raises ``NotFound`` then.
        """
        if image.id not in self._images.lasting_ids([image.id]):
            self._files.delete(image.folder, image.filename)
            self._files.delete_thumbnails(image.id)
            raise NotFound("There is no such picture.")

    def _mark(self, image: Image, state: LocalState) -> None:
        if image.local != state:
            self._images.set_local(image.id, image.local, state)


def _in_memory(data: bytes, mime_type: str, source: str) -> Opened:
    return Opened(BytesIO(data), len(data), sha256(data).hexdigest(), mime_type, source)
