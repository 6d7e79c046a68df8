"""``docs/commands.md`` has every command and every option, and no other."""

from __future__ import annotations

import re

import click
import pytest

from ChatBot.config import PROJECT_ROOT
from tests.cli.test_help import ONES

PAGE = (PROJECT_ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
EVERYWHERE = {"--json", "--help", "-h"}
"""Options of all commands, which the page explains once."""


def sections() -> dict[tuple[str, ...], str]:
    """Return the text about each command by its path; arguments are in capitals."""
    found = re.findall(r"^### `([^`]+)`\n(.*?)(?=^### |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return {tuple(word for word in name.split() if not word.isupper()): text for name, text in found}


def test_every_command_has_its_section_and_no_other() -> None:
    assert set(sections()) == set(ONES)


@pytest.mark.parametrize("path", ONES, ids=" ".join)
def test_section_has_exactly_the_options_of_its_command(path: tuple[str, ...]) -> None:
    options = {name for one in ONES[path].params if isinstance(one, click.Option) for name in one.opts}

    explained = set(re.findall(r"^\| `(-[^`]+)`", sections()[path], re.MULTILINE))

    assert explained == options - EVERYWHERE


def test_page_explains_the_options_of_all_commands_and_every_exit_code() -> None:
    words = " ".join(PAGE.split())

    assert all(f"`{option}`" in words for option in EVERYWHERE)
    assert all(code in words for code in ("0 ok", "1 unexpected", "2 wrong usage", "3 finished", "4 a dep", "130 int"))
