"""``audit list``, and which commands leave an entry."""

from __future__ import annotations

from ChatBot.cli.output import AUDITED, NOT_AUDITED
from tests.cli.conftest import CommandLine
from tests.cli.test_help import ONES
from tests.fixtures.application import PASSWORD


def test_every_command_is_kept_or_stands_among_those_that_are_not() -> None:
    named = [*AUDITED, *NOT_AUDITED]

    assert sorted(named) == sorted(" ".join(path) for path in ONES)
    assert all(
        " ".join(path) in AUDITED
        for path, command in ONES.items()
        if any("--apply" in parameter.opts for parameter in command.params)
    )


def test_commands_that_change_something_are_kept_and_previews_are_not(chatbot: CommandLine) -> None:
    made = chatbot("users", "create", "ann", "--password", PASSWORD, "--json").answer
    chatbot("images", "restore", "--json")
    chatbot("images", "orphans", "--apply", "--json")
    chatbot("users", "promote", "nobody")
    chatbot("images", "stats", "--json")

    items = chatbot("audit", "list", "--json").answer["items"]

    assert [(item["action"], item["outcome"], item["target_id"]) for item in reversed(items)] == [
        ("command users create", "ok", made["id"]),
        ("command images orphans", "ok", None),
        ("command users promote", "failed", None),
    ]
    assert {item["address"] for item in items} == {"command line"}
    assert "ann" not in chatbot("audit", "list", "--account", "ann").stdout
