"""Every exception of the ``openai`` client becomes one of ours."""

from __future__ import annotations

import inspect
from typing import Any

import httpx2
import openai
import pytest

from ChatBot.assistants.openai_errors import MAX_DETAIL_CHARACTERS, detail, translate
from ChatBot.errors import ProviderError, ProviderRefused, ProviderUnavailable

REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1/chat/completions")


def _family(root: type[openai.OpenAIError]) -> list[type[openai.OpenAIError]]:
    return [root, *(member for child in root.__subclasses__() for member in _family(child))]


def _example(kind: type[openai.OpenAIError]) -> openai.OpenAIError:
    """Make an instance without its constructor: they differ, and only attributes are looked at."""
    error = kind.__new__(kind, "it failed")
    known: dict[type, int] = {openai.RateLimitError: 429, openai.InternalServerError: 500}
    own = getattr(kind, "status_code", 400)
    status = known.get(kind, own if isinstance(own, int) else 400)
    response = httpx2.Response(status, request=REQUEST)
    error.__dict__.update(message="it failed", body=None, code=None, status_code=status, response=response)
    return error


@pytest.mark.parametrize("kind", _family(openai.OpenAIError), ids=lambda kind: kind.__name__)
def test_every_exception_of_the_client_is_translated(kind: type[openai.OpenAIError]) -> None:
    translated = translate(_example(kind), provider="openai_compatible")

    assert isinstance(translated, ProviderRefused | ProviderUnavailable)
    assert translated.provider == "openai_compatible"


def test_the_public_exceptions_are_all_in_that_family() -> None:
    values = list(vars(openai).values())  # a list: looking at a lazy attribute adds to the module
    public = {value for value in values if inspect.isclass(value) and issubclass(value, openai.OpenAIError)}

    assert public <= set(_family(openai.OpenAIError))
    assert len(public) > 10


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_is_refused_for_good_or_unavailable_for_now(status: int) -> None:
    response = httpx2.Response(status, request=REQUEST)

    translated = translate(openai.APIStatusError("x", response=response, body=None), provider="p")

    transient = status >= 500 or status in {408, 409, 425, 429}
    assert isinstance(translated, ProviderUnavailable if transient else ProviderRefused)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (openai.APITimeoutError(REQUEST), ProviderUnavailable),
        (openai.APIConnectionError(request=REQUEST), ProviderUnavailable),
        (openai.ContentFilterFinishReasonError(), ProviderRefused),
    ],
)
def test_transport_failures_pass_and_a_content_filter_does_not(
    kind: openai.OpenAIError, expected: type[ProviderError]
) -> None:
    assert isinstance(translate(kind, provider="p"), expected)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "plain"}, "plain"),
        ({"error": {"message": "wrapped"}}, "wrapped"),
        ({"error": "only text"}, "only text"),
        ([{"error": {"message": "in a list"}}], "in a list"),
        ([], "fallback"),
        ("<html>", "fallback"),
        ({"message": None}, "fallback"),
        (None, "fallback"),
    ],
)
def test_the_servers_own_words_are_found_in_every_wrapping(body: Any, words: str) -> None:
    error = openai.APIError("fallback", REQUEST, body=body)

    assert detail(error) == words


def test_a_whole_page_is_cut_short() -> None:
    assert len(detail(openai.APIError("<p>" * 10_000, REQUEST, body=None))) == MAX_DETAIL_CHARACTERS
