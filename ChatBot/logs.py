"""The log: one JSON object a line on stderr, readable lines on a terminal, ours and the libraries' alike."""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Iterable, MutableMapping
from contextlib import suppress
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import Processor

HIDDEN = "[hidden]"
SHORTEST_SECRET = 6
"""Hiding shorter texts would tear holes into ordinary words, and they keep no secret anyway."""

_hidden: set[str] = set()
_LOOKS_SECRET = re.compile(
    r"(?P<place>://[^\s/:@\[]*:)[^\s/]+(?=@)"
    r"|(?P<before>/share/|/linked/|/api/share/|bearer\s+|://[^\s/:@\[]*:"
    r"|[?&](?:key|token|access_token|signature|x-amz-signature)=)[^\s/?#@&'\"]{6,}"
    r"|\bcb_[A-Za-z0-9_-]{20,}",
    re.IGNORECASE,
)
"""Tokens in addresses and headers, passwords in connection strings, API tokens of ours: secrets nobody told us of."""


def hide(secrets: Iterable[str]) -> None:
    """Never show these texts in the log of this process, whatever message or traceback they come in."""
    _hidden.update(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take secrets out of an event; the last step but the one that makes a line of it."""
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
    return _LOOKS_SECRET.sub(lambda found: (found["place"] or found["before"] or "") + HIDDEN, text)


STEPS: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)
"""What happens to an event before its secrets are taken out and it is written."""


def log_to_stderr(level: int = logging.WARNING) -> None:
    """Send the log to stderr, where it does not mix with a command's answer.

    ``level`` is for events of our own; of libraries, which say a lot, only warnings and errors are written.
    """
    structlog.configure(
        processors=[*STEPS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.getLogger("ChatBot").setLevel(level)
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    for former in [each for each in root.handlers if isinstance(each, Stderr)]:
        root.removeHandler(former)
    root.addHandler(Stderr())


def log_what_nobody_catches() -> None:
    """Write Python's warnings and the errors that end a thread or this process to the log, instead of beside it."""
    logging.captureWarnings(capture=True)
    sys.excepthook = _process_ended
    threading.excepthook = _thread_ended
    sys.unraisablehook = _could_not_be_raised


class Stderr(logging.Handler):
    """Writes each record without secrets, in one piece, to what is standard error at that moment."""

    def __init__(self) -> None:
        super().__init__()
        readable = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
        renderer: Processor = readable if sys.stderr.isatty() else structlog.processors.JSONRenderer()
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[*STEPS, structlog.stdlib.add_logger_name],
                processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer],
            )
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; one that cannot be written is replaced by what is wrong with it."""
        try:
            self._write(record)
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Say that the record is broken; logging itself would print the secrets in its arguments."""
        broken = {"name": record.name, "levelno": logging.ERROR, "levelname": "ERROR", "exc_info": sys.exc_info()}
        with suppress(Exception):  # standard error itself may be what is broken
            self._write(logging.makeLogRecord({**broken, "msg": f"This cannot be written: {record.msg}"}))

    def _write(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")
        sys.stderr.flush()


_uncaught = structlog.get_logger(__name__)


def _process_ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        _uncaught.critical("process.broke", exc_info=(kind, error, trace))


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    if not issubclass(ended.exc_type, SystemExit):
        name = ended.thread.name if ended.thread else None
        _uncaught.error("thread.broke", thread=name, exc_info=(ended.exc_type, ended.exc_value, ended.exc_traceback))


def _could_not_be_raised(met: sys.UnraisableHookArgs) -> None:
    said = f"{met.err_msg or 'Exception ignored in'}: {met.object!r}"
    _uncaught.error("error.ignored", where=said, exc_info=(met.exc_type, met.exc_value, met.exc_traceback))
