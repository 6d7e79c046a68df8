"""The image generators this application can use; a newcomer is one file, one line in ``BUILT_IN`` and its setting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ChatBot.config import Settings
from ChatBot.errors import SettingsError
from ChatBot.generators.base import Generator
from ChatBot.generators.demo import DemoGenerator
from ChatBot.generators.stable_diffusion import StableDiffusionGenerator


@dataclass(frozen=True)
class BuiltIn:
    """One generator on offer: its name, the settings that all must be set, and what builds it from them."""

    name: str
    needs: tuple[str, ...]
    build: Callable[[Settings], Generator]

    def is_configured(self, settings: Settings) -> bool:
        """Say whether every setting it needs has a value."""
        return all(getattr(settings, name) for name in self.needs)


BUILT_IN: tuple[BuiltIn, ...] = (
    BuiltIn("demo", (), DemoGenerator.from_settings),
    BuiltIn("stable_diffusion", ("sd_webui_url",), StableDiffusionGenerator.from_settings),
)


def build_generators(settings: Settings) -> dict[str, Generator]:
    """Return every generator that is configured, by name; ``settings.image_generator`` is among them.

    Raises:
        SettingsError: ``IMAGE_GENERATOR`` names none, or one whose own setting is missing.
    """
    chosen = next((entry for entry in BUILT_IN if entry.name == settings.image_generator), None)
    if chosen is None:
        names = ", ".join(entry.name for entry in BUILT_IN)
        raise SettingsError(f"IMAGE_GENERATOR is {settings.image_generator!r}; set it to one of: {names}.")
    if not chosen.is_configured(settings):
        missing = " and ".join(name.upper() for name in chosen.needs if not getattr(settings, name))
        raise SettingsError(f"IMAGE_GENERATOR is {chosen.name!r}: set {missing} as well.")
    return {entry.name: entry.build(settings) for entry in BUILT_IN if entry.is_configured(settings)}
