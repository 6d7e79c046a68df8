"""Picture requests: from a prompt to pictures in a message, at most once per idempotency key."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import structlog

from ChatBot.db.messages import RUNNING, Messages
from ChatBot.errors import (
    Cancelled,
    ChatBotError,
    Conflict,
    DatabaseUnavailable,
    InputError,
    QuotaExceeded,
    StorageError,
)
from ChatBot.generators.base import GeneratedPicture, GenerationRequest, Generator, Progress
from ChatBot.media.spool import Spool
from ChatBot.models import Image, Message, Provenance, User
from ChatBot.sentence import Sentence
from ChatBot.services.conversations.running import Running
from ChatBot.services.conversations.threads import Threads
from ChatBot.services.events import EventLog
from ChatBot.services.pictures.image_handler import ImageHandler, Staged

log = structlog.get_logger(__name__)

SIDES = range(64, 2049)
"""Pixels; what Stable Diffusion servers accept without running out of memory."""
COUNTS = range(1, 9)
SEEDS = range(2**32)
PROMPT_CHARACTERS = 32_000
"""The longest prompt that any supported generator takes (OpenAI's limit)."""
SERVER_STOPPED = Sentence("The server stopped while this was being made.")
BROKE = Sentence("Something went wrong on the server; its log has the details.")
REPLAY_SECONDS = 600.0
REPLAY_POLL_SECONDS = 0.2


class Generation:
    """Draws pictures for messages, in a bounded pool, so that a client that leaves loses nothing."""

    def __init__(
        self,
        generators: Mapping[str, Generator],
        default: str,
        handler: ImageHandler,
        messages: Messages,
        threads: Threads,
        events: EventLog,
        running: Running,
        spool: Spool,
        *,
        parallel: int = 4,
    ) -> None:
        """``parallel`` bounds how many pictures are drawn at once, for commands and for models that draw."""
        self._slots = threading.BoundedSemaphore(parallel)
        self._generators = generators
        self._default = default
        self._handler = handler
        self._messages = messages
        self._threads = threads
        self._events = events
        self._running = running
        self._spool = spool

    def start(
        self,
        user: User,
        conversation_id: str | None,
        request: GenerationRequest,
        *,
        generator: str | None = None,
        idempotency_key: str | None = None,
        said: str | None = None,
    ) -> Message:
        """Write the question and the still empty answer, start drawing, and return the answer's message.

        The same account and key return the message that the first call made. Raises ``InputError``, ``NotFound`` (no
        such conversation), ``Conflict`` (the key was used for another request) or ``QuotaExceeded``.
        """
        kept = self.check(request, generator)
        if idempotency_key:
            earlier = self._messages.by_key(user.id, idempotency_key)
            if earlier:
                return _same_request(earlier, kept)
        self._handler.require_room(user.id, request.count)
        try:
            _, answer = self._threads.ask(
                user,
                conversation_id,
                said or f"/image {request.prompt}",
                title=request.prompt,
                request=kept,
                idempotency_key=idempotency_key,
            )
        except Conflict:
            earlier = self._messages.by_key(user.id, idempotency_key or "")
            if earlier is None:
                raise
            return _same_request(earlier, kept)
        self.run(answer)
        return answer

    def run(self, answer: Message) -> None:
        """Start drawing what ``answer.request`` asks for, unless it was delivered before and only not kept."""
        self._running.submit(answer.id, lambda cancelled: self._answer(answer, cancelled))

    def finished(self, message: Message, seconds: float = REPLAY_SECONDS) -> Message:
        """Wait until a message is settled, and its hosts had their moment, and return it as it then is."""
        deadline = time.monotonic() + seconds
        self._running.wait(message.id, seconds)
        message = self._messages.get(message.id) or message
        while message.status in RUNNING and time.monotonic() < deadline:
            time.sleep(REPLAY_POLL_SECONDS)
            message = self._messages.get(message.id) or message
        return message

    def check(self, request: GenerationRequest, generator: str | None = None) -> dict[str, object]:
        """Return the request as it is stored; raises ``InputError`` naming what is wrong with it."""
        name = generator or self._default
        if name not in self._generators:
            known = ", ".join(sorted(self._generators))
            raise InputError(
                Sentence("There is no generator “%(name)s”; configured are: %(known)s.", name=name, known=known)
            )
        if not request.prompt.strip():
            raise InputError(Sentence("The prompt is empty; describe the picture."))
        if len(request.prompt) > PROMPT_CHARACTERS or len(request.negative_prompt) > PROMPT_CHARACTERS:
            raise InputError(Sentence("The prompt is longer than %(most)s characters.", most=PROMPT_CHARACTERS))
        if request.width not in SIDES or request.height not in SIDES:
            raise InputError(
                Sentence("Width and height are %(least)s to %(most)s pixels.", least=SIDES.start, most=SIDES.stop - 1)
            )
        if request.count not in COUNTS:
            raise InputError(
                Sentence("One request makes %(least)s to %(most)s pictures.", least=COUNTS.start, most=COUNTS.stop - 1)
            )
        if request.seed is not None and request.seed not in SEEDS:
            raise InputError(Sentence("The seed is a whole number from 0 to 4294967295."))
        return {"generator": name, **asdict(request)}

    def draw(
        self,
        message: Message,
        request: GenerationRequest,
        cancelled: Callable[[], bool],
        *,
        generator: str | None = None,
        last: bool = True,
    ) -> tuple[Image, ...]:
        """Make pictures and put them into a running message; ``last`` also completes the message.

        Raises ``ProviderError``, ``PictureRefused``, ``QuotaExceeded``, ``StorageError``, ``Cancelled`` or
        ``DatabaseUnavailable``.
        """
        self._handler.require_room(message.owner_id, request.count)
        engine = self._generators[generator or self._default]
        report = self._reporter(message)
        with self._slots:
            pictures = engine.generate(request, report, cancelled)
        report(Progress("saving", 1.0))
        made = [(picture.data, _provenance(message, request, engine, picture)) for picture in pictures]
        for number, (data, provenance) in enumerate(made):
            self._spool.put(message.id, number, provenance.model_dump(), data)
        return self._keep(message, made, last=last)

    def finish(self, message: Message) -> bool:
        """Put what a process that died had been delivered into its message; False when there is nothing."""
        made = [(data, Provenance(**facts)) for facts, data in self._spool.of(message.id)]
        if made:
            self._keep(message, made, last=True)
        return bool(made)

    def inherit(self, old_id: str, answer: Message) -> None:
        """Let a repeated request have what its failed predecessor was delivered: it may have been paid for."""
        self._spool.hand_over(old_id, answer.id)

    def _keep(self, message: Message, made: Sequence[tuple[bytes, Provenance]], *, last: bool) -> tuple[Image, ...]:
        """Stage all pictures, commit them in one write, tell the page, and give the hosts their moment.

        What was delivered leaves the spool unless the disk or the database failed or there was no room for it any
        more, for then it is still wanted.
        """
        staged: list[Staged] = []
        try:
            for data, provenance in made:
                staged.append(self._handler.stage(data, provenance, message.conversation_id))
            self._handler.commit(message.id, staged, "complete" if last else "streaming")
        except ChatBotError as error:
            if not isinstance(error, (StorageError, DatabaseUnavailable, QuotaExceeded)):
                self._spool.remove(message.id)
            if len(staged) < len(made):
                self._handler.discard(staged)
            raise
        self._spool.remove(message.id)
        for each in staged:
            self._publish(message, "stored", image_id=each.image.id)
        self._publish(message, "updated")
        self._handler.wait_for_hosts(staged)
        return tuple(each.image for each in staged)

    def fail(self, message: Message, error: ChatBotError) -> None:
        """Settle a message whose work failed, and say why."""
        if isinstance(error, Cancelled) and self._running.closing:
            self._messages.settle(message.id, "interrupted", error=SERVER_STOPPED)
        elif isinstance(error, Cancelled):
            self._messages.settle(message.id, "cancelled")
        else:
            reason = Sentence.told_by(error)
            if self._messages.settle(message.id, "failed", error=reason, over_quota=isinstance(error, QuotaExceeded)):
                self._publish(message, "failed", reason=str(reason))
        self._publish(message, "updated")

    def _answer(self, message: Message, cancelled: Callable[[], bool]) -> None:
        if not self._running.begin(message):
            return
        kept = dict(message.request or {})
        generator = str(kept.pop("generator", self._default))
        try:
            if not self.finish(message):
                self.draw(message, GenerationRequest(**kept), cancelled, generator=generator)
        except ChatBotError as error:
            log.warning("generation.failed", message=message.id, error=str(error))
            self.fail(message, error)
        except Exception as error:
            log.exception("generation.broke", message=message.id)
            self.fail(message, ChatBotError(BROKE))
            raise error from None
        finally:
            self._publish(message, "done")

    def _reporter(self, message: Message) -> Callable[[Progress], None]:
        def report(progress: Progress) -> None:
            self._publish(message, "progress", index=0, **asdict(progress))

        return report

    def _publish(self, message: Message, kind: str, **data: object) -> None:
        self._events.publish(message.conversation_id, kind, {"message_id": message.id, **data})


def _same_request(earlier: Message, kept: dict[str, object]) -> Message:
    if earlier.request != kept:
        raise Conflict(Sentence("This Idempotency-Key was already used for another request."))
    return earlier


def _provenance(
    message: Message, request: GenerationRequest, engine: Generator, picture: GeneratedPicture
) -> Provenance:
    return Provenance(
        owner_id=message.owner_id,
        generated=True,
        prompt=request.prompt,
        negative_prompt=request.negative_prompt or None,
        generator=engine.name,
        model=picture.model,
        seed=picture.seed,
        metadata=picture.metadata,
    )
