"""Look for secrets in the project's files; offline. Exit code 1 when one is found that nobody has looked at.

``.secrets.baseline`` holds the hashes of what looks like a secret and is none; ``--accept`` writes it anew. In
``tests/`` passwords by name and random letters are stand-ins; there only what has the form of a real key counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ".secrets.baseline"
UNREAD = ("static/vendor/", "tests/vendor/", "ChatBot/translations/", "package-lock.json", BASELINE)
STAND_INS = {
    "Secret Keyword",
    "Basic Auth Credentials",
    "Hex High Entropy String",
    "Base64 High Entropy String",
}

Found = set[tuple[str, str, str]]


def tracked(root: Path) -> list[str]:
    """Return the files of the project that people write."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and not name.startswith(UNREAD) and (root / name).is_file()]


def scan(root: Path, names: list[str]) -> dict[str, Any]:
    """Return what detect-secrets finds in those files."""
    command = [sys.executable, "-m", "detect_secrets", "scan", "--no-verify", *names]
    found: dict[str, Any] = json.loads(subprocess.run(command, cwd=root, check=True, capture_output=True).stdout)
    return found


def suspects(report: dict[str, Any]) -> Found:
    """Return file, kind and hash of each find that counts."""
    return {
        (name, each["type"], each["hashed_secret"])
        for name, finds in report["results"].items()
        for each in finds
        if not (name.startswith("tests/") and each["type"] in STAND_INS)
    }


def main(root: Path = ROOT, *, accept: bool = False) -> int:
    """Scan and report."""
    report = scan(root, tracked(root))
    if accept:
        (root / BASELINE).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        return 0
    known = suspects(json.loads((root / BASELINE).read_text(encoding="utf-8")))
    fresh = suspects(report) - known
    lines = {
        (name, each["type"], each["hashed_secret"]): each["line_number"]
        for name, finds in report["results"].items()
        for each in finds
    }
    for find in sorted(fresh):
        print(f"{find[0]}:{lines[find]}: {find[1]}", file=sys.stderr)
    if fresh:
        print(
            "These look like secrets. Take them out, and change them where they are used: git remembers. "
            "If they are none: python scripts/secrets_scan.py --accept",
            file=sys.stderr,
        )
        return 1
    print("No secrets in the files.")
    return 0


if __name__ == "__main__":
    sys.exit(main(accept="--accept" in sys.argv[1:]))
