"""Every assistant in the package is on the list, and the settings choose among them."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from typing import Any

import pytest

from ChatBot import assistants
from ChatBot.assistants import BUILT_IN, build_assistant
from ChatBot.assistants.base import Assistant
from ChatBot.assistants.openai_compatible import OpenAICompatibleAssistant
from ChatBot.config import Settings
from ChatBot.errors import SettingsError


def _settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


def _found_in_files() -> set[str]:
    names = [found.name for found in pkgutil.iter_modules(assistants.__path__)]
    modules = [import_module(f"{assistants.__name__}.{name}") for name in names]
    classes = [value for module in modules for value in vars(module).values() if inspect.isclass(value)]
    return {value.name for value in classes if issubclass(value, Assistant) and not inspect.isabstract(value)}


def test_every_assistant_in_a_file_is_listed_under_its_own_name() -> None:
    assert _found_in_files() == {entry.name for entry in BUILT_IN}


def test_every_needed_setting_exists() -> None:
    assert {name for entry in BUILT_IN for name in entry.needs} <= set(Settings.model_fields)


def test_the_last_one_needs_nothing() -> None:
    assert BUILT_IN[-1].needs == ()


def test_without_settings_the_demo_answers() -> None:
    assert build_assistant(_settings()).name == "demo"


def test_a_key_alone_may_belong_to_other_programs_and_stops_nothing() -> None:
    assert build_assistant(_settings(openai_api_key="sk-x")).name == "demo"


@pytest.mark.parametrize("server", [{"openai_base_url": "http://127.0.0.1:9/v1"}, {"openai_api_key": "sk-x"}])
def test_a_model_with_a_server_or_a_key_is_used(server: dict[str, str]) -> None:
    assistant = build_assistant(_settings(chat_model="llama", **server))

    assert isinstance(assistant, OpenAICompatibleAssistant)
    assert assistant.model == "llama"
    assistant.close()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"chat_model": "llama"}, "OPENAI_BASE_URL"),
        ({"openai_base_url": "http://127.0.0.1:9/v1"}, "CHAT_MODEL"),
        ({"chat_model": "llama", "openai_base_url": "localhost:11434"}, "must begin with http"),
    ],
)
def test_a_half_set_model_stops_the_start_and_names_what_is_missing(values: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        build_assistant(_settings(**values))
