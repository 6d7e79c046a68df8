"""The ``generate_image`` tool: what a chat model is told about it, and the check of what the model then asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ChatBot.assistants.commands import MAX_PROMPT_CHARACTERS, MAX_SEED, ImageCommand, build_command, parse_size
from ChatBot.errors import InputError

GENERATE_IMAGE = "generate_image"

SIZES = ("1024x1024", "1216x832", "832x1216")
"""Square, landscape and portrait with about a megapixel each, the areas that current image models are trained on."""

GENERATE_IMAGE_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": GENERATE_IMAGE,
        "description": (
            "Draw one picture from a description and show it to the person. Call it only when the person wants "
            "a picture, once per picture."
        ),
        "parameters": {
            "type": "object",
            "properties": {
                "prompt": {
                    "type": "string",
                    "maxLength": MAX_PROMPT_CHARACTERS,
                    "description": "What is to be seen: subject, surroundings, light, style.",
                },
                "size": {
                    "type": "string",
                    "enum": list(SIZES),
                    "description": "Width x height in pixels: square, landscape or portrait.",
                },
                "seed": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": MAX_SEED,
                    "description": "Only to draw the same picture again.",
                },
                "negative_prompt": {"type": "string", "description": "What must not be seen."},
            },
            "required": ["prompt"],
            "additionalProperties": False,
        },
    },
}


def read_arguments(arguments: Mapping[str, Any]) -> ImageCommand:
    """Return what a model's call of ``generate_image`` asks for.

    Models invent parameters and send null for those they leave out: both are passed over, so that no URL or path
    of theirs gets any further.

    Raises:
        InputError: the call cannot be followed; the text is written for the model, which may then call again.
    """
    known = {name: arguments[name] for name in ("prompt", "seed", "negative_prompt") if _given(arguments, name)}
    if "prompt" not in known:
        raise InputError("generate_image needs a JSON object with a text called prompt that says what to draw.")
    if _given(arguments, "size"):
        known["width"], known["height"] = _read_size(arguments["size"])
    return build_command(known)


def _given(arguments: Mapping[str, Any], name: str) -> bool:
    return arguments.get(name) not in (None, "")


def _read_size(value: object) -> tuple[int, int]:
    size = parse_size(value) if isinstance(value, str) else None
    if size is None or f"{size[0]}x{size[1]}" not in SIZES:
        raise InputError(f"size must be one of {', '.join(SIZES)}.")
    return size
