"""``python -m tests.chaos``: kill the server many times and print what was kept."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos.loop import run


def main() -> int:
    """Run the crash loop and return 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        findings = run(Path(folder), options.kills, options.seed, console.print)
    table = Table(title=f"After {options.kills} kills (seed {options.seed})")
    table.add_column("what")
    table.add_column("number", justify="right")
    for name, value in vars(findings).items():
        table.add_row(name.replace("_", " "), str(len(value) if isinstance(value, list) else value))
    console.print(table)
    for name, items in findings.broken.items():
        console.print(f"[bold]{name}[/]: {items[:20]}")
    return 1 if findings.broken else 0


if __name__ == "__main__":
    sys.exit(main())
