"""The ``/image`` command: one line of text that asks for pictures without any chat model."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ChatBot.errors import InputError
from ChatBot.sentence import Sentence

MAX_PROMPT_CHARACTERS = 4000
MIN_SIDE_PIXELS = 64
MAX_SIDE_PIXELS = 2048
"""The range of the Stable Diffusion WebUI's own size sliders."""
MAX_COUNT = 4
MAX_SEED = 2**32 - 1
"""Seeds are unsigned 32-bit numbers in Stable Diffusion and in most that came after it."""

SYNTAX = '/image a red fox --seed 7 --size 768x512 --count 2 --no "text, watermark"'

_COMMAND = re.compile(r"\s*/image(?=\s|$)", re.IGNORECASE)
# Phones turn two hyphens into a dash while one types; a dash glued to a known word is therefore an option too.
_OPTION = re.compile(
    r"(?:^|(?<=\s))(?:--(?=[a-z])|[\u2014\u2013](?=(?:seed|size|count|no)\b))([a-z][\w-]*)", re.IGNORECASE
)
_QUOTES = re.compile(r"[\"“”](.*)[\"“”]", re.DOTALL)
_SIZE = re.compile(r"(\d{1,5})\s*[x\u00d7*]\s*(\d{1,5})", re.IGNORECASE)

Side = Annotated[int, Field(ge=MIN_SIDE_PIXELS, le=MAX_SIDE_PIXELS)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_PROMPT_CHARACTERS)]


class ImageCommand(BaseModel):
    """What a person or a model asked to be drawn; its fields are those of a generation request.

    ``width`` and ``height`` in pixels; ``seed`` None leaves the choice to the generator.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Annotated[Text, Field(min_length=1)]
    negative_prompt: Text = ""
    width: Side = 1024
    height: Side = 1024
    count: Annotated[int, Field(ge=1, le=MAX_COUNT)] = 1
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = None


def parse_image_command(text: str) -> ImageCommand | None:
    """Return what ``text`` asks for, or None when it does not begin with ``/image``.

    Raises:
        InputError: it does begin so, and something in it cannot be used; the text says what to write instead.
    """
    start = _COMMAND.match(text)
    if start is None:
        return None
    prompt, options = _split(text[start.end() :])
    if not prompt:
        raise InputError(Sentence("Write what to draw right after /image, for example: %(example)s", example=SYNTAX))
    fields: dict[str, object] = {"prompt": prompt}
    for name, value in options.items():
        fields |= _read_option(name, value)
    return build_command(fields)


def build_command(fields: dict[str, object]) -> ImageCommand:
    """Check ``fields`` and return them as a command.

    Raises:
        InputError: a value is outside its limits; the text names each such field.
    """
    try:
        return ImageCommand.model_validate(fields)
    except ValidationError as error:
        problems = (f"{item['loc'][0] if item['loc'] else 'arguments'}: {item['msg']}" for item in error.errors())
        raise InputError("; ".join(problems)) from error


def parse_size(text: str) -> tuple[int, int]:
    """Return (width, height) in pixels of a text like ``768x512``.

    Raises:
        InputError: the text is not two numbers with an x between them.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise InputError(Sentence("The size must look like 768x512, not %(text)s", text=repr(text[:40])))
    return int(match[1]), int(match[2])


def _split(text: str) -> tuple[str, dict[str, str]]:
    marks = list(_OPTION.finditer(text))
    ends = [*(mark.start() for mark in marks), len(text)]
    options: dict[str, str] = {}
    for mark, end in zip(marks, ends[1:], strict=True):
        name = mark[1].lower()
        if name in options:
            raise InputError(Sentence("--%(name)s is given twice; keep one of them", name=name))
        options[name] = _unquoted(text[mark.end() : end])
    return _unquoted(text[: ends[0]]), options


def _unquoted(text: str) -> str:
    stripped = text.strip().removeprefix("=").strip()
    match = _QUOTES.fullmatch(stripped)
    return match[1].strip() if match else stripped


def _read_option(name: str, value: str) -> dict[str, object]:
    match name:
        case "seed" | "count":
            return {name: _whole_number(name, value)}
        case "size":
            width, height = parse_size(value)
            return {"width": width, "height": height}
        case "no":
            if not value:
                raise InputError(
                    Sentence('Write after --no what must not be in the picture, for example --no "text, watermark"')
                )
            return {"negative_prompt": value}
        case _:
            raise InputError(
                Sentence("--%(name)s is not known; there are --seed, --size, --count and --no", name=name[:40])
            )


def _whole_number(name: str, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", value):
        raise InputError(
            Sentence(
                "--%(name)s must be followed by one whole number, not %(value)s; the prompt comes first",
                name=name,
                value=repr(value[:40]),
            )
        )
    return int(value)
