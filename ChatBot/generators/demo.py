"""A generator that needs nothing: it paints a landscape from the prompt's words, and says in the picture: demo."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from io import BytesIO
from typing import Self

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ChatBot.cancelling import CancelCheck
from ChatBot.config import Settings
from ChatBot.errors import Cancelled, ProviderRefused
from ChatBot.generators.base import (
    GeneratedPicture,
    GenerationRequest,
    Generator,
    Progress,
    ProgressCallback,
)
from ChatBot.generators.painting import STAGES, paint
from ChatBot.sentence import Sentence

MODEL = "demo-painter"
MIN_SIDE_PIXELS = 16
MAX_SIDE_PIXELS = 4096
COMPRESS_LEVEL = 3
"""zlib's level: 6 takes about twice the time for a file a tenth smaller."""


class DemoGenerator(Generator):
    """Paints offline; the same prompt, seed and size give the same bytes."""

    name = "demo"

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:  # noqa: ARG003 - every entry is built the same way
        """Build it; it needs no setting."""
        return cls()

    def _check(self) -> None:
        """Nothing outside is needed."""

    def _generate(
        self, request: GenerationRequest, on_progress: ProgressCallback, cancelled: CancelCheck
    ) -> list[GeneratedPicture]:
        if not all(MIN_SIDE_PIXELS <= side <= MAX_SIDE_PIXELS for side in (request.width, request.height)):
            text = Sentence(
                "The demo generator paints sides of %(least)s to %(most)s pixels.",
                least=MIN_SIDE_PIXELS,
                most=MAX_SIDE_PIXELS,
            )
            raise ProviderRefused(text, provider=self.name, reason="input")
        seed = secrets.randbits(32) if request.seed is None else request.seed
        steps = request.count * STAGES
        done = 0

        def on_stage() -> None:
            nonlocal done
            if cancelled():
                raise Cancelled("The picture was cancelled.")
            done += 1
            on_progress(Progress("generating", done / steps))

        if cancelled():
            raise Cancelled("The picture was cancelled before it was begun.")
        return [self._paint(request, seed + number, on_stage) for number in range(request.count)]

    def _paint(self, request: GenerationRequest, seed: int, on_stage: Callable[[], None]) -> GeneratedPicture:
        picture = paint(request.prompt, seed, (request.width, request.height), on_stage)
        parameters = _parameters(request, seed)
        return GeneratedPicture(_encode(picture, parameters), seed, MODEL, {"parameters": parameters})


def _parameters(request: GenerationRequest, seed: int) -> str:
    """Return the text that the Stable Diffusion WebUI writes into its files, for this picture."""
    negative = f"\nNegative prompt: {request.negative_prompt}" if request.negative_prompt else ""
    size = f"{request.width}x{request.height}"
    return f"{request.prompt}{negative}\nSteps: {STAGES}, Seed: {seed}, Size: {size}, Model: {MODEL}"


def _encode(picture: Image.Image, parameters: str) -> bytes:
    text = PngInfo()
    # A chunk for Latin-1 alone, or the international one: add_text picks by the letters.
    text.add_text("parameters", parameters)
    file = BytesIO()
    picture.save(file, "PNG", pnginfo=text, compress_level=COMPRESS_LEVEL)
    return file.getvalue()
