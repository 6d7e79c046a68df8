"""Chat turns: a message from a person, an answer that streams in, pictures when the model asks for them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

import structlog

from ChatBot.assistants.base import Assistant, Finished, TextDelta, ToolCall, Turn
from ChatBot.assistants.commands import parse_image_command
from ChatBot.assistants.prompts import SYSTEM_PROMPT
from ChatBot.assistants.tools import read_arguments
from ChatBot.db.images import Images
from ChatBot.db.messages import Messages
from ChatBot.errors import Cancelled, ChatBotError, InputError, NotFound
from ChatBot.generators.base import GenerationRequest
from ChatBot.models import Image, Message, User
from ChatBot.sentence import Sentence
from ChatBot.services.access import Viewer
from ChatBot.services.conversations.generation import BROKE, Generation
from ChatBot.services.conversations.running import Running
from ChatBot.services.conversations.threads import Threads
from ChatBot.services.events import EventLog
from ChatBot.services.pictures.resolver import Resolver

log = structlog.get_logger(__name__)

TOOL_ROUNDS = 4
"""How often one answer may call tools, so that a confused model ends."""
PICTURES_PER_TURN = 4
SHOWN_PICTURES = 4
"""How many of the newest pictures of a conversation the model is shown."""
DELTA_SECONDS = 0.05
"""Pieces of text are collected for this long into one event."""


class Chat:
    """Takes a person's message, chooses what answers it, and streams the answer into the conversation."""

    def __init__(
        self,
        assistant: Assistant,
        generation: Generation,
        threads: Threads,
        messages: Messages,
        images: Images,
        resolver: Resolver,
        events: EventLog,
        running: Running,
    ) -> None:
        self._assistant = assistant
        self._generation = generation
        self._threads = threads
        self._messages = messages
        self._images = images
        self._resolver = resolver
        self._events = events
        self._running = running

    def post(
        self, user: User, conversation_id: str, content: str, attachments: Sequence[str] = ()
    ) -> tuple[Message, Message]:
        """Write a message and start its answer; returns the question and the still empty answer.

        Raises ``NotFound`` or ``InputError``; then nothing was written.
        """
        if not content.strip() and not attachments:
            raise InputError(Sentence("The message is empty."))
        self._threads.get(Viewer(user), conversation_id)
        request = self._picture_request(content)
        title = str(request["prompt"]) if request else None
        question, answer = self._threads.ask(
            user, conversation_id, content, title=title, attachments=tuple(attachments), request=request
        )
        self.start(answer)
        return question, answer

    def regenerate(self, user: User, conversation_id: str, message_id: str) -> Message:
        """Answer a question anew; returns the still empty answer. Raises ``NotFound`` or ``Conflict``."""
        _, answer = self._threads.ask_again(user, conversation_id, message_id)
        self._generation.inherit(message_id, answer)
        self.start(answer)
        return answer

    def edit(self, user: User, conversation_id: str, message_id: str, content: str) -> tuple[Message, Message]:
        """Replace a question and answer it anew. Raises ``NotFound``, ``InputError`` or ``Conflict``."""
        if not content.strip():
            raise InputError(Sentence("The message is empty."))
        question, answer = self._threads.edit(
            user, conversation_id, message_id, content, self._picture_request(content)
        )
        self.start(answer)
        return question, answer

    def cancel(self, user: User, conversation_id: str, message_id: str) -> Message:
        """Stop an answer; what was written so far stays. Raises ``NotFound``."""
        message = self._threads.message(Viewer(user), conversation_id, message_id)
        if message.owner_id != user.id:
            raise NotFound(Sentence("There is no such message."))
        stopped = self._messages.settle(message_id, "cancelled")
        self._running.stop(message_id)
        if stopped:
            self._publish(message, "updated")
            self._publish(message, "done", status="cancelled")
        return stopped or message

    def _picture_request(self, content: str) -> dict[str, object] | None:
        command = parse_image_command(content)
        return self._generation.check(GenerationRequest(**command.model_dump())) if command else None

    def start(self, answer: Message) -> None:
        """Begin to answer: draw when the answer carries a picture request, else ask the assistant."""
        if answer.request is not None:
            self._generation.run(answer)
        else:
            self._running.submit(answer.id, lambda cancelled: self._answer(answer, cancelled))

    def _answer(self, answer: Message, cancelled: Callable[[], bool]) -> None:
        if not self._running.begin(answer):
            return
        text = _Text(answer, self._messages, self._publish)
        try:
            self._converse(answer, text, cancelled)
        except ChatBotError as error:
            log.warning("chat.failed", message=answer.id, error=str(error))
            text.flush()
            self._generation.fail(answer, error)
        except Exception:
            log.exception("chat.broke", message=answer.id)
            self._generation.fail(answer, ChatBotError(BROKE))
            raise
        finally:
            self._publish(answer, "done")

    def _converse(self, answer: Message, text: _Text, cancelled: Callable[[], bool]) -> None:
        turns = self._turns(answer)
        drawn = 0
        for _ in range(TOOL_ROUNDS):
            said, calls, finish = self._one_answer(turns, text, cancelled)
            if not calls:
                break
            text.flush()  # a drawing takes long; what was said before it is read meanwhile
            turns.append(Turn("assistant", said, tool_calls=tuple(calls)))
            for call in calls:
                result, made = self._call(answer, call, PICTURES_PER_TURN - drawn, cancelled)
                drawn += made
                turns.append(Turn("tool", json.dumps(result), tool_call_id=call.id))
            text.paragraph()
        text.flush()
        error = Sentence("The answer broke off before its end.") if finish.truncated else None
        self._messages.settle(answer.id, "failed" if error else "complete", error=error, content=text.so_far)
        self._publish(answer, "updated")

    def _one_answer(
        self, turns: Sequence[Turn], text: _Text, cancelled: Callable[[], bool]
    ) -> tuple[str, list[ToolCall], Finished]:
        said: list[str] = []
        calls: list[ToolCall] = []
        pieces = self._assistant.stream(turns, cancelled=cancelled)
        for piece in pieces:
            if cancelled():
                getattr(pieces, "close", lambda: None)()
                raise Cancelled("Stopped on request.")
            if isinstance(piece, TextDelta):
                said.append(piece.text)
                text.add(piece.text)
            elif isinstance(piece, ToolCall):
                calls.append(piece)
            else:
                return "".join(said), calls, piece
        return "".join(said), calls, Finished("cut", truncated=True)

    def _call(
        self, answer: Message, call: ToolCall, allowed: int, cancelled: Callable[[], bool]
    ) -> tuple[dict[str, object], int]:
        """Carry out a tool call; what goes wrong is told to the model, which can say it in its own words."""
        try:
            if call.name != "generate_image":
                raise InputError(f"There is no tool {call.name}.")
            request = GenerationRequest(**read_arguments(call.arguments).model_dump())
            if request.count > allowed:
                raise InputError(f"Only {allowed} more pictures may be made in this answer.")
            self._generation.check(request)
            images = self._generation.draw(answer, request, cancelled, last=False)
        except Cancelled:
            raise
        except ChatBotError as error:
            return {"status": "error", "error": str(error)}, 0
        return {"status": "ok", "shown_to_user": True, "image_ids": [image.id for image in images]}, len(images)

    def _turns(self, answer: Message) -> list[Turn]:
        turns = [Turn("system", SYSTEM_PROMPT)]
        history = self._threads.history(answer)
        attached = [image_id for message in history for image_id in message.attachments]
        named = (each.image for each in self._images.find_many(attached))
        found = {image.id: image for image in named if image.owner_id == answer.owner_id}
        shown = [image_id for image_id, image in found.items() if not image.is_file][-SHOWN_PICTURES:]
        for message in history:
            own = [found[image_id] for image_id in message.attachments if image_id in found]
            if message.role == "user":
                names = [f"[attached file, not readable here: {image.name}]" for image in own if image.is_file]
                pictures = self._pictures([image for image in own if image.id in shown])
                turns.append(Turn("user", "\n".join([message.content, *names]).strip(), images=tuple(pictures)))
            elif message.content or message.images:
                turns.append(Turn("assistant", message.content or f"[picture: {message.images[0].prompt or ''}]"))
        return turns

    def _pictures(self, images: Sequence[Image]) -> list[tuple[str, bytes]]:
        pictures = []
        for image in images:
            try:
                with self._resolver.open(image).file as file:
                    pictures.append((image.mime_type, file.read()))
            except ChatBotError as error:
                log.warning("chat.picture_unreadable", image=image.id, error=str(error))
        return pictures

    def _publish(self, message: Message, kind: str, **data: object) -> None:
        self._events.publish(message.conversation_id, kind, {"message_id": message.id, **data})


class _Text:
    """The text of an answer as it grows: collected, published in small bundles, and kept."""

    def __init__(self, answer: Message, messages: Messages, publish: Callable[..., None]) -> None:
        self._answer = answer
        self._messages = messages
        self._publish = publish
        self._pending = ""
        self._sent_at = 0.0
        self.so_far = ""

    def add(self, piece: str) -> None:
        self._pending += piece
        if time.monotonic() - self._sent_at >= DELTA_SECONDS:
            self.flush()

    def paragraph(self) -> None:
        if self.so_far or self._pending:
            self.add("\n\n")

    def flush(self) -> None:
        self._sent_at = time.monotonic()
        if self._pending:
            before = len(self.so_far)
            self.so_far += self._pending
            self._messages.set_content(self._answer.id, self.so_far)
            self._publish(self._answer, "delta", offset=before, text=self._pending)
            self._pending = ""
