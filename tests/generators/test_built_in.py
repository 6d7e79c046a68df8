"""Every generator in the package is on the list, and the settings choose among them."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from typing import Any

import pytest

from ChatBot import generators
from ChatBot.assistants.commands import ImageCommand
from ChatBot.config import Settings
from ChatBot.errors import SettingsError
from ChatBot.generators import BUILT_IN, build_generators
from ChatBot.generators.base import GenerationRequest, Generator


def _settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


def _found_in_files() -> set[str]:
    modules = [
        import_module(f"{generators.__name__}.{found.name}") for found in pkgutil.iter_modules(generators.__path__)
    ]
    classes = [value for module in modules for value in vars(module).values() if inspect.isclass(value)]
    return {value.name for value in classes if issubclass(value, Generator) and not inspect.isabstract(value)}


def test_every_generator_in_a_file_is_listed_under_its_own_name() -> None:
    assert _found_in_files() == {entry.name for entry in BUILT_IN}


def test_every_needed_setting_exists() -> None:
    assert {name for entry in BUILT_IN for name in entry.needs} <= set(Settings.model_fields)


def test_the_demo_is_always_there_and_works_alone() -> None:
    assert list(build_generators(_settings())) == ["demo"]


def test_every_configured_generator_is_built_under_its_name() -> None:
    built = build_generators(_settings(image_generator="stable_diffusion", sd_webui_url="http://127.0.0.1:7860"))

    assert {name: generator.name for name, generator in built.items()} == {
        "demo": "demo",
        "stable_diffusion": "stable_diffusion",
    }


def test_an_unknown_choice_stops_the_start_and_names_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"IMAGE_GENERATOR is 'dall-e'; .*demo, stable_diffusion"):
        build_generators(_settings(image_generator="dall-e"))


def test_an_unconfigured_choice_stops_the_start_and_names_its_setting() -> None:
    with pytest.raises(SettingsError, match="set SD_WEBUI_URL as well"):
        build_generators(_settings(image_generator="stable_diffusion"))


def test_an_image_command_is_a_generation_request_field_by_field() -> None:
    command = ImageCommand(prompt="a fox", seed=3)

    assert GenerationRequest(**command.model_dump()) == GenerationRequest("a fox", seed=3)
