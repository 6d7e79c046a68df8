"""The offline assistant: honest, helpful, and able to ask for a picture."""

from __future__ import annotations

import json

import pytest

from ChatBot.assistants.base import Finished, ToolCall, Turn
from ChatBot.assistants.demo import DemoAssistant, wanted_picture
from ChatBot.assistants.tools import read_arguments
from tests.assistants.contract import AssistantContract, text_of


@pytest.fixture
def assistant() -> DemoAssistant:
    return DemoAssistant(pause_seconds=0)


class TestDemoAssistant(AssistantContract):
    @pytest.fixture
    def assistant(self) -> DemoAssistant:
        return DemoAssistant(pause_seconds=0)


@pytest.mark.parametrize(
    "turns",
    [
        [Turn("user", "What is the weather?")],
        [Turn("user", "draw a red fox")],
        [Turn("user", "draw a fox"), Turn("tool", '{"status": "ok"}')],
        [Turn("user", "draw a fox"), Turn("tool", '{"status": "error", "error": "The disk is full."}')],
        [Turn("user", "Thời tiết thế nào?")],
        [Turn("user", "vẽ một con cáo")],
        [],
    ],
)
@pytest.mark.parametrize("may_draw", [True, False])
def test_its_first_sentence_says_that_it_is_a_demo(assistant: DemoAssistant, turns: list[Turn], may_draw: bool) -> None:
    text = text_of(list(assistant.stream(turns, may_draw=may_draw)))

    assert "demo" in text.replace(":", ".").split(".")[0]


def test_it_says_how_to_draw_and_how_to_connect_a_model(assistant: DemoAssistant) -> None:
    text = text_of(list(assistant.stream([Turn("user", "Hello")])))

    assert "/image" in text
    assert "CHAT_MODEL" in text


def test_it_calls_the_tool_when_asked_to_draw(assistant: DemoAssistant) -> None:
    *_, call, end = assistant.stream([Turn("user", "Please draw me a red fox!")])

    assert isinstance(call, ToolCall)
    assert call.name == "generate_image"
    assert read_arguments(call.arguments).prompt == "a red fox"
    assert end == Finished("tool_calls")


def test_without_permission_it_names_the_command_instead(assistant: DemoAssistant) -> None:
    pieces = list(assistant.stream([Turn("user", "draw a red fox")], may_draw=False))

    assert "/image a red fox" in text_of(pieces)
    assert not any(isinstance(piece, ToolCall) for piece in pieces)


def test_after_the_picture_it_does_not_draw_again(assistant: DemoAssistant) -> None:
    pieces = list(assistant.stream([Turn("user", "draw a fox"), Turn("tool", '{"status": "ok"}')]))

    assert not any(isinstance(piece, ToolCall) for piece in pieces)


def test_it_passes_on_why_there_is_no_picture(assistant: DemoAssistant) -> None:
    result = json.dumps({"status": "error", "error": "The disk is full."})

    text = text_of(list(assistant.stream([Turn("user", "draw a fox"), Turn("tool", result)])))

    assert "The disk is full." in text


def test_it_answers_vietnamese_in_vietnamese(assistant: DemoAssistant) -> None:
    assert "Tôi" in text_of(list(assistant.stream([Turn("user", "Bạn làm được gì?")])))


def test_it_pauses_after_every_word() -> None:
    pauses: list[float] = []

    pieces = list(DemoAssistant(pause_seconds=0.25, sleep=pauses.append).stream([Turn("user", "Hello")]))

    assert pauses == [0.25] * (len(pieces) - 1)


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("draw a red fox", "a red fox"),
        ("Can you paint menacing clouds?", "menacing clouds"),
        ("make a picture of a lighthouse at dusk", "a lighthouse at dusk"),
        ("could you please generate an oil painting of a city", "a city"),
        ("vẽ một con cáo", "một con cáo"),
        ("Hãy vẽ cho tôi một bức tranh về biển", "biển"),
        ("tạo ảnh một con mèo", "một con mèo"),
        ("ve\u0303 một con cáo", "một con cáo"),
        ("how do I draw a fox?", None),
        ("I like to draw", None),
        ("create an account for me", None),
        ("tạo tài khoản", None),
        ("draw", None),
        ("draw ?!", None),
    ],
)
def test_it_understands_when_a_picture_is_wanted(text: str, prompt: str | None) -> None:
    assert wanted_picture(text) == prompt
