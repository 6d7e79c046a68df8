"""What every image generator must do; each implementation's test inherits this class and gives a ``generator``."""

from __future__ import annotations

import pytest

from ChatBot.errors import Cancelled
from ChatBot.generators.base import GenerationRequest, Generator, Progress

REQUEST = GenerationRequest("a red fox", width=128, height=96, seed=7)


class GeneratorContract:
    """Inherit it, and override the ``generator`` fixture."""

    @pytest.fixture
    def generator(self) -> Generator:
        raise NotImplementedError

    def test_it_has_a_short_name_for_settings_and_logs(self, generator: Generator) -> None:
        assert generator.name.isidentifier()
        assert generator.name == generator.name.lower()

    def test_it_returns_bytes_and_the_seed_that_was_asked_for(self, generator: Generator) -> None:
        (picture,) = generator.generate(REQUEST)

        assert picture.data
        assert picture.seed == 7

    def test_it_reports_the_seed_it_picked(self, generator: Generator) -> None:
        (picture,) = generator.generate(GenerationRequest("a red fox", width=64, height=64))

        assert isinstance(picture.seed, int)
        assert picture.seed >= 0

    def test_it_draws_as_many_as_asked_each_with_its_own_seed(self, generator: Generator) -> None:
        pictures = generator.generate(GenerationRequest("a red fox", width=64, height=64, count=3, seed=5))

        assert len(pictures) == 3
        assert len({picture.seed for picture in pictures}) == 3

    def test_it_keeps_the_parameters_of_the_picture(self, generator: Generator) -> None:
        (picture,) = generator.generate(REQUEST)

        assert "a red fox" in picture.metadata["parameters"]
        assert picture.model

    def test_progress_never_runs_backwards_and_ends_at_one(self, generator: Generator) -> None:
        seen: list[Progress] = []

        generator.generate(REQUEST, seen.append)

        fractions = [progress.fraction for progress in seen if progress.fraction is not None]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1.0

    def test_a_cancelled_request_draws_nothing(self, generator: Generator) -> None:
        with pytest.raises(Cancelled):
            generator.generate(REQUEST, cancelled=lambda: True)

    def test_a_working_generator_passes_its_check(self, generator: Generator) -> None:
        generator.check()
