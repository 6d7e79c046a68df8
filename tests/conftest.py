"""Fixtures for every test."""

from __future__ import annotations

pytest_plugins = (
    "tests.fixtures.mongo",
    "tests.fixtures.decoding",
    "tests.fixtures.application",
    "tests.fixtures.s3",
    "tests.fixtures.server",
    "tests.fixtures.redis",
)
