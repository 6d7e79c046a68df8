"""Fixtures for every test."""

from __future__ import annotations

from hypothesis import core
from hypothesis.vendor import pretty
from schemathesis.generation.hypothesis import setup

from tests.exploring import be_repeatable

pytest_plugins = (
    "tests.fixtures.mongo",
    "tests.fixtures.decoding",
    "tests.fixtures.application",
    "tests.fixtures.s3",
    "tests.fixtures.server",
    "tests.fixtures.redis",
    "tests.fixtures.canary",
)

be_repeatable()
setup()  # once and for all, as Schemathesis does when it is first used: it also lets Hypothesis print nothing ...
core.RepresentationPrinter = pretty.RepresentationPrinter  # type: ignore[attr-defined]  # ... and this undoes that
