"""The queue that runs background work; the only home of huey."""

from __future__ import annotations

from ChatBot.config import Settings
from ChatBot.jobs.base import Jobs
from ChatBot.jobs.memory import MemoryJobs
from ChatBot.jobs.redis import RedisJobs


def build_jobs(settings: Settings) -> Jobs:
    """Return the queue of the settings. Raises ``SettingsError`` when Redis refuses us or ``REDIS_URL`` is wrong."""
    if settings.redis_url:
        return RedisJobs(settings.redis_url, f"chatbot.{settings.mongodb_db}")
    return MemoryJobs()
