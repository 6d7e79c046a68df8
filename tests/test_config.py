"""Settings that contradict each other stop the start with a sentence that names them."""

from __future__ import annotations

import pytest

from ChatBot.config import load_settings
from ChatBot.errors import SettingsError


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a developer's ``.env`` nor a Redis of the environment."""
    monkeypatch.setenv("ENV_FILE", "")
    monkeypatch.delenv("REDIS_URL", raising=False)


def test_no_worker_threads_without_a_shared_queue_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_THREADS", "0")

    with pytest.raises(SettingsError, match=r"WORKER_THREADS: .*REDIS_URL"):
        load_settings()


def test_no_worker_threads_are_right_where_other_processes_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_THREADS", "0")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:6379/0")

    assert load_settings().worker_threads == 0
