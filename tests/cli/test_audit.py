"""``audit list``, and which commands leave an entry."""

from __future__ import annotations

from tests.cli.conftest import CommandLine
from tests.fixtures.application import PASSWORD


def test_commands_that_change_something_are_kept_and_previews_are_not(chatbot: CommandLine) -> None:
    made = chatbot("users", "create", "ann", "--password", PASSWORD, "--json").answer
    chatbot("images", "restore", "--json")
    chatbot("users", "promote", "nobody")
    chatbot("images", "stats", "--json")

    items = chatbot("audit", "list", "--json").answer["items"]

    assert [(item["action"], item["outcome"], item["target_id"]) for item in reversed(items)] == [
        ("command users create", "ok", made["id"]),
        ("command users promote", "failed", None),
    ]
    assert {item["address"] for item in items} == {"command line"}
    assert "ann" not in chatbot("audit", "list", "--account", "ann").stdout
