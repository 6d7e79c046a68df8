"""What an image generator is: one verb from a request to picture bytes."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from ChatBot.cancelling import CancelCheck, never_cancelled

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far a generation is: ``fraction`` from 0 to 1 (None: unknown), ``eta_seconds`` if the server guesses."""

    stage: str = "generating"
    fraction: float | None = None
    eta_seconds: float | None = None


@dataclass(frozen=True)
class GenerationRequest:
    """What to draw. ``width`` and ``height`` in pixels; ``seed`` None: the generator picks one and reports it."""

    prompt: str
    negative_prompt: str = ""
    width: int = 1024
    height: int = 1024
    count: int = 1
    seed: int | None = None


@dataclass(frozen=True)
class GeneratedPicture:
    """One picture as the generator made it, still with whatever metadata the generator put into the file."""

    data: bytes
    seed: int | None = None
    model: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


ProgressCallback = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """Take no notice: the callback of a caller that does not look."""


class Generator(ABC):
    """A service, or a piece of code, that draws pictures.

    Raises ``ProviderRefused`` (``moderation``, ``input``, ``auth``, ``quota``), ``ProviderUnavailable`` or
    ``Cancelled``; nothing else leaves a generator. It always returns bytes: a URL is fetched inside.
    """

    name: str

    def generate(
        self,
        request: GenerationRequest,
        on_progress: ProgressCallback = ignore_progress,
        cancelled: CancelCheck = never_cancelled,
    ) -> list[GeneratedPicture]:
        """Draw ``request.count`` pictures; report progress and stop soon after ``cancelled()`` turns true."""
        started = time.monotonic()
        pictures = self._generate(request, on_progress, cancelled)
        log.info(
            "generator.generate",
            generator=self.name,
            pictures=len(pictures),
            seconds=round(time.monotonic() - started, 3),
        )
        return pictures

    def check(self) -> None:
        """Raise a ``ProviderError`` with a sentence when the generator cannot work now; used by health checks."""
        self._check()

    @abstractmethod
    def _generate(
        self, request: GenerationRequest, on_progress: ProgressCallback, cancelled: CancelCheck
    ) -> list[GeneratedPicture]: ...

    @abstractmethod
    def _check(self) -> None: ...
