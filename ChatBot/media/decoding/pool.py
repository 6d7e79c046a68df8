"""Decoder processes: a few, used again and again, and killed as soon as one hangs, grows too large or talks nonsense.

A decoder is the largest surface that strangers reach: they choose every byte it reads. So it runs where it has neither
secrets nor time nor memory to spare, one process for each processor, and its answers are checked like any input.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import zlib
from queue import LifoQueue
from typing import BinaryIO, get_args

import structlog

from ChatBot.config import PROJECT_ROOT
from ChatBot.errors import ChatBotError, IntegrityError, PictureRefused, StorageError, TooLarge
from ChatBot.media.cards import COVER_BYTES
from ChatBot.media.containers import Format, sniff
from ChatBot.media.decoding.base import Decoder, Facts
from ChatBot.media.decoding.wire import Answer, GarbledError, Job, read, write
from ChatBot.media.encoding import StoredPicture
from ChatBot.sentence import Sentence

log = structlog.get_logger(__name__)

JOB_SECONDS = 30.0
"""For one picture; the slowest that the default limits admit takes a few seconds on a small machine."""
BASE_BYTES = 400_000_000
BYTES_PER_PIXEL = 24
"""What a process may have: Python and the libraries, and six copies of the largest picture with transparency (one of 40
megapixels was seen to take 440 MB more than a small one)."""
JOBS_PER_PROCESS = 500
"""Then a new one is begun: memory does not stay in pieces, and whoever took one over does not keep it."""
ANSWER_BYTES = 400_000_000
REASONS = frozenset({"empty", "format", "truncated", "corrupt", "pixels", "frames", "memory"})


class DecoderPool(Decoder):
    """Decodes in processes of their own, at most ``processes`` at a time; each is begun when it is first needed."""

    def __init__(
        self,
        *,
        max_pixels: int,
        processes: int | None = None,
        job_seconds: float = JOB_SECONDS,
        memory_bytes: int | None = None,
        program: str = "ChatBot.media.decoding.worker",
    ) -> None:
        """``max_pixels`` is what the largest picture may have; ``program`` is the module that the processes run."""
        self._job_seconds = job_seconds
        memory = memory_bytes or BASE_BYTES + BYTES_PER_PIXEL * max_pixels
        self._command = [sys.executable, "-m", program, str(memory), str(max(1, round(job_seconds)))]
        self._places: LifoQueue[_Process | None] = LifoQueue()
        self._count = processes or os.cpu_count() or 1
        for _ in range(self._count):
            self._places.put(None)

    def prepare(self) -> None:
        threading.Thread(target=self._begin_one, name="decoder", daemon=True).start()

    def close(self) -> None:
        """End every process; one that decodes is waited for."""
        places = [self._places.get() for _ in range(self._count)]
        for process in places:
            if process is not None:
                process.end()
            self._places.put(None)

    def encode(self, data: bytes, *, max_bytes: int, max_pixels: int, max_frames: int) -> StoredPicture:
        job = Job(task="encode", max_bytes=max_bytes, max_pixels=max_pixels, max_frames=max_frames)
        answer, blobs = self._ask(job, data)
        if len(blobs) != 1 + len(answer.widths):
            raise _broken("sent another number of pictures than it announced")
        stored, *thumbnails = blobs
        picture_format = _format_of(answer, stored)
        return StoredPicture(
            data=stored,
            format=picture_format,
            width=answer.width,
            height=answer.height,
            frames=answer.frames,
            sha256=hashlib.sha256(stored).hexdigest(),
            crc32=zlib.crc32(stored),
            thumbhash=answer.thumbhash,
            metadata=answer.metadata,
            thumbnails=dict(zip(answer.widths, thumbnails, strict=True)),
        )

    def render(self, data: bytes, width: int, *, max_pixels: int) -> bytes | None:
        _, blobs = self._ask(Job(task="render", width=width, max_pixels=max_pixels), data)
        return blobs[0] if blobs else None

    def cover(self, data: bytes, *, max_pixels: int) -> bytes:
        _, blobs = self._ask(Job(task="cover", max_pixels=max_pixels), data)
        if [len(blob) for blob in blobs] != [COVER_BYTES]:
            raise _broken("sent another number of pixels than a card has room for")
        return blobs[0]

    def examine(self, data: bytes, *, max_pixels: int, max_frames: int) -> Facts:
        answer, _ = self._ask(Job(task="examine", max_pixels=max_pixels, max_frames=max_frames), data)
        return Facts(_format_of(answer, data), answer.width, answer.height, answer.frames, answer.metadata)

    def _begin_one(self) -> None:
        process = self._places.get()
        try:
            process = process or _Process(self._command)
        except OSError as error:
            log.warning("decoder.not_begun", error=str(error))
        finally:
            self._places.put(process)

    def _ask(self, job: Job, data: bytes) -> tuple[Answer, list[bytes]]:
        """Have a job done by whichever process is free, and raise what its answer says."""
        process = self._places.get()
        try:
            if process is None or not process.usable:
                process = _replaced(process, self._command)
            answer, blobs = process.ask(job, data, self._job_seconds)
        except BaseException:
            _end(process)
            process = None
            raise
        finally:
            self._places.put(process)
        if answer.error:
            raise _error_of(answer)
        return answer, blobs


class _Process:
    """One decoder process and its pipes; used by one thread at a time."""

    def __init__(self, command: list[str]) -> None:
        """Begin it, without the server's environment, which holds its secrets; raises ``OSError``."""
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LANG") if name in os.environ}
        self._process = subprocess.Popen(
            command, cwd=PROJECT_ROOT, env=kept, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._jobs = 0

    @property
    def usable(self) -> bool:
        """Whether it lives and has not done too much."""
        return self._process.poll() is None and self._jobs < JOBS_PER_PROCESS

    def ask(self, job: Job, data: bytes, seconds: float) -> tuple[Answer, list[bytes]]:
        """Hand in a job and wait for the answer; raises ``PictureRefused`` when none comes, or none in time."""
        self._jobs += 1
        late = threading.Event()

        def cut_off() -> None:
            late.set()
            self._process.kill()

        clock = threading.Timer(seconds, cut_off)
        clock.daemon = True
        clock.start()
        try:
            write(_pipe(self._process.stdin), job, [data])
            return read(_pipe(self._process.stdout), Answer, ANSWER_BYTES)
        except (OSError, EOFError, GarbledError) as error:
            raise self._refusal(late.is_set(), seconds) from error
        finally:
            clock.cancel()

    def end(self) -> None:
        """Kill it, for it keeps nothing, and wait until it is gone."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # what was still to be written goes nowhere
        self._process.wait()

    def _refusal(self, late: bool, seconds: float) -> PictureRefused:
        self._process.kill()
        code = self._process.wait()
        log.warning("decoder.ended", exit_code=code, late=late)
        if late:
            return PictureRefused(
                Sentence("The picture took longer than %(seconds)s seconds to decode.", seconds=f"{seconds:g}"),
                reason="time",
            )
        return PictureRefused(Sentence("The picture made its decoder fail, so it is not kept."), reason="corrupt")


def _replaced(process: _Process | None, command: list[str]) -> _Process:
    _end(process)
    try:
        return _Process(command)
    except OSError as error:
        text = Sentence(
            "No picture can be decoded now (%(why)s); try again in a moment.", why=error.strerror or str(error)
        )
        raise StorageError(text) from error


def _end(process: _Process | None) -> None:
    if process is not None:
        process.end()


def _pipe(pipe: object) -> BinaryIO:
    if pipe is None:
        raise GarbledError("there is no pipe")
    return pipe  # type: ignore[return-value] # what Popen made of PIPE


def _format_of(answer: Answer, data: bytes) -> Format:
    """Return the format the decoder found, if the bytes begin like one; the type that browsers are told follows it."""
    if answer.format not in get_args(Format) or sniff(data) != answer.format or min(answer.width, answer.height) < 1:
        raise _broken("said what cannot be")
    return answer.format


def _error_of(answer: Answer) -> ChatBotError:
    if answer.error == "TooLarge":
        return TooLarge(answer.message)
    if answer.error == "IntegrityError":
        return IntegrityError(answer.message)
    if answer.error == "PictureRefused":
        return PictureRefused(_sentence_of(answer), reason=answer.reason if answer.reason in REASONS else "corrupt")
    return StorageError(answer.message)


def _sentence_of(answer: Answer) -> str:
    try:
        return Sentence(answer.message, **answer.values)
    except (KeyError, ValueError, TypeError):  # a decoder that was taken over may say anything
        return answer.message


def _broken(what: str) -> PictureRefused:
    log.error("decoder.broke", what=what)
    return PictureRefused(Sentence("The picture made its decoder fail, so it is not kept."), reason="corrupt")
