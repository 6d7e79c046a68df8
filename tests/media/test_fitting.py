"""The search for the best quality that fits, on codecs made of a formula."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from ChatBot.media.fitting import SizeModel, best_fit

MODEL = SizeModel.from_samples((50, 75, 95), (20_000, 50_000, 200_000))


class Codec:
    """A codec whose files are ``factor`` times as large as the model expects."""

    def __init__(self, factor: float) -> None:
        self.factor = factor
        self.asked: list[int] = []

    def __call__(self, quality: int) -> bytes:
        self.asked.append(quality)
        return bytes(max(1, int(MODEL.bytes_at(quality) * self.factor)))


@given(factor=st.floats(0.5, 2.0), limit=st.integers(45_000, 150_000))
def test_a_wrong_guess_is_corrected_within_three_encodes(factor: float, limit: int) -> None:
    codec = Codec(factor)

    data = best_fit(codec, MODEL, limit)

    assert data is not None
    assert len(codec.asked) <= 3
    assert len(set(codec.asked)) == len(codec.asked)
    assert len(data) <= limit
    assert len(data) >= 0.85 * limit or codec.asked[-1] == 95


def test_a_right_guess_needs_one_encode() -> None:
    codec = Codec(1.0)

    best_fit(codec, MODEL, 100_000)

    assert len(codec.asked) == 1


def test_the_highest_quality_is_enough() -> None:
    codec = Codec(1.0)

    data = best_fit(codec, MODEL, 10_000_000)

    assert codec.asked == [95]
    assert data is not None


def test_nothing_is_returned_when_nothing_fits() -> None:
    assert best_fit(Codec(1.0), MODEL, 10_000) is None


def test_the_model_goes_through_its_samples() -> None:
    assert math.isclose(MODEL.bytes_at(75), 50_000)
    assert MODEL.quality_for(50_000) == 75
    assert math.isclose(MODEL.through(75, 60_000).bytes_at(75), 60_000)
