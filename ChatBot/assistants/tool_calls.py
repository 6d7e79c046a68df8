"""Puts tool calls together from the pieces of a stream, as the many OpenAI-compatible servers really send them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ChatBot.assistants.base import ToolCall

MAX_CALLS = 16
"""Calls kept of one answer; what a model in a loop sends beyond that is dropped."""
MAX_ARGUMENT_CHARACTERS = 64_000
"""Text kept of one call's arguments: sixteen times the longest prompt."""


@dataclass
class _Draft:
    id: str = ""
    name: str = ""
    arguments: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        return bool(self.name) and _parse(self.arguments) is not None


class ToolCallAccumulator:
    """Collects deltas of ``choices[].delta.tool_calls`` and gives the finished calls.

    A delta's ``index`` may be missing, or 0 for every one of several parallel calls (both seen in Ollama); arguments
    come in pieces, whole, or as an object; an id may be empty. Fields that are nobody's business here (Gemini's
    ``extra_content`` with its thought signature) are kept, since the next request must carry them back.
    """

    def __init__(self) -> None:
        self._drafts: list[_Draft] = []
        self._by_index: dict[int, _Draft] = {}
        self._last_unnumbered: _Draft | None = None

    def add(self, delta: Mapping[str, Any]) -> None:
        """Take in one delta, a JSON object as the server sent it."""
        function = delta.get("function")
        function = function if isinstance(function, Mapping) else {}
        name, identifier = _text(function.get("name")), _text(delta.get("id"))
        draft = self._draft_for(delta.get("index"), identifier, name)
        draft.id = draft.id or identifier
        draft.name = draft.name or name
        draft.arguments = (draft.arguments + _text(function.get("arguments")))[:MAX_ARGUMENT_CHARACTERS]
        draft.extra |= {key: value for key, value in delta.items() if key not in {"index", "id", "type", "function"}}

    def calls(self) -> list[ToolCall]:
        """Return the calls collected so far in the order they began; one without a function name is no call."""
        drafts = [draft for draft in self._drafts if draft.name]
        for draft, earlier in ((draft, drafts[:position]) for position, draft in enumerate(drafts)):
            # Results are told apart by id alone, so two calls must not share one.
            if not draft.id or any(draft.id == other.id for other in earlier):
                draft.id = f"call_{secrets.token_hex(12)}"
        return [_finish(draft) for draft in drafts]

    def _draft_for(self, index: object, identifier: str, name: str) -> _Draft:
        known = self._by_index.get(index) if isinstance(index, int) else self._unnumbered(identifier, name)
        if known is None or _begins_another(known, identifier, name):
            known = _Draft()
            # Beyond the limit a draft still takes its pieces, so that they do not end up in a neighbour.
            if len(self._drafts) < MAX_CALLS:
                self._drafts.append(known)
        if isinstance(index, int):
            self._by_index[index] = known
        else:
            self._last_unnumbered = known
        return known

    def _unnumbered(self, identifier: str, name: str) -> _Draft | None:
        same = [draft for draft in self._drafts if identifier and draft.id == identifier]
        if same:
            return same[-1]
        return None if identifier or name else self._last_unnumbered


def _begins_another(known: _Draft, identifier: str, name: str) -> bool:
    if identifier and known.id:
        return identifier != known.id
    return bool(name) and known.is_whole


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)


def _parse(arguments: str) -> dict[str, Any] | None:
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _finish(draft: _Draft) -> ToolCall:
    arguments = _parse(draft.arguments)
    # Sent back as it came; but text that is no JSON makes some servers refuse every later request of the conversation.
    text = draft.arguments if arguments is not None else "{}"
    raw = {"id": draft.id, "type": "function", "function": {"name": draft.name, "arguments": text}, **draft.extra}
    return ToolCall(id=draft.id, name=draft.name, arguments=arguments or {}, raw=raw)
