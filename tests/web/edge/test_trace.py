"""What the log says about requests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from tests.fixtures.application import Api


@pytest.fixture
def log() -> Iterator[StringIO]:
    """The log at the level that a server writes."""
    written = StringIO()
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer(key_order=["endpoint", "status"])],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(written),
        cache_logger_on_first_use=False,
    )
    yield written
    structlog.reset_defaults()


def test_every_request_is_logged_but_for_the_files_that_pages_are_made_of(visitor: Api, log: StringIO) -> None:
    visitor.get("/login")
    visitor.get("/static/css/app.css")
    visitor.get("/static/css/none.css")

    lines = [line.partition(" request_id")[0] for line in log.getvalue().splitlines()]

    assert lines[0].startswith("endpoint='pages.login'")
    assert lines[1:] == ["endpoint='static' status=404"]
