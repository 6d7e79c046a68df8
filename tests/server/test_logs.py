"""What a running server writes has no secret, whichever part of it or of its libraries says it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ChatBot.config import PROJECT_ROOT
from tests.fixtures.server import ServerProcess, eventually

pytestmark = pytest.mark.server

KEY = "planted-as-an-api-key"
SPILL = f"""
import logging, os, sys, threading, time, warnings

def spill():
    while not os.path.exists("spill"):
        time.sleep(0.05)
    if "ChatBot" not in sys.modules:  # Python's own process that tidies up after others
        return
    logging.getLogger("urllib3.connectionpool").warning("Retrying %s", "https://me:planted-1@127.0.0.1/")
    logging.getLogger("botocore.auth").error("key %s", {KEY!r})
    logging.getLogger("werkzeug").error("GET %s", "/share/planted-2-token-123456")
    logging.getLogger("_granian.asgi").error("Bearer planted-3-token-123456")
    warnings.warn("redis://:planted-4@127.0.0.1/0", ResourceWarning)
    try:
        int({KEY!r})
    except ValueError:
        logging.getLogger("asyncio").exception("it broke")
    raise RuntimeError("Bearer planted-5-token-123456")

threading.Thread(target=spill, name="spilling", daemon=True).start()
"""
"""Python runs it in each process before anything else; it waits for a file of that name."""
SAID = ("urllib3.connectionpool", "botocore.auth", "werkzeug", "_granian.asgi", "py.warnings", "asyncio")


def test_what_libraries_and_threads_say_in_each_process_is_one_json_line_without_secrets(
    make_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SPILL)
    server = make_server(
        PYTHONPATH=f"{tmp_path}:{PROJECT_ROOT}", PYTHONWARNINGS="always::ResourceWarning", OPENAI_API_KEY=KEY
    ).start()

    (server.folder / "spill").touch()

    assert eventually(lambda: server.stderr.count("thread.broke") == 2), server.stderr
    assert server.terminate() == 0
    written = [line for line in server.stderr.splitlines() if not line.startswith("ChatBot: http://")]
    events = [json.loads(line) for line in written]
    assert not server.stdout
    assert all(sum(event.get("logger") == name for event in events) == 2 for name in SAID), server.stderr
    assert "planted" not in "".join(str(event["event"]) for event in events)
    # A traceback shows lines of the source, and there the text is written.
    last_lines = [event["exception"].splitlines()[-1] for event in events if "exception" in event]
    assert len(last_lines) == 4
    assert "planted" not in "".join(last_lines)
    assert KEY not in server.stderr
