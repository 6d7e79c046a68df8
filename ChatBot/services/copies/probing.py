"""Whether a cloud host really works: send a tiny picture, read it back, compare, delete it, see that it is gone."""

from __future__ import annotations

import secrets
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from ChatBot.errors import BytesMissing, ChatBotError, ProviderError
from ChatBot.hosts.base import CloudHost, DeletionProof, Receipt, Upload
from ChatBot.media.decoding import IN_PROCESS, Decoder
from ChatBot.models import new_id

SIDE_PIXELS = 8
READ_ATTEMPTS = 4
READ_PAUSE_SECONDS = 1.0
"""A content network may not have a new picture at once."""

_LEFT_BEHIND: dict[DeletionProof, str] = {
    "pending": "the deletion was accepted, but nothing proves that the picture is gone",
    "manual": "the picture can only be deleted by hand",
}


@dataclass(frozen=True)
class Probe:
    """What came of trying a host; ``why`` is a sentence, ``seconds`` how long everything took."""

    host: str
    ok: bool
    why: str
    seconds: float


def probe(host: CloudHost, *, pause: Callable[[float], None] = time.sleep, decoder: Decoder = IN_PROCESS) -> Probe:
    """Try every verb of ``host`` with a picture of its own; raises nothing for a host that fails.

    ``decoder`` looks at a picture that came back changed: a host may send anything.
    """
    started = time.monotonic()
    try:
        problem = _try_out(host, pause, decoder)
    except ChatBotError as error:
        problem = str(error)
    why = problem or "A picture was sent, came back, was deleted and is gone."
    return Probe(host.name, not problem, why, round(time.monotonic() - started, 3))


def _try_out(host: CloudHost, pause: Callable[[float], None], decoder: Decoder) -> str:
    """Return what is wrong, empty when nothing is. What was sent is deleted in any case."""
    upload = _tiny_picture()
    receipt = host.upload(upload)
    try:
        problem = _why_different(host, upload, _read(host, receipt, pause), decoder)
    except ChatBotError as error:
        problem = f"It cannot be read back: {error}"
    left = _remove(host, receipt)
    return "; ".join(part for part in (problem, left) if part)


def _read(host: CloudHost, receipt: Receipt, pause: Callable[[float], None]) -> bytes:
    for _ in range(READ_ATTEMPTS - 1):
        try:
            return host.fetch(receipt.url)
        except BytesMissing:
            pause(READ_PAUSE_SECONDS)
    return host.fetch(receipt.url)


def _why_different(host: CloudHost, upload: Upload, data: bytes, decoder: Decoder) -> str:
    if data == upload.data:
        return ""
    if not host.traits.may_recompress:
        return "Other bytes came back than were sent."
    picture = decoder.examine(data, max_pixels=SIDE_PIXELS**2, max_frames=1)
    same_size = (picture.width, picture.height) == (SIDE_PIXELS, SIDE_PIXELS)
    return "" if same_size else "Another picture came back than was sent."


def _remove(host: CloudHost, receipt: Receipt) -> str:
    try:
        proof = host.delete(receipt)
    except (ProviderError, BytesMissing) as error:
        return f"It cannot be deleted: {error}"
    return _LEFT_BEHIND.get(proof, "") if host.traits.deletable else ""


def _tiny_picture() -> Upload:
    """Return a PNG of random colours, so that no cache and no earlier try has the same one."""
    rows = b"".join(b"\x00" + secrets.token_bytes(SIDE_PIXELS * 3) for _ in range(SIDE_PIXELS))
    header = struct.pack(">IIBBBBB", SIDE_PIXELS, SIDE_PIXELS, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)
    return Upload(new_id(), data, "image/png", sha256(data).hexdigest())


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
