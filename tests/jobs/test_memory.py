"""The queue in memory keeps the contract."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ChatBot.jobs.base import Jobs
from ChatBot.jobs.memory import MemoryJobs
from tests.jobs.contract import JobsContract


class TestMemoryJobs(JobsContract):
    @pytest.fixture
    def make_jobs(self) -> Callable[[], Jobs]:
        return MemoryJobs
