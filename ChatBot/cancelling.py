"""Whether work that takes long is still wanted: a check that its caller hands along."""

from __future__ import annotations

from collections.abc import Callable

CancelCheck = Callable[[], bool]
"""Says whether the work is not wanted any more; it may be asked several times a second, from any thread."""


def never_cancelled() -> bool:
    """The check of a caller that cannot stop."""
    return False
