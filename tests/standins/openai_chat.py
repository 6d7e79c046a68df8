"""A stand-in for a server that speaks OpenAI's chat completions: answers what it was told to, chunk by chunk."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

from tests.standins.server import Manner, Reply, Request, Service, json_reply

Chunk = dict[str, Any] | str
"""A JSON object to send as one event, or a raw line (a comment, ``[DONE]``, something broken)."""


def text_chunk(text: str) -> Chunk:
    """Return a chunk with a piece of the answer."""
    return _chunk({"content": text})


def call_chunk(**call: Any) -> Chunk:
    """Return a chunk with one tool call delta, its fields as given."""
    return _chunk({"tool_calls": [call]})


def end_chunk(reason: str = "stop") -> Chunk:
    """Return the chunk that says why the answer ends."""
    return _chunk({}, reason)


USAGE: Chunk = {"id": "x", "object": "chat.completion.chunk", "choices": [], "usage": {"total_tokens": 3}}
DONE: Chunk = "data: [DONE]"


def spoken(*words: str) -> list[Chunk]:
    """Return a whole plain answer as OpenAI sends it."""
    return [": keep-alive", *map(text_chunk, words), end_chunk(), USAGE, DONE]


def drawn(prompt: str, *, identifier: str = "call_1") -> list[Chunk]:
    """Return a whole answer that asks for one picture, its arguments in pieces."""
    arguments = json.dumps({"prompt": prompt})
    return [
        call_chunk(index=0, id=identifier, type="function", function={"name": "generate_image", "arguments": ""}),
        call_chunk(index=0, function={"arguments": arguments[:9]}),
        call_chunk(index=0, function={"arguments": arguments[9:]}),
        end_chunk("tool_calls"),
        DONE,
    ]


class OpenAIChat(Service):
    """Answers ``/v1/chat/completions`` from ``script``, one entry per request; the last entry is repeated.

    An entry is a list of chunks, or a ``Reply`` to send as it is. ``gate`` holds back what follows the first chunk.
    """

    name = "openai_chat"

    def __init__(self) -> None:
        self.script: list[list[Chunk] | Reply] = [spoken("Hello", " there")]
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.manner: Manner = "normal"
        self.gate = threading.Event()
        self.gate.set()
        self.closed_early = threading.Event()
        """Set when a client went away in the middle of an answer."""
        self.filler: Chunk | None = None
        """After the first chunk, send this one without end until the client goes away."""

    def control(self, command: dict[str, Any]) -> dict[str, Any]:
        """Set the script: ``{"say": ["words"]}``, ``{"draw": "prompt"}`` or ``{"status": 500}``."""
        if "say" in command:
            self.script = [spoken(*command["say"])]
        elif "draw" in command:
            self.script = [drawn(command["draw"]), spoken("Here it is.")]
        elif "status" in command:
            self.script = [json_reply({"error": {"message": "told to fail"}}, int(command["status"]))]
        else:
            raise KeyError("say, draw or status")
        return self.state()

    def state(self) -> dict[str, Any]:
        """Return how often it was asked, and the last request."""
        return {"name": self.name, "requests": len(self.bodies), "last": self.bodies[-1:]}

    def handle(self, request: Request) -> Reply | None:
        """Answer one call."""
        if request.path == "/v1/models":
            self.keys.append(request.headers.get("authorization", ""))
            return json_reply({"object": "list", "data": [{"id": "stand-in", "object": "model"}]})
        if request.path != "/v1/chat/completions":
            return None
        self.bodies.append(request.json())
        self.keys.append(request.headers.get("authorization", ""))
        entry = self.script[min(len(self.bodies), len(self.script)) - 1]
        if isinstance(entry, Reply):
            return entry
        return Reply(200, self._send(entry), "text/event-stream", manner=self.manner)

    def _send(self, chunks: list[Chunk]) -> Iterator[bytes]:
        try:
            for position, chunk in enumerate(chunks):
                yield _line(chunk)
                if position == 0:
                    self.gate.wait(20)
                while position == 0 and self.filler is not None:
                    yield _line(self.filler)
        except GeneratorExit:
            self.closed_early.set()
            raise


def _chunk(delta: dict[str, Any], reason: str | None = None) -> Chunk:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "stand-in", "choices": [choice]}


def _line(chunk: Chunk) -> bytes:
    text = chunk if isinstance(chunk, str) else "data: " + json.dumps(chunk)
    return f"{text}\n\n".encode()
