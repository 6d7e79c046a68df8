"""Keeps the settings of whoever runs the tests out of them."""

from __future__ import annotations

import pytest

from ChatBot.config import Settings


@pytest.fixture(autouse=True)
def _no_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
