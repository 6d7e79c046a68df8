"""What is handed in: read from a form, from JSON or from an address, and never too much of it in memory at once.

A body is spooled to the disk while it arrives; the file in it is read from there when there is room for it.
"""

from __future__ import annotations

import base64
import math
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from flask import Flask, abort, current_app, request
from pydantic import ValidationError

from ChatBot.errors import InputError, ProviderError, ServerBusy, TooLarge
from ChatBot.sentence import Sentence
from ChatBot.web.context import services
from ChatBot.web.edge.problems import invalid_request, unsupported_type
from ChatBot.web.schemas.uploads import UploadedAddress, UploadedData

EXTENSION = "chatbot_intake"

FILES_HELD = 8
"""So many of the largest files may be in memory at once; hundreds of smaller ones."""
FILES_FETCHED = 4
"""The same for files fetched from an address, which may come slowly: they never keep a direct upload waiting."""
JSON_COPIES = 3
"""How often a file in base64 is in memory until it is decoded: as it came, as a text, and as its bytes."""
PATIENCE_SECONDS = 30.0
RETRY_SECONDS = 10.0
SPOOL_BYTES = 500_000
"""What stays in memory of a body that arrives, as Werkzeug has it for forms."""
NAME_CHARACTERS = 255
FETCH_SECONDS = 30.0


class Memory:
    """So many bytes that requests may hold together; who finds too few of them free waits for a turn."""

    def __init__(self, total_bytes: int, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._total = self._free = total_bytes
        self._patience_seconds = patience_seconds
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Take so many bytes for the block, all there are if it is more.

        Raises ``ServerBusy`` when they do not become free in time.
        """
        wanted = min(size, self._total)
        with self._changed:
            if not self._changed.wait_for(lambda: self._free >= wanted, self._patience_seconds):
                raise ServerBusy(
                    Sentence(
                        "The server is taking in as many large files as it can hold. Nothing was kept; send it again."
                    ),
                    retry_after_seconds=RETRY_SECONDS,
                )
            self._free -= wanted
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._changed.notify_all()


class Intake:
    """How much of what is handed in one process holds; ``largest_bytes`` is what a single file may have."""

    def __init__(self, largest_bytes: int) -> None:
        self.largest_bytes = largest_bytes
        self.sent = Memory(FILES_HELD * largest_bytes)
        self.fetched = Memory(FILES_FETCHED * largest_bytes)


def init_app(app: Flask) -> None:
    """Give the application its share of memory for uploads."""
    app.extensions[EXTENSION] = Intake(app.extensions["chatbot"].settings.max_upload_bytes)


@dataclass(frozen=True)
class Handed:
    """A file as it was sent: its bytes, its display name, and the id of the conversation that it is meant for."""

    data: bytes
    name: str | None = None
    conversation_id: str | None = None


@contextmanager
def handed_in() -> Iterator[Handed]:
    """Give the request's file, whichever way it was sent, for the block.

    Raises ``InputError``, ``TooLarge``, or ``ServerBusy``.
    """
    intake = cast("Intake", current_app.extensions[EXTENSION])
    with _from_json(intake) if request.is_json else _from_form(intake) as handed:
        if len(handed.data) > intake.largest_bytes:
            raise TooLarge(Sentence("The file is larger than this server accepts (MAX_UPLOAD_MB)."))
        yield handed


@contextmanager
def _from_form(intake: Intake) -> Iterator[Handed]:
    if request.mimetype not in ("", "multipart/form-data"):
        abort(unsupported_type("the file as multipart/form-data, or JSON"))
    file = request.files.get("file")
    if file is None:
        raise InputError("Send the file as the multipart field “file”, or as JSON {“data”: base64}.")
    size = file.stream.seek(0, os.SEEK_END)
    file.stream.seek(0)
    with intake.sent.hold(size):
        name = (file.filename or "")[:NAME_CHARACTERS] or None
        yield Handed(file.stream.read(intake.largest_bytes + 1), name, request.form.get("conversation_id") or None)


@contextmanager
def _from_json(intake: Intake) -> Iterator[Handed]:
    with _spooled() as (spool, size), intake.sent.hold(JSON_COPIES * size):
        body = _said(spool.read())
        if isinstance(body, UploadedData):
            yield Handed(_decoded(body.data), conversation_id=body.conversation_id or None)
            return
    with intake.fetched.hold(intake.largest_bytes):
        yield Handed(_fetched(body.url, intake.largest_bytes), conversation_id=body.conversation_id or None)


@contextmanager
def _spooled() -> Iterator[tuple[IO[bytes], int]]:
    """Take the whole body onto the disk first: who sends it slowly holds no memory that others wait for."""
    with SpooledTemporaryFile(SPOOL_BYTES) as spool:
        shutil.copyfileobj(request.stream, spool)
        size = spool.tell()
        if size >= (request.max_content_length or math.inf):  # a chunked body is cut there silently
            raise TooLarge(Sentence("The request is larger than this server accepts (MAX_UPLOAD_MB)."))
        spool.seek(0)
        yield spool, size


def _said(body: bytes) -> UploadedAddress | UploadedData:
    try:
        said = current_app.json.loads(body)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not {"url", "data"} & said.keys():
        raise InputError("The JSON body needs “data” (the file in base64) or “url”.")
    try:
        return (UploadedAddress if "url" in said else UploadedData).model_validate(said)
    except ValidationError as error:
        abort(invalid_request(error))


def _decoded(data: str) -> bytes:
    head, comma, rest = data.partition(",")
    encoded = rest if comma and head.startswith("data:") else data
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError as error:  # also for letters outside ASCII, which binascii.Error does not cover
        raise InputError("“data” is not valid base64.") from error


def _fetched(url: str, most_bytes: int) -> bytes:
    """Return what is behind an address, through the gate that reaches public addresses only."""
    try:
        reply = services().gate.get(url, provider="that address", max_bytes=most_bytes, deadline_seconds=FETCH_SECONDS)
    except ProviderError as error:
        raise InputError(Sentence("The file could not be fetched: %(reason)s.", reason=str(error))) from error
    if reply.status != HTTPStatus.OK:
        raise InputError(
            Sentence("The file could not be fetched: the address answered with status %(status)s.", status=reply.status)
        )
    return reply.body
