"""Ask the advisory database about the pinned libraries. Exit code 1 when one of them has a known hole.

Where it cannot be reached, for all libraries or for some, that is said in a sentence and the check goes on.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_SECONDS = 120


def ask() -> dict[str, Any] | None:
    """Return pip-audit's report, or None when it could not be made."""
    command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner", "off"]
    command += ["--format", "json", "--requirement", str(ROOT / "requirements.txt")]
    try:
        ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        report: dict[str, Any] = json.loads(ran.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return report


def verdict(report: dict[str, Any] | None) -> tuple[int, list[str]]:
    """Return the exit code and what to say."""
    if report is None:
        return 0, ["The advisory database cannot be reached from here: the libraries were NOT checked for known holes."]
    libraries = report["dependencies"]
    holes = [
        f"{each['name']} {each['version']}: {hole['id']}; mended in {', '.join(hole['fix_versions']) or 'no version'}"
        for each in libraries
        for hole in each.get("vulns", [])
    ]
    unknown = [each["name"] for each in libraries if "skip_reason" in each]
    lines = [
        *holes,
        f"Checked {len(libraries) - len(unknown)} of {len(libraries)} libraries for known holes: {len(holes)}.",
    ]
    if unknown:
        lines.append(f"The advisory database gave no answer about: {', '.join(unknown)}.")
    return (1 if holes else 0), lines


if __name__ == "__main__":
    code, lines = verdict(ask())
    print("\n".join(lines), file=sys.stderr if code else sys.stdout)
    sys.exit(code)
