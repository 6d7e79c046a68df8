"""``python -m bench``: every measurement in one table, or with ``--json`` as one object on standard output."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from bench import intake, restore, saving, serving
from ChatBot.logs import log_to_stderr


def main() -> None:
    """Measure and print; each part compares ways within its own run, so its ratios hold on any machine."""
    log_to_stderr(logging.WARNING)  # standard output is for the figures
    taking, giving = intake.measure(), serving.measure()
    returning, keeping = restore.measure(), saving.measure()
    if "--json" in sys.argv[1:]:
        body = {
            "intake": [asdict(row) for row in taking],
            "serving": [asdict(row) for row in giving],
            "restore": [asdict(row) for row in returning],
            "saving": [asdict(row) for row in keeping],
        }
        sys.stdout.write(json.dumps(body) + "\n")
        return
    Console().print(_table(taking, giving, returning, keeping))


def _table(
    taking: Sequence[intake.Row],
    giving: Sequence[serving.Row],
    returning: Sequence[restore.Row],
    keeping: Sequence[saving.Row],
) -> Table:
    load = f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    caption = f"Client: {serving.client_name()}, {serving.CONNECTIONS} connections. Machine: {load}."
    table = Table(title="ChatBot: performance", caption=caption, title_justify="left", caption_justify="left")
    for name in ("what", "way"):
        table.add_column(name)
    for name in ("figure", "ratio", "p50 ms", "p99 ms"):
        table.add_column(name, justify="right")
    for row in taking:
        figure, ratio = f"{row.milliseconds:.0f} ms", f"{row.ratio:.2f} x floor"
        table.add_row("intake of a 1.3 MP PNG", row.way, figure, ratio, "", "")
    table.add_section()
    for each in giving:
        times = (f"{each.p50_milliseconds:.1f}", f"{each.p99_milliseconds:.1f}")
        table.add_row(f"serving {each.what}", each.way, f"{each.per_second:.0f}/s", f"{each.ratio:.0%}", *times)
    table.add_section()
    for back in returning:
        table.add_row("restore of 1,000 pictures, 50 ms away", back.way, *restore.figures(back), "", "")
    table.add_section()
    for kept in keeping:
        table.add_row(saving.WHAT, kept.way, f"{kept.per_second:.1f}/s", f"{kept.ratio:.0%}", "", "")
    return table


if __name__ == "__main__":
    main()
