"""Pictures of the original design: its documents had a local address and perhaps a cloud one, and no hash.

Each is looked at once: its bytes are decoded, hashed and kept under a name of ours, unchanged; then one
compare-and-set turns the document. No file is removed. What has no readable bytes stays as it is, is shown
nowhere, and is looked at again later.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog

from ChatBot.db.originals import Originals
from ChatBot.errors import BytesMissing, ChatBotError
from ChatBot.hosts.chain import HostChain
from ChatBot.media.decoding import IN_PROCESS, Decoder
from ChatBot.media.encoding import EXTENSIONS
from ChatBot.media.files import FileStore
from ChatBot.models import Conversation, Copy, Folder, Image, Message, new_id, now

log = structlog.get_logger(__name__)

_LOCAL = re.compile(r"/static/Storage/(Image_Gen|uploads)/([^/\\]+)")
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Adoption:
    """Turns documents of the original design into this one's."""

    def __init__(
        self,
        originals: Originals,
        files: FileStore,
        chain: HostChain,
        required: Callable[[str, str | None], bool],
        *,
        max_pixels: int,
        max_frames: int,
        decoder: Decoder = IN_PROCESS,
    ) -> None:
        """``required`` says whether a picture of that account in that conversation has to be private."""
        self._originals = originals
        self._files = files
        self._chain = chain
        self._required = required
        self._max_pixels = max_pixels
        self._max_frames = max_frames
        self._decoder = decoder

    def adopt_all(self, most_seconds: float = float("inf")) -> int:
        """Turn what can be turned now, and begin nothing after so many seconds; returns how many were looked at."""
        looked_at, started = 0, time.monotonic()
        for document in self._originals.waiting():
            if time.monotonic() - started >= most_seconds:
                break
            looked_at += 1
            owner_id = self._originals.owner_of(document)
            if owner_id is None:
                break  # nobody has registered yet
            try:
                self._adopt(document, owner_id)
            except ChatBotError as error:
                log.warning("adoption.later", document=str(document["_id"]), error=str(error))
        return looked_at

    def _adopt(self, document: dict[str, Any], owner_id: str) -> None:
        at = document.get("created_at")
        created_at = at if isinstance(at, datetime) else now()
        is_ours = _is_id(document["_id"]) and bool(document.get("owner_id"))
        place = document.get("conversation_id") if is_ours else self._conversation(document, owner_id, created_at)
        private = self._required(owner_id, place)
        images = [self._picture(each, owner_id, created_at, private=private) for each in document.get("images") or []]
        if is_ours:
            if images != document["images"]:
                self._originals.mend(document, images)
            return
        message = Message(
            id=document["_id"] if _is_id(document["_id"]) else self._originals.reserve_id("messages", document),
            conversation_id=place,
            owner_id=owner_id,
            role="user" if document.get("role") == "user" else "assistant",
            content=str(document.get("content") or ""),
            created_at=created_at,
            updated_at=created_at,
        )
        self._originals.replace(document, message, images)

    def _conversation(self, document: dict[str, Any], owner_id: str, created_at: datetime) -> str | None:
        old = self._originals.conversation_of(document)
        if old is None:
            return None
        if _is_id(old["_id"]):
            return str(old["_id"])
        conversation = Conversation(
            id=self._originals.reserve_id("conversations", old),
            owner_id=owner_id,
            title=str(old.get("title") or ""),
            created_at=old.get("created_at") or created_at,
            updated_at=old.get("updated_at") or created_at,
        )
        self._originals.add_conversation(conversation)
        return conversation.id

    def _picture(self, entry: dict[str, Any], owner_id: str, created_at: datetime, *, private: bool) -> dict[str, Any]:
        """Return the picture that an entry became, or the entry itself when its bytes cannot be read now."""
        if "sha256" in entry:
            return entry
        try:
            folder, data = self._bytes_of(entry)
            image = self._described(entry, folder, data, owner_id, created_at)
            return {**image.model_copy(update={"private": private}).to_document()}
        except ChatBotError as error:
            log.warning("adoption.no_bytes", url=str(entry.get("url")), error=str(error))
            return entry

    def _bytes_of(self, entry: dict[str, Any]) -> tuple[Folder, bytes]:
        local = _LOCAL.fullmatch(unquote(urlsplit(str(entry.get("url"))).path))
        folder: Folder = "uploads" if local and local[1] == "uploads" else "Image_Gen"
        try:
            if local:
                return folder, self._files.read_stray(folder, local[2])
        except BytesMissing:
            if not _is_remote(entry):
                raise
        return folder, self._chain.member(str(entry.get("service"))).fetch(str(entry.get("cloud_url")))

    def _described(
        self, entry: dict[str, Any], folder: Folder, data: bytes, owner_id: str, created_at: datetime
    ) -> Image:
        picture = self._decoder.examine(data, max_pixels=self._max_pixels, max_frames=self._max_frames)
        image_id = str(entry["id"]) if _is_id(entry.get("id")) else new_id()
        filename = f"{image_id}.{EXTENSIONS[picture.format]}"
        self._files.write(folder, filename, data)
        return Image(
            id=image_id,
            owner_id=owner_id,
            folder=folder,
            filename=filename,
            mime_type=f"image/{picture.format.lower()}",
            size=len(data),
            width=picture.width,
            height=picture.height,
            frames=picture.frames,
            sha256=sha256(data).hexdigest(),
            crc32=zlib.crc32(data),
            generated=bool(entry.get("generated", folder == "Image_Gen")),
            prompt=entry.get("prompt"),
            caption=entry.get("caption"),
            original_url=entry.get("url") or entry.get("cloud_url"),
            copies=(_copy_of(entry, created_at),) if _is_remote(entry) else (),
            created_at=created_at,
        )


def _copy_of(entry: dict[str, Any], uploaded_at: datetime) -> Copy:
    """Return the copy an entry names: nothing is proved of it, so it is read back next."""
    return Copy(
        host=str(entry["service"]),
        state="uploaded",
        url=entry["cloud_url"],
        delete_url=entry.get("delete_url"),
        uploaded_at=uploaded_at,
        next_at=now(),
    )


def _is_remote(entry: dict[str, Any]) -> bool:
    """Without a cloud the original design wrote the local address, or nothing, as ``cloud_url``."""
    is_address = str(entry.get("cloud_url") or "").startswith(("https://", "http://"))
    return is_address and entry.get("service") not in (None, "local")


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None
