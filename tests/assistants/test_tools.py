"""The arguments a model gives to ``generate_image``."""

from __future__ import annotations

from typing import Any

import pytest

from ChatBot.assistants.commands import ImageCommand
from ChatBot.assistants.tools import GENERATE_IMAGE_TOOL, SIZES, read_arguments
from ChatBot.errors import InputError


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ({"prompt": "a fox"}, ImageCommand(prompt="a fox")),
        ({"prompt": "a fox", "size": "1216x832"}, ImageCommand(prompt="a fox", width=1216, height=832)),
        ({"prompt": "a fox", "size": None, "seed": None, "negative_prompt": None}, ImageCommand(prompt="a fox")),
        ({"prompt": "a fox", "seed": "7"}, ImageCommand(prompt="a fox", seed=7)),
        ({"prompt": "a fox", "negative_prompt": "text"}, ImageCommand(prompt="a fox", negative_prompt="text")),
        ({"prompt": "a fox", "url": "http://10.0.0.1/", "path": "/etc/passwd"}, ImageCommand(prompt="a fox")),
    ],
)
def test_it_reads_what_models_send(arguments: dict[str, Any], command: ImageCommand) -> None:
    assert read_arguments(arguments) == command


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": "   "}, "prompt"),
        ({"prompt": ["a fox"]}, "prompt"),
        ({"prompt": "a fox", "size": "huge"}, "768x512"),
        ({"prompt": "a fox", "size": "99999x99999"}, "1024x1024"),
        ({"prompt": "a fox", "size": 1024}, "1024x1024"),
        ({"prompt": "a fox", "seed": -1}, "seed"),
        ({"prompt": "a fox", "seed": "many"}, "seed"),
    ],
)
def test_what_cannot_be_followed_is_told_to_the_model(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_arguments(arguments)

    assert words in str(caught.value)


def test_the_schema_takes_no_address_and_nothing_unnamed() -> None:
    parameters = GENERATE_IMAGE_TOOL["function"]["parameters"]

    assert set(parameters["properties"]) == {"prompt", "size", "seed", "negative_prompt"}
    assert parameters["additionalProperties"] is False


@pytest.mark.parametrize("size", SIZES)
def test_every_size_on_offer_is_accepted(size: str) -> None:
    command = read_arguments({"prompt": "a fox", "size": size})

    assert f"{command.width}x{command.height}" == size
