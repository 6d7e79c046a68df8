"""The client for OpenAI-compatible servers against a stand-in over real HTTP."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ChatBot.assistants.base import Finished, Piece, TextDelta, ToolCall, Turn
from ChatBot.assistants.openai_compatible import OpenAICompatibleAssistant
from ChatBot.assistants.prompts import SYSTEM_PROMPT
from ChatBot.config import Settings
from ChatBot.errors import (
    Cancelled,
    DatabaseUnavailable,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    SettingsError,
)
from tests.assistants.contract import AssistantContract, text_of
from tests.standins.openai_chat import DONE, Chunk, OpenAIChat, call_chunk, drawn, end_chunk, spoken, text_chunk
from tests.standins.server import Reply, Server, json_reply

HELLO = [Turn("user", "Hello")]
SIGNATURE = {"google": {"thought_signature": "c2lnbmF0dXJl"}}

Build = Callable[..., OpenAICompatibleAssistant]


@pytest.fixture
def chat() -> Iterator[OpenAIChat]:
    service = OpenAIChat()
    with Server(service):
        yield service
        service.gate.set()


@pytest.fixture
def build(chat: OpenAIChat) -> Iterator[Build]:
    built: list[OpenAICompatibleAssistant] = []

    def make(**options: Any) -> OpenAICompatibleAssistant:
        options = {"base_url": f"{chat.base_url}/v1", "model": "stand-in", "idle_seconds": 10.0, **options}
        built.append(OpenAICompatibleAssistant(**options))
        return built[-1]

    yield make
    for assistant in built:
        assistant.close()


@pytest.fixture
def assistant(build: Build) -> OpenAICompatibleAssistant:
    return build()


class TestOpenAICompatibleAssistant(AssistantContract):
    @pytest.fixture
    def assistant(self, build: Build) -> OpenAICompatibleAssistant:
        return build()


def _calls(pieces: list[Piece]) -> list[ToolCall]:
    return [piece for piece in pieces if isinstance(piece, ToolCall)]


def test_it_asks_for_a_stream_with_usage_and_offers_the_tool(
    chat: OpenAIChat, assistant: OpenAICompatibleAssistant
) -> None:
    list(assistant.stream(HELLO))

    body = chat.bodies[0]
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert [tool["function"]["name"] for tool in body["tools"]] == ["generate_image"]
    assert body["messages"] == [{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": "Hello"}]


def test_it_offers_no_tool_when_drawing_is_not_allowed(chat: OpenAIChat, assistant: OpenAICompatibleAssistant) -> None:
    list(assistant.stream(HELLO, may_draw=False))

    assert "tools" not in chat.bodies[0]
    assert "tool_choice" not in chat.bodies[0]


def test_a_system_turn_of_the_conversation_takes_the_place_of_the_own_one(
    chat: OpenAIChat, assistant: OpenAICompatibleAssistant
) -> None:
    list(assistant.stream([Turn("system", "Be brief."), *HELLO]))

    assert [message["content"] for message in chat.bodies[0]["messages"]] == ["Be brief.", "Hello"]


def test_text_arrives_word_by_word_and_then_the_reason(assistant: OpenAICompatibleAssistant) -> None:
    assert list(assistant.stream(HELLO)) == [TextDelta("Hello"), TextDelta(" there"), Finished("stop")]


def test_the_key_is_sent_and_a_missing_one_is_replaced(chat: OpenAIChat, build: Build) -> None:
    list(build(api_key="sk-ours").stream(HELLO))
    list(build().stream(HELLO))

    assert chat.keys == ["Bearer sk-ours", "Bearer not-needed"]


def test_proxies_of_the_environment_are_not_used(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert text_of(list(build().stream(HELLO))) == "Hello there"


def test_pictures_go_along_as_data(chat: OpenAIChat, assistant: OpenAICompatibleAssistant) -> None:
    list(assistant.stream([Turn("user", "What is it?", images=(("image/png", b"\x89PNG"),))]))

    assert chat.bodies[0]["messages"][-1]["content"] == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()}},
    ]


@pytest.mark.parametrize("reason", ["stop", "tool_calls", "length"])
def test_a_call_is_acted_on_whatever_the_finish_reason(
    chat: OpenAIChat, assistant: OpenAICompatibleAssistant, reason: str
) -> None:
    chat.script = [[*drawn("a fox")[:-2], end_chunk(reason), DONE]]

    pieces = list(assistant.stream(HELLO))

    assert [call.arguments for call in _calls(pieces)] == [{"prompt": "a fox"}]
    assert pieces[-1] == Finished(reason)


@pytest.mark.parametrize("index", [{}, {"index": None}, {"index": 0}])
def test_parallel_calls_without_usable_numbers_stay_apart(
    chat: OpenAIChat, assistant: OpenAICompatibleAssistant, index: dict[str, Any]
) -> None:
    chunks = [
        call_chunk(**index, id=name, function={"name": "generate_image", "arguments": json.dumps({"prompt": name})})
        for name in ("fox", "cat")
    ]
    chat.script = [[*chunks, end_chunk(), DONE]]

    assert [call.arguments["prompt"] for call in _calls(list(assistant.stream(HELLO)))] == ["fox", "cat"]


def test_a_call_goes_back_verbatim_with_its_signature_and_its_result(
    chat: OpenAIChat, assistant: OpenAICompatibleAssistant
) -> None:
    function = {"name": "generate_image", "arguments": '{"prompt":  "a fox"}'}
    chunk = call_chunk(index=0, id="call_9", type="function", function=function, extra_content=SIGNATURE)
    chat.script = [[chunk, end_chunk("tool_calls"), DONE], spoken("Done.")]
    (call,) = _calls(list(assistant.stream(HELLO)))

    list(
        assistant.stream([*HELLO, Turn("assistant", "", tool_calls=(call,)), Turn("tool", "{}", tool_call_id=call.id)])
    )

    assert chat.bodies[1]["messages"][-2:] == [
        {
            "role": "assistant",
            "tool_calls": [{"id": "call_9", "type": "function", "function": function, "extra_content": SIGNATURE}],
        },
        {"role": "tool", "content": "{}", "tool_call_id": "call_9"},
    ]


def test_a_call_of_another_assistant_is_told_too(chat: OpenAIChat, assistant: OpenAICompatibleAssistant) -> None:
    call = ToolCall("call_1", "generate_image", {"prompt": "cáo"})

    list(
        assistant.stream(
            [*HELLO, Turn("assistant", "Yes.", tool_calls=(call,)), Turn("tool", "{}", tool_call_id="call_1")]
        )
    )

    message = chat.bodies[0]["messages"][-2]
    assert message["content"] == "Yes."
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"prompt": "cáo"}


def test_a_stream_without_a_finish_reason_is_truncated(chat: OpenAIChat, assistant: OpenAICompatibleAssistant) -> None:
    chat.script = [[text_chunk("Hel")]]

    assert list(assistant.stream(HELLO)) == [TextDelta("Hel"), Finished("cut", truncated=True)]


def test_a_line_that_breaks_in_the_middle_is_truncated(chat: OpenAIChat, assistant: OpenAICompatibleAssistant) -> None:
    chat.script = [[text_chunk("Hel")]]
    chat.manner = "cut"

    assert list(assistant.stream(HELLO)) == [TextDelta("Hel"), Finished("cut", truncated=True)]


def test_an_error_in_the_middle_comes_after_the_text(chat: OpenAIChat, assistant: OpenAICompatibleAssistant) -> None:
    chat.script = [[text_chunk("Hel"), {"error": {"message": "out of memory"}}]]
    stream = assistant.stream(HELLO)

    first = next(stream)
    with pytest.raises(ProviderUnavailable, match="out of memory"):
        next(stream)

    assert first == TextDelta("Hel")


def test_reasoning_and_empty_fields_are_passed_over(chat: OpenAIChat, assistant: OpenAICompatibleAssistant) -> None:
    def chunk(**choice: Any) -> dict[str, Any]:
        return {"id": "x", "object": "chat.completion.chunk", "choices": [choice]}

    chat.script = [
        [
            chunk(index=0, delta={"role": "assistant", "content": None, "reasoning_content": "Let me think"}),
            chunk(index=0, delta=None, finish_reason=None),
            {"id": "x", "choices": None},
            chunk(index=0, delta={"content": "Hi", "tool_calls": None}, finish_reason=None),
            end_chunk(),
            DONE,
        ]
    ]

    assert list(assistant.stream(HELLO)) == [TextDelta("Hi"), Finished("stop")]


@pytest.mark.parametrize(
    "message",
    [
        "registry.ollama.ai/library/gemma:2b does not support tools",
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "tools param requires --jinja flag",
    ],
)
def test_a_model_without_tools_is_asked_again_without_them_and_remembered(
    chat: OpenAIChat, assistant: OpenAICompatibleAssistant, message: str
) -> None:
    chat.script = [json_reply({"error": {"message": message}}, 400), spoken("Hello", " there")]

    first, second = text_of(list(assistant.stream(HELLO))), text_of(list(assistant.stream(HELLO)))

    assert (first, second) == ("Hello there", "Hello there")
    assert ["tools" in body for body in chat.bodies] == [True, False, False]


def test_another_bad_request_is_not_repeated(chat: OpenAIChat, assistant: OpenAICompatibleAssistant) -> None:
    chat.script = [json_reply({"error": {"message": "tools[0].name is too long"}}, 400)]

    with pytest.raises(ProviderRefused, match="too long"):
        list(assistant.stream(HELLO))

    assert len(chat.bodies) == 1


def test_an_error_body_that_is_a_list_is_understood(chat: OpenAIChat, assistant: OpenAICompatibleAssistant) -> None:
    chat.script = [json_reply([{"error": {"code": 400, "message": "missing a thought_signature"}}], 400)]

    with pytest.raises(ProviderRefused) as caught:
        list(assistant.stream(HELLO))

    assert str(caught.value) == "The chat model refused the request: missing a thought_signature"


@pytest.mark.parametrize(
    ("reply", "kind", "seconds"),
    [
        (json_reply({"error": {"message": "boom"}}, 500), ProviderUnavailable, None),
        (json_reply({"error": {"message": "slow down"}}, 429, retry_after="12"), ProviderUnavailable, 12.0),
        (json_reply({"error": {"message": "pay", "code": "insufficient_quota"}}, 429), ProviderRefused, "quota"),
        (json_reply({"error": {"message": "who"}}, 401), ProviderRefused, "auth"),
        (json_reply({"error": "model 'x' not found"}, 404), ProviderRefused, "input"),
        (json_reply({"error": {"message": "too long"}}, 413), ProviderRefused, "too_large"),
        (Reply(302, b"", headers={"Location": "http://127.0.0.1:9/"}), ProviderUnavailable, None),
        (Reply(200, b"<html>log in</html>", "text/html"), ProviderUnavailable, None),
        (Reply(200, b"data: {broken\n\n", "text/event-stream"), ProviderUnavailable, None),
        (Reply(200, b'data: "text"\n\n', "text/event-stream"), ProviderUnavailable, None),
        (Reply(200, b"data: 5\n\ndata: [1]\n\ndata: null\n\n", "text/event-stream"), ProviderUnavailable, None),
        (Reply(manner="reset"), ProviderUnavailable, None),
    ],
)
def test_failures_say_what_to_do_and_are_not_repeated(
    chat: OpenAIChat, assistant: OpenAICompatibleAssistant, reply: Reply, kind: type[ProviderError], seconds: object
) -> None:
    chat.script = [reply]

    with pytest.raises(kind) as caught:
        list(assistant.stream(HELLO))

    assert type(caught.value) is kind
    assert getattr(caught.value, "reason", getattr(caught.value, "retry_after_seconds", None)) == seconds
    assert len(chat.bodies) == 1


def test_a_silent_server_ends_at_the_idle_limit(chat: OpenAIChat, build: Build) -> None:
    chat.script = [Reply(manner="hang")]

    with pytest.raises(ProviderUnavailable, match="in time"):
        list(build(idle_seconds=0.2).stream(HELLO))


def test_an_answer_without_end_is_cut(chat: OpenAIChat, assistant: OpenAICompatibleAssistant) -> None:
    chat.filler = text_chunk("more " * 500)

    pieces = list(assistant.stream(HELLO))

    assert pieces[-1] == Finished("cut", truncated=True)
    assert chat.closed_early.wait(10)


def test_keep_alive_comments_do_not_outlast_the_limit(chat: OpenAIChat, build: Build) -> None:
    chat.filler = ": keep-alive" * 100
    chat.script = [[text_chunk("Hel")]]

    pieces = list(build(total_seconds=0.3).stream(HELLO))

    assert pieces == [TextDelta("Hel"), Finished("cut", truncated=True)]
    assert chat.closed_early.wait(10)


def test_an_answer_that_never_begins_is_unavailable_at_the_limit(chat: OpenAIChat, build: Build) -> None:
    chat.filler = ": keep-alive"
    chat.script = [[": keep-alive"]]

    with pytest.raises(ProviderUnavailable):
        list(build(total_seconds=0.3).stream(HELLO))


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(Reply(manner="hang"), id="before it answers"),
        pytest.param([": keep-alive"], id="before its first word"),
        pytest.param([text_chunk("Hel")], id="in the middle"),
    ],
)
def test_a_model_that_is_silent_is_hung_up_on_when_it_is_not_wanted(
    chat: OpenAIChat, assistant: OpenAICompatibleAssistant, before: Reply | list[Chunk]
) -> None:
    chat.script = [before]
    chat.gate.clear()
    unwanted = threading.Event()
    waiting = threading.Timer(0.5, unwanted.set)
    waiting.start()

    with pytest.raises(Cancelled):
        list(assistant.stream(HELLO, cancelled=unwanted.is_set))

    chat.filler = text_chunk("more " * 500)
    chat.gate.set()
    assert isinstance(before, Reply) or chat.closed_early.wait(10)


def test_one_answer_that_is_hung_up_on_leaves_the_others_alone(
    chat: OpenAIChat, assistant: OpenAICompatibleAssistant
) -> None:
    chat.gate.clear()
    answers: list[str] = []
    other = threading.Thread(target=lambda: answers.append(text_of(list(assistant.stream(HELLO)))))
    other.start()

    with pytest.raises(Cancelled):
        list(assistant.stream(HELLO, cancelled=lambda: len(chat.bodies) == 2))
    chat.gate.set()
    other.join()

    assert answers == ["Hello there"]


def test_a_database_that_is_away_stops_no_answer(chat: OpenAIChat, assistant: OpenAICompatibleAssistant) -> None:
    asked = threading.Event()

    def cancelled() -> bool:
        asked.set()
        chat.gate.set()
        raise DatabaseUnavailable("It is away.")

    chat.gate.clear()

    assert text_of(list(assistant.stream(HELLO, cancelled=cancelled))) == "Hello there"
    assert asked.is_set()


def test_closing_the_iterator_closes_the_line(chat: OpenAIChat, assistant: OpenAICompatibleAssistant) -> None:
    chat.filler = text_chunk("more " * 500)
    stream = assistant.stream(HELLO)
    next(stream)

    stream.close()  # type: ignore[attr-defined]

    assert chat.closed_early.wait(10)


def test_the_check_fails_when_nobody_listens() -> None:
    with Server() as server:
        address = server.base_url
    assistant = OpenAICompatibleAssistant(model="x", base_url=f"{address}/v1")

    with pytest.raises(ProviderUnavailable, match="OPENAI_BASE_URL"):
        assistant.check()

    assistant.close()


def test_a_model_without_a_server_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="OPENAI_BASE_URL"):
        OpenAICompatibleAssistant.from_settings(Settings(_env_file=None, chat_model="x"))
