"""Every command and every option says what it is for."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from ChatBot.cli import group

STAYING = {"serve", "worker"}
"""Commands that run until they are stopped and so have no answer."""


def commands(
    parent: click.Group = group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with its path, groups too."""
    for name, command in parent.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = dict(commands())
ONES = {path: command for path, command in ALL.items() if not isinstance(command, click.Group)}


@pytest.mark.parametrize("path", [(), *ALL], ids=" ".join)
def test_every_command_has_a_help_page(path: tuple[str, ...]) -> None:
    for option in ("--help", "-h"):
        result = CliRunner().invoke(group, [*path, option])

        assert result.exit_code == 0
        assert result.stdout.startswith("Usage:")


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_and_option_has_a_sentence(path: tuple[str, ...]) -> None:
    command = ALL[path]

    assert command.help
    assert command.help.strip().split("\n\n")[0].endswith((".", "."))
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, (path, parameter.name)
            assert parameter.help.endswith("."), (path, parameter.name)


@pytest.mark.parametrize("path", [path for path in ONES if path[0] not in STAYING], ids=" ".join)
def test_every_command_that_ends_can_answer_in_json(path: tuple[str, ...]) -> None:
    assert any("--json" in parameter.opts for parameter in ONES[path].params)


@pytest.mark.parametrize("path", [(), *(path for path in ALL if path not in ONES)], ids=" ".join)
def test_every_command_is_told_in_one_line_of_a_narrow_terminal(path: tuple[str, ...]) -> None:
    text = CliRunner().invoke(group, [*path, "--help"], terminal_width=80).stdout

    assert "..." not in text.partition("Commands:")[2]


def test_the_main_page_names_every_exit_code() -> None:
    text = CliRunner().invoke(group, ["--help"]).stdout

    for code in ("0 ok", "1 unexpected", "2 wrong usage", "3 finished with failed items", "4 a dependency", "130"):
        assert code in " ".join(text.split())
