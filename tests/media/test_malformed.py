"""The families of malformed pictures, taken through the intake in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys

from ChatBot.config import PROJECT_ROOT

FILES = 2000
REASONS = {"empty", "format", "truncated", "corrupt", "pixels", "frames"}


def test_malformed_pictures_neither_crash_nor_hang_nor_take_memory() -> None:
    command = [sys.executable, "-m", "tests.media.malformed", "--files", str(FILES)]

    finished = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, finished.stderr
    report = json.loads(finished.stdout)
    assert sum(report["fates"].values()) == FILES
    assert set(report["fates"]) <= REASONS | {"stored"}
    assert report["grown_megabytes"] < 200
