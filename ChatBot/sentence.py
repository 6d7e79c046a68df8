"""A sentence for people that can be said in their language: its words and its numbers are kept apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self


class Sentence(str):
    """A text in English, made from an ``original`` with ``%(name)s`` places and the ``values`` that belong there.

    Numbers get separators for their thousands. ``make translations`` collects every original. Raises ``KeyError`` when
    a place has no value, ``ValueError`` or ``TypeError`` when the original cannot be filled in at all.
    """

    original: str
    values: Mapping[str, int | str]

    def __new__(cls, original: str, /, **values: int | str) -> Self:
        """Fill the values in; without any, the original is the text."""
        shown = {name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()}
        made = super().__new__(cls, original % shown if shown else original)
        made.original, made.values = original, values
        return made

    @classmethod
    def told_by(cls, error: Exception) -> Self:
        """Return what an error says; with its values apart, if it was raised with a sentence."""
        said = error.args[0] if error.args else ""
        return said if isinstance(said, cls) else cls(str(error))
