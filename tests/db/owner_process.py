"""A process that owns the database on a folder, for tests that kill it: ``python -m tests.db.owner_process <folder>``.

It prints one JSON line when ready; with ``write`` it then inserts numbers one by one, from the highest stored one
on, and prints each as soon as it is acknowledged.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import structlog

from ChatBot.db.connection import connect
from ChatBot.db.embedded import EmbeddedServer


def main(folder: str, task: str = "wait") -> None:
    """Own the database until killed."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    server = EmbeddedServer(Path(folder)).start("owning it for a test")
    print(json.dumps({"mongod": server.pid, "uri": server.uri}), flush=True)  # noqa: T201 - read by the test
    numbers = connect(server.uri, "kills")["numbers"]
    latest = numbers.find_one(sort=[("_id", -1)])
    number = latest["_id"] if latest else 0
    while task == "write":
        number += 1
        numbers.insert_one({"_id": number})
        print(number, flush=True)  # noqa: T201 - read by the test
    time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])
