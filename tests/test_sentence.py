"""Sentences that keep their words and their values apart."""

from __future__ import annotations

import pytest

from ChatBot.errors import InputError
from ChatBot.sentence import Sentence


def test_it_is_its_english_text() -> None:
    sentence = Sentence("The prompt is longer than %(most)s characters, %(name)s.", most=32_000, name="50% grey")

    assert sentence == "The prompt is longer than 32,000 characters, 50% grey."
    assert str(InputError(sentence)) == sentence


def test_it_knows_what_it_was_made_of() -> None:
    sentence = Sentence("At most %(most)s.", most=3)

    assert (sentence.original, sentence.values) == ("At most %(most)s.", {"most": 3})


def test_without_values_a_per_cent_sign_is_one() -> None:
    assert Sentence("100 %") == "100 %"


def test_a_place_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        Sentence("At most %(most)s.", least=3)


def test_what_an_error_was_raised_with_is_what_it_tells() -> None:
    sentence = Sentence("At most %(most)s.", most=3)

    assert Sentence.told_by(InputError(sentence)) is sentence
    assert Sentence.told_by(InputError("100 %")) == "100 %"
    assert Sentence.told_by(InputError()) == ""
