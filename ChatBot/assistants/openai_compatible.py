"""Any server that speaks OpenAI's chat completions: OpenAI, Ollama, llama.cpp, vLLM, Gemini's endpoint and others."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self, cast

import httpx2
import openai
import structlog
from openai import OpenAI
from openai.types.chat import ChatCompletionChunk

from ChatBot.assistants.base import Assistant, Finished, Piece, TextDelta, ToolCall, Turn
from ChatBot.assistants.line import Line, hung_up_when, lines_own, on
from ChatBot.assistants.openai_errors import detail, translate
from ChatBot.assistants.prompts import SYSTEM_PROMPT
from ChatBot.assistants.tool_calls import ToolCallAccumulator
from ChatBot.assistants.tools import GENERATE_IMAGE_TOOL
from ChatBot.cancelling import CancelCheck
from ChatBot.config import Settings
from ChatBot.errors import Cancelled, ProviderUnavailable, SettingsError
from ChatBot.sentence import Sentence

log = structlog.get_logger(__name__)

MAX_ANSWER_CHARACTERS = 400_000
"""Where an endless answer is cut: more than the longest output of today's models."""
CONNECT_SECONDS = 15.0
"""A model may take minutes to load; a server that is there takes the connection at once."""
NO_KEY = "not-needed"
"""The client insists on a key; local servers ignore it."""

_TOOLS_UNSUPPORTED = re.compile(
    r"not support(ing)? (tool|function)|(tools?|functions?)( calling)? (is|are) not (supported|enabled)"
    r"|enable-auto-tool-choice|--jinja",
    re.IGNORECASE,
)
"""How Ollama, vLLM and llama.cpp say that the model, or the way it was started, knows no tools."""


class OpenAICompatibleAssistant(Assistant):
    """A chat model behind ``{base_url}/chat/completions``.

    ``idle_seconds`` bounds the wait for the next bytes (a cold local model loads for a minute or two),
    ``total_seconds`` the whole answer. Nothing is retried here: an answer that is paid for twice helps nobody.
    """

    name = "openai_compatible"

    def __init__(
        self,
        *,
        model: str,
        base_url: str | None = None,
        api_key: str | None = None,
        system_prompt: str = SYSTEM_PROMPT,
        idle_seconds: float = 120.0,
        total_seconds: float = 900.0,
        max_retries: int = 0,
    ) -> None:
        self.model = model
        self._system_prompt = system_prompt
        self._total_seconds = total_seconds
        self._knows_tools = True
        # No proxies, certificates or .netrc from the environment: where the conversation goes is the settings' choice.
        self._http = openai.DefaultHttpxClient(
            trust_env=False,
            follow_redirects=False,
            limits=httpx2.Limits(max_keepalive_connections=0),  # each answer has a line of its own to hang up
            event_hooks={"request": [lines_own]},
        )
        self._client = OpenAI(
            api_key=api_key or NO_KEY,
            base_url=base_url or "https://api.openai.com/v1",
            timeout=httpx2.Timeout(idle_seconds, connect=min(idle_seconds, CONNECT_SECONDS)),
            max_retries=max_retries,
            http_client=self._http,
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Build it from ``CHAT_MODEL``, ``OPENAI_BASE_URL`` and ``OPENAI_API_KEY``.

        Raises:
            SettingsError: there is a model but no server, or the server's address is no http(s) URL.
        """
        if not (settings.openai_base_url or settings.openai_api_key):
            raise SettingsError("CHAT_MODEL is set: set OPENAI_BASE_URL (a local server) or OPENAI_API_KEY as well.")
        if settings.openai_base_url and not settings.openai_base_url.startswith(("http://", "https://")):
            raise SettingsError("OPENAI_BASE_URL must begin with http:// or https://, e.g. http://localhost:11434/v1")
        return cls(model=settings.chat_model or "", base_url=settings.openai_base_url, api_key=settings.openai_api_key)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _check(self) -> None:
        try:
            self._client.with_options(timeout=5.0).models.list()
        except openai.NotFoundError:
            log.debug("assistant.check.no_model_list", assistant=self.name)
        except openai.OpenAIError as error:
            raise translate(error, provider=self.name) from error
        except ValueError as error:
            raise self._nonsense() from error

    def _stream(self, turns: Sequence[Turn], may_draw: bool, cancelled: CancelCheck) -> Iterator[Piece]:
        line, messages = Line(), self._messages(turns)
        try:
            with hung_up_when(line, cancelled, self._total_seconds):
                with on(line):
                    stream = self._open(messages, may_draw and self._knows_tools)
                with stream:
                    yield from self._pieces(stream, line)
        except openai.OpenAIError as error:
            if line.stopped:
                raise Cancelled("Stopped on request.") from error
            raise translate(error, provider=self.name) from error
        except ValueError as error:
            raise self._nonsense() from error

    def _open(self, messages: list[dict[str, Any]], with_tools: bool) -> openai.Stream[ChatCompletionChunk]:
        offer: dict[str, Any] = {"tools": [GENERATE_IMAGE_TOOL], "tool_choice": "auto"} if with_tools else {}
        try:
            return cast(
                "openai.Stream[ChatCompletionChunk]",
                self._client.chat.completions.create(
                    model=self.model,
                    messages=cast(Any, messages),
                    stream=True,
                    stream_options={"include_usage": True},
                    **offer,
                ),
            )
        except openai.APIStatusError as error:
            if not with_tools or not _TOOLS_UNSUPPORTED.search(detail(error)):
                raise
            log.warning("assistant.tools.unsupported", assistant=self.name, model=self.model, error=detail(error))
            self._knows_tools = False
            return self._open(messages, with_tools=False)

    def _pieces(self, chunks: Iterable[ChatCompletionChunk], line: Line) -> Iterator[Piece]:
        answer = _Answer()
        try:
            for chunk in chunks:
                text = answer.take(chunk)
                if text:
                    yield TextDelta(text)
                if answer.is_overlong:
                    break
        except openai.APIConnectionError as error:
            if line.stopped or not answer.began:
                raise
            log.warning("assistant.stream.cut", assistant=self.name, error=str(error))
        if line.stopped:
            raise Cancelled("Stopped on request.")
        if not answer.began:
            raise self._nonsense()
        yield from answer.tools.calls()
        yield Finished(answer.reason or "cut", truncated=answer.reason is None)

    def _nonsense(self) -> ProviderUnavailable:
        text = Sentence(
            "What %(address)s sent is no answer of a chat model; is OPENAI_BASE_URL right?",
            address=str(self._client.base_url),
        )
        return ProviderUnavailable(text, provider=self.name)

    def _messages(self, turns: Sequence[Turn]) -> list[dict[str, Any]]:
        messages = [_message(turn) for turn in turns]
        if self._system_prompt and not any(turn.role == "system" for turn in turns):
            messages.insert(0, {"role": "system", "content": self._system_prompt})
        return messages


class _Answer:
    """What one stream has said so far. A stream that was cut raises nothing: only a missing finish reason tells."""

    def __init__(self) -> None:
        self.tools = ToolCallAccumulator()
        self.reason: str | None = None
        self.began = False
        self._characters = 0

    @property
    def is_overlong(self) -> bool:
        return self._characters > MAX_ANSWER_CHARACTERS

    def take(self, chunk: ChatCompletionChunk) -> str:
        # The client checks nothing: any field may be absent or null, and the last chunk (usage) has no choices.
        choices = getattr(chunk, "choices", None)
        if not choices:
            return ""
        self.began = True
        self.reason = choices[0].finish_reason or self.reason
        delta = choices[0].delta
        if delta is None:
            return ""
        for call in delta.tool_calls or ():
            self.tools.add(call.to_dict(warnings=False))
        text = (delta.content or "") + (delta.refusal or "")
        self._characters += len(text)
        return text


def _message(turn: Turn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": turn.role, "content": turn.content}
    if turn.images:
        message["content"] = [{"type": "text", "text": turn.content}, *map(_picture, turn.images)]
    if turn.tool_call_id is not None:
        message["tool_call_id"] = turn.tool_call_id
    if turn.tool_calls:
        message["tool_calls"] = [call.raw or _call(call) for call in turn.tool_calls]
        if not turn.content:
            del message["content"]
    return message


def _picture(image: tuple[str, bytes]) -> dict[str, Any]:
    mime_type, data = image
    url = f"data:{mime_type};base64,{base64.b64encode(data).decode('ascii')}"
    return {"type": "image_url", "image_url": {"url": url}}


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False)}
    return {"id": call.id, "type": "function", "function": function}
