"""What every assistant must do; each implementation's test inherits this class and gives an ``assistant``."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from ChatBot.assistants.base import Assistant, Finished, Piece, TextDelta, Turn
from ChatBot.errors import Cancelled


def text_of(pieces: list[Piece]) -> str:
    """Return the text of all pieces together."""
    return "".join(piece.text for piece in pieces if isinstance(piece, TextDelta))


def slowly(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Yield the pieces with a pause after each, as somebody takes them who stores what was said."""
    for piece in pieces:
        yield piece
        time.sleep(0.5)


class AssistantContract:
    """Inherit it, and override the ``assistant`` fixture with one that answers at least two words."""

    @pytest.fixture
    def assistant(self) -> Assistant:
        raise NotImplementedError

    def test_it_has_a_short_name_for_logs(self, assistant: Assistant) -> None:
        assert assistant.name.isidentifier()

    def test_it_answers_in_several_pieces(self, assistant: Assistant) -> None:
        pieces = list(assistant.stream([Turn("user", "Hello")]))

        assert sum(isinstance(piece, TextDelta) for piece in pieces) > 1
        assert text_of(pieces).strip()

    def test_the_last_piece_and_only_that_one_is_the_end(self, assistant: Assistant) -> None:
        pieces = list(assistant.stream([Turn("user", "Hello")]))

        assert [index for index, piece in enumerate(pieces) if isinstance(piece, Finished)] == [len(pieces) - 1]
        assert not getattr(pieces[-1], "truncated", True)

    def test_it_can_be_stopped_after_the_first_piece(self, assistant: Assistant) -> None:
        stream = assistant.stream([Turn("user", "Hello")])
        next(stream)

        stream.close()  # type: ignore[attr-defined]

        assert list(stream) == []

    def test_it_says_nothing_more_once_it_is_not_wanted(self, assistant: Assistant) -> None:
        wanted = threading.Event()
        wanted.set()
        stream = assistant.stream([Turn("user", "Hello")], cancelled=lambda: not wanted.is_set())
        next(stream)

        wanted.clear()

        with pytest.raises(Cancelled):
            list(slowly(stream))

    def test_it_answers_again_with_the_whole_conversation(self, assistant: Assistant) -> None:
        turns = [Turn("user", "Hello"), Turn("assistant", "Hi"), Turn("user", "And now?")]

        assert text_of(list(assistant.stream(turns)))

    def test_it_passes_its_check(self, assistant: Assistant) -> None:
        assistant.check()
