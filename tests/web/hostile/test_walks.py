"""A walk that breaks says at what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.hostile.texts import walk


def test_what_broke_a_walk_is_printed() -> None:
    @walk(5)
    @given(st.just("hostile"))
    def explore(text: str) -> None:
        assert text != "hostile"

    with pytest.raises(AssertionError) as broken:
        explore()

    assert "text='hostile'" in "".join(broken.value.__notes__)
