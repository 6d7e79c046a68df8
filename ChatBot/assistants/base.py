"""What a chat model is: from the turns so far to a stream of pieces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ChatBot.cancelling import CancelCheck, never_cancelled


@dataclass(frozen=True)
class ToolCall:
    """The model's wish to draw: ``arguments`` is already parsed JSON, not yet validated.

    ``raw`` is the provider's own object, which must go back verbatim in the next turn (Gemini's thought signature).
    """

    id: str
    name: str
    arguments: dict[str, Any]
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """One message as the model sees it. ``tool_call_id`` is set on ``tool`` turns, ``tool_calls`` on assistant ones."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    images: tuple[tuple[str, bytes], ...] = ()
    """Pictures shown to the model as (MIME type, bytes)."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True)
class TextDelta:
    """A further piece of the answer's text."""

    text: str


@dataclass(frozen=True)
class Finished:
    """The end of one answer. ``truncated``: the stream broke off before the model said it was done."""

    reason: str
    truncated: bool = False


Piece = TextDelta | ToolCall | Finished
"""What a stream is made of; the last one is always ``Finished``."""


class Assistant(ABC):
    """A chat model.

    Raises ``ProviderRefused`` or ``ProviderUnavailable``, possibly after pieces were yielded; closing the iterator
    stops the request. So does ``cancelled``, also while no piece comes, and then ``Cancelled`` is raised.
    """

    name: str

    def stream(
        self, turns: Sequence[Turn], *, may_draw: bool = True, cancelled: CancelCheck = never_cancelled
    ) -> Iterator[Piece]:
        """Yield the answer to ``turns`` piece by piece; ``may_draw`` offers the ``generate_image`` tool."""
        return self._stream(turns, may_draw, cancelled)

    def check(self) -> None:
        """Raise a ``ProviderError`` with a sentence when the model cannot answer now."""
        self._check()

    @abstractmethod
    def _stream(self, turns: Sequence[Turn], may_draw: bool, cancelled: CancelCheck) -> Iterator[Piece]: ...

    @abstractmethod
    def _check(self) -> None: ...
