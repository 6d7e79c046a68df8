"""Fixtures for every test."""

from __future__ import annotations

from hypothesis import core, settings
from hypothesis.vendor import pretty
from schemathesis.generation.hypothesis import setup

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

setup()  # once and for all, as Schemathesis does when it is first used: it also lets Hypothesis print nothing ...
core.RepresentationPrinter = pretty.RepresentationPrinter  # type: ignore[attr-defined]  # ... and this undoes that
