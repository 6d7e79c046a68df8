"""The log: one JSON object a line on stderr, readable lines on a terminal."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

HIDDEN = "[hidden]"
SHORTEST_SECRET = 6
"""Hiding shorter texts would tear holes into ordinary words, and they keep no secret anyway."""

_hidden: set[str] = set()
_LOOKS_SECRET = re.compile(
    r"(?P<before>(?:/share/|/linked/|/api/share/|bearer\s+|://[^\s/:@]*:))(?P<secret>[^\s/?#@'\"]{6,})"
    r"|\bcb_[A-Za-z0-9_-]{20,}",
    re.IGNORECASE,
)
"""Tokens in addresses and headers, passwords in connection strings, API tokens of ours: secrets nobody told us of."""


def hide(secrets: Iterable[str]) -> None:
    """Never show these texts in the log of this process, whatever message or traceback they come in."""
    _hidden.update(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take secrets out of an event; the last step but the one that writes it."""
    return {name: _redacted(value) for name, value in event.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _redacted(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [_redacted(each) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    for secret in sorted(_hidden, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _LOOKS_SECRET.sub(lambda found: (found["before"] or "") + HIDDEN, text)


STEPS: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    redact,
)
"""What happens to an event before it is written."""


def log_to_stderr(level: int = logging.WARNING) -> None:
    """Send the log to stderr, where it does not mix with a command's answer."""
    structlog.configure(
        processors=[
            *STEPS,
            structlog.dev.ConsoleRenderer(colors=False) if sys.stderr.isatty() else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
