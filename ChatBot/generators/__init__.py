"""The image generators this application can use; a newcomer is one file, one line in ``BUILT_IN`` and its setting."""

from __future__ import annotations

from ChatBot.config import BuiltIn, Settings
from ChatBot.errors import SettingsError
from ChatBot.generators.base import Generator
from ChatBot.generators.demo import DemoGenerator
from ChatBot.generators.stable_diffusion import StableDiffusionGenerator

BUILT_IN: tuple[BuiltIn[Generator], ...] = (
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
