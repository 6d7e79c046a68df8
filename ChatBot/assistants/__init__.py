"""The chat models this application can talk to; a newcomer is one file, one line in ``BUILT_IN`` and its setting."""

from __future__ import annotations

import structlog

from ChatBot.assistants.base import Assistant
from ChatBot.assistants.demo import DemoAssistant
from ChatBot.assistants.openai_compatible import OpenAICompatibleAssistant
from ChatBot.config import BuiltIn, Settings
from ChatBot.errors import SettingsError

log = structlog.get_logger(__name__)


BUILT_IN: tuple[BuiltIn[Assistant], ...] = (
    BuiltIn("openai_compatible", ("chat_model",), OpenAICompatibleAssistant.from_settings),
    BuiltIn("demo", (), DemoAssistant.from_settings),
)
"""In order of preference; the last one needs nothing."""


def build_assistant(settings: Settings) -> Assistant:
    """Return the first assistant of ``BUILT_IN`` that is configured.

    Raises:
        SettingsError: a chat model is half set; the text names what is missing.
    """
    if settings.openai_base_url and not settings.chat_model:
        raise SettingsError("OPENAI_BASE_URL is set: set CHAT_MODEL to the name of the model that is to answer there.")
    if settings.openai_api_key and not settings.chat_model:
        # No reason to stop the start: many people have a key in their environment for other programs.
        log.warning("assistant.demo", reason="OPENAI_API_KEY is set without CHAT_MODEL; the demo assistant answers")
    return next(entry.build(settings) for entry in BUILT_IN if entry.is_configured(settings))
