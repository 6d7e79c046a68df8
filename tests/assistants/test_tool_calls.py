"""Tool calls in every form that servers send them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ChatBot.assistants.base import ToolCall
from ChatBot.assistants.tool_calls import MAX_ARGUMENT_CHARACTERS, MAX_CALLS, ToolCallAccumulator

FOX, CAT = '{"prompt": "a fox"}', '{"prompt": "a cat"}'


def _collect(*deltas: dict[str, Any]) -> list[ToolCall]:
    calls = ToolCallAccumulator()
    for delta in deltas:
        calls.add(delta)
    return calls.calls()


def _whole(arguments: object = FOX, **fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "generate_image", "arguments": arguments}, **fields}


def _prompts(calls: list[ToolCall]) -> list[object]:
    return [call.arguments.get("prompt") for call in calls]


def test_arguments_in_pieces_are_joined() -> None:
    (call,) = _collect(
        {"index": 0, "id": "a", "function": {"name": "generate_image", "arguments": ""}},
        {"index": 0, "function": {"arguments": FOX[:7]}},
        {"index": 0, "function": {"arguments": FOX[7:]}},
    )

    assert call == ToolCall(
        "a",
        "generate_image",
        {"prompt": "a fox"},
        {"id": "a", "type": "function", "function": {"name": "generate_image", "arguments": FOX}},
    )


@pytest.mark.parametrize(
    "deltas",
    [
        pytest.param([_whole(FOX, index=0, id="a"), _whole(CAT, index=1, id="b")], id="numbered"),
        pytest.param([_whole(FOX, index=0, id="a"), _whole(CAT, index=0, id="b")], id="index always 0"),
        pytest.param([_whole(FOX, index=0), _whole(CAT, index=0)], id="index always 0, no ids"),
        pytest.param([_whole(FOX, index=None, id="a"), _whole(CAT, index=None, id="b")], id="index None"),
        pytest.param([_whole(FOX, id="a"), _whole(CAT, id="b")], id="index missing"),
        pytest.param([_whole(FOX), _whole(CAT)], id="neither index nor id"),
        pytest.param([_whole(FOX, index=0, id=""), _whole(CAT, index=1, id="")], id="empty ids"),
        pytest.param([_whole(FOX, index=0, id="a"), _whole(CAT, index=1, id="a")], id="the same id twice"),
        pytest.param([_whole({"prompt": "a fox"}, index=0), _whole({"prompt": "a cat"}, index=1)], id="objects"),
        pytest.param(
            [
                _whole(FOX[:5], index=0, id="a"),
                _whole(CAT[:5], index=1, id="b"),
                {"index": 1, "function": {"arguments": CAT[5:]}},
                {"index": 0, "function": {"arguments": FOX[5:]}},
            ],
            id="interleaved",
        ),
        pytest.param(
            [
                _whole(FOX[:5], index=0, id="a"),
                {"index": 0, "id": "a", "function": {"name": "generate_image", "arguments": FOX[5:]}},
                _whole(CAT, index=1, id="b"),
            ],
            id="id and name repeated",
        ),
        pytest.param(
            [_whole(FOX[:5], id="a"), {"function": {"arguments": FOX[5:]}}, _whole(CAT, id="b")],
            id="pieces without an index",
        ),
    ],
)
def test_two_calls_stay_two_whatever_the_numbering(deltas: list[dict[str, Any]]) -> None:
    calls = _collect(*deltas)

    assert _prompts(calls) == ["a fox", "a cat"]
    assert len({call.id for call in calls if call.id}) == 2
    assert [call.raw["id"] for call in calls] == [call.id for call in calls]


def test_unknown_fields_are_kept_for_the_next_request() -> None:
    signature = {"google": {"thought_signature": "c2lnbmF0dXJl"}}

    (call,) = _collect(_whole(FOX, index=0, id="a", extra_content=signature))

    assert call.raw["extra_content"] == signature


@pytest.mark.parametrize("arguments", ["", "{", '{"prompt": "a fo', "[1]", "null", "[" * 50_000, None])
def test_arguments_that_are_no_object_become_an_empty_one(arguments: str | None) -> None:
    (call,) = _collect(_whole(arguments, index=0, id="a"))

    assert call.arguments == {}
    assert json.loads(call.raw["function"]["arguments"]) == {}


def test_a_delta_without_a_function_name_is_no_call() -> None:
    assert _collect({"index": 0, "id": "a", "function": {"arguments": FOX}}, {"index": 1, "function": None}) == []


def test_a_looping_model_is_cut() -> None:
    calls = _collect(*(_whole(FOX, index=number, id=f"id{number}") for number in range(50)))
    (long,) = _collect(_whole('{"prompt": "' + "x" * 100_000 + '"}', index=0, id="a"))

    assert [call.id for call in calls] == [f"id{number}" for number in range(MAX_CALLS)]
    assert MAX_ARGUMENT_CHARACTERS < 100_000
    assert long.arguments == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "index": json_values,
                "id": json_values,
                "function": st.fixed_dictionaries({}, optional={"name": json_values, "arguments": json_values})
                | json_values,
            },
        ),
        max_size=6,
    )
)
def test_no_sequence_of_deltas_breaks_it(deltas: list[dict[str, Any]]) -> None:
    calls = _collect(*deltas)

    assert all(call.id and call.name for call in calls)
    assert len({call.id for call in calls}) == len(calls)
