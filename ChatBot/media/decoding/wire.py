"""What goes over the pipes of a decoder process: a header in JSON, and byte strings as long as it says.

A decoder process has read hostile bytes, so nothing that comes out of it is trusted: lengths are bounded, the header is
validated, and nothing of it is ever run, as unpickling would.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import BinaryIO, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

HEADER_BYTES = 4_000_000
"""Longest header; the metadata of a picture is the bulk of it."""
LENGTH_BYTES = 4


class Framed(BaseModel):
    """A header; ``blobs`` are the lengths in bytes of what follows it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    blobs: tuple[int, ...] = ()


class Job(Framed):
    """What a decoder process is to do with the one blob; numbers that the task does not need are 0."""

    task: str
    max_bytes: int = 0
    max_pixels: int = 0
    max_frames: int = 0
    width: int = 0


class Answer(Framed):
    """What came of it; ``error`` is the name of one of our exceptions, empty when all went well."""

    error: str = ""
    message: str = ""
    values: dict[str, int | str] = {}
    """What belongs into the places of the message, see ``Sentence``."""
    reason: str = ""
    format: str = ""
    width: int = 0
    height: int = 0
    frames: int = 0
    thumbhash: str = ""
    metadata: dict[str, str] = {}
    widths: tuple[int, ...] = ()
    """Of the thumbnails, in the order of their blobs."""


Message = TypeVar("Message", bound=Framed)


class GarbledError(Exception):
    """The other side sent something that is no message, or ended in the middle of one."""


def write(stream: BinaryIO, message: Framed, blobs: Sequence[bytes]) -> None:
    """Send a message; raises ``OSError`` when nobody reads any more."""
    framed = message.model_copy(update={"blobs": tuple(len(blob) for blob in blobs)})
    header = framed.model_dump_json().encode()
    stream.write(len(header).to_bytes(LENGTH_BYTES, "big"))
    stream.write(header)
    for blob in blobs:
        stream.write(blob)
    stream.flush()


def read(stream: BinaryIO, kind: type[Message], most_bytes: int) -> tuple[Message, list[bytes]]:
    """Receive a message of a kind whose blobs are at most ``most_bytes`` together.

    Raises:
        EOFError: the other side ended before it began one.
        GarbledError: it is none.
    """
    length = stream.read(LENGTH_BYTES)
    if not length:
        raise EOFError
    size = int.from_bytes(length, "big")
    if len(length) < LENGTH_BYTES or size > HEADER_BYTES:
        raise GarbledError("the header has no length, or too much of it")
    try:
        # Not in strict JSON mode alone: a tuple arrives as a list.
        message = kind.model_validate_json(_exactly(stream, size))
    except (ValidationError, json.JSONDecodeError) as error:
        raise GarbledError("the header is not what was agreed") from error
    if any(blob < 0 for blob in message.blobs) or sum(message.blobs) > most_bytes:
        raise GarbledError("it announces more than it may send")
    return message, [_exactly(stream, blob) for blob in message.blobs]


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise GarbledError("it ended in the middle")
    return data
