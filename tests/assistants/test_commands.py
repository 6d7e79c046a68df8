"""The ``/image`` command line."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ChatBot.assistants.commands import MAX_PROMPT_CHARACTERS, SYNTAX, ImageCommand, parse_image_command
from ChatBot.errors import InputError


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/image a red fox", ImageCommand(prompt="a red fox")),
        ("  /IMAGE\na red fox  ", ImageCommand(prompt="a red fox")),
        ('/image "a red fox"', ImageCommand(prompt="a red fox")),
        ("/image a fox's den -- in snow", ImageCommand(prompt="a fox's den -- in snow")),
        ("/image a well-known fox", ImageCommand(prompt="a well-known fox")),
        (
            SYNTAX,
            ImageCommand(prompt="a red fox", seed=7, width=768, height=512, count=2, negative_prompt="text, watermark"),
        ),
        (
            "/image a fox --no text, watermark --seed=7",
            ImageCommand(prompt="a fox", negative_prompt="text, watermark", seed=7),
        ),
        ("/image a fox \u2014seed 7", ImageCommand(prompt="a fox", seed=7)),
        ("/image a fox --size 768\u00d7512", ImageCommand(prompt="a fox", width=768, height=512)),
        ("/image một con cáo --no “chữ”", ImageCommand(prompt="một con cáo", negative_prompt="chữ")),
    ],
)
def test_it_reads_prompt_and_options(text: str, command: ImageCommand) -> None:
    assert parse_image_command(text) == command


@pytest.mark.parametrize("text", ["", "hello", "/images a fox", "/imagea fox", "please /image a fox", "image a fox"])
def test_other_text_is_no_command(text: str) -> None:
    assert parse_image_command(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/image", "what to draw"),
        ("/image --seed 7", "what to draw"),
        ("/image a fox --seed red", "--seed must be followed by one whole number"),
        ("/image a fox --seed 7 in snow", "the prompt comes first"),
        ("/image a fox --seed \u0667", "whole number"),
        ("/image a fox --seed 4294967296", "seed"),
        ("/image a fox --size big", "768x512"),
        ("/image a fox --size 63x512", "width"),
        ("/image a fox --size 512x2049", "height"),
        ("/image a fox --count 5", "count"),
        ("/image a fox --count 0", "count"),
        ("/image a fox --no", "--no"),
        ("/image a fox --steps 30", "--steps is not known"),
        ("/image a fox --seed 1 --seed 2", "twice"),
        ("/image " + "x" * (MAX_PROMPT_CHARACTERS + 1), "prompt"),
        ("/image " + "[" * 100_000, "prompt"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_image_command(text)

    assert words in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_a_command_or_refused(text: str) -> None:
    command = None

    with suppress(InputError):
        command = parse_image_command("/image " + text)

    assert command is None or command.prompt.strip() == command.prompt != ""
