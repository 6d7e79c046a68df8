"""A short crash loop; ``make chaos`` runs 200 kills."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.loop import run


@pytest.mark.timeout(1200)
def test_no_promise_is_broken_by_a_few_kills(tmp_path: Path) -> None:
    findings = run(tmp_path, kills=5, seed=2, say=None)

    assert findings.broken == {}
    assert findings.acknowledged > 0
