"""Fixtures for every test."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = (
    "tests.fixtures.mongo",
    "tests.fixtures.decoding",
    "tests.fixtures.application",
    "tests.fixtures.s3",
    "tests.fixtures.server",
    "tests.fixtures.redis",
    "tests.fixtures.canary",
)

settings.register_profile("exploring")  # what tests/web/hostile does differently under it stands there
