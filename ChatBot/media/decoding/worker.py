"""A decoder process: reads jobs from its standard input until that ends, and answers on its standard output.

Run as a program: ``python -m ChatBot.media.decoding.worker <memory in bytes> <seconds for one job>``. It is started
without the environment of the server, opens no files, and may have neither more memory nor more time than it is told.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from ChatBot.errors import ChatBotError, IntegrityError, PictureRefused, TooLarge
from ChatBot.media.decoding.base import Decoder, InProcess
from ChatBot.media.decoding.wire import Answer, Job, read, write
from ChatBot.media.encoding import StoredPicture
from ChatBot.sentence import Sentence

LARGEST_JOB_BYTES = 2**31
OPEN_FILES = 64
GRACE_SECONDS = 5
"""The server's own clock is first; this one is for a process whose server is gone."""


def main(memory_bytes: int, seconds: int, decoder: Decoder | None = None) -> None:
    """Work until nobody hands in jobs any more."""
    confine(memory_bytes)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process
    jobs, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints must not get between the answers
    while True:
        try:
            job, (data,) = read(jobs, Job, LARGEST_JOB_BYTES)
        except EOFError:
            return
        if hasattr(signal, "alarm"):
            signal.alarm(seconds + GRACE_SECONDS)
        answer, blobs = answered(decoder or InProcess(), job, data)
        write(answers, answer, blobs)
        if hasattr(signal, "alarm"):
            signal.alarm(0)


def confine(memory_bytes: int) -> None:
    """Let this process have no more than it needs: memory, files, no core dump that would hold pictures."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))


def _told(error: PictureRefused) -> dict[str, Any]:
    """Return what the error says, in a form that can be said in other languages where it has one."""
    text = error.args[0]
    if isinstance(text, Sentence):
        return {"message": text.original, "values": dict(text.values)}
    return {"message": str(error)}


def answered(decoder: Decoder, job: Job, data: bytes) -> tuple[Answer, list[bytes]]:
    """Do a job; what goes wrong is an answer too."""
    try:
        return _done(decoder, job, data)
    except PictureRefused as error:
        return Answer(error="PictureRefused", **_told(error), reason=error.reason), []
    except (TooLarge, IntegrityError) as error:
        return Answer(error=type(error).__name__, message=str(error)), []
    except MemoryError:
        text = Sentence("The picture needs more memory to decode than this server gives.")
        return Answer(error="PictureRefused", message=text, reason="memory"), []
    except ChatBotError as error:
        return Answer(error="StorageError", message=str(error)), []


def _done(decoder: Decoder, job: Job, data: bytes) -> tuple[Answer, list[bytes]]:
    if job.task == "encode":
        limits = {"max_bytes": job.max_bytes, "max_pixels": job.max_pixels, "max_frames": job.max_frames}
        return _stored(decoder.encode(data, **limits))
    if job.task == "render":
        thumbnail = decoder.render(data, job.width, max_pixels=job.max_pixels)
        return Answer(), [] if thumbnail is None else [thumbnail]
    if job.task == "cover":
        return Answer(), [decoder.cover(data, max_pixels=job.max_pixels)]
    facts = decoder.examine(data, max_pixels=job.max_pixels, max_frames=job.max_frames)
    return Answer(**vars(facts)), []


def _stored(picture: StoredPicture) -> tuple[Answer, list[bytes]]:
    answer = Answer(
        format=picture.format,
        width=picture.width,
        height=picture.height,
        frames=picture.frames,
        thumbhash=picture.thumbhash,
        metadata=picture.metadata,
        widths=tuple(picture.thumbnails),
    )
    return answer, [picture.data, *picture.thumbnails.values()]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
