"""What every measurement prints when it is run alone: a table, or with ``--json`` one object."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Row = TypeVar("Row", bound=DataclassInstance)


def print_rows(name: str, rows: Sequence[Row], line: Callable[[Row], str], head: str) -> None:
    """Print ``rows`` under ``head``, each as ``line`` writes it, or all of them as JSON under ``name``."""
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps({name: [asdict(row) for row in rows]}) + "\n")
        return
    sys.stdout.write("\n".join([head, *map(line, rows)]) + "\n")
