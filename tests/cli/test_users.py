"""``users``: accounts, administrators and tokens from the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.cli.conftest import CommandLine
from tests.fixtures.application import PASSWORD, Api


def test_accounts_administrators_and_tokens(chatbot: CommandLine, make_app: Callable[..., Flask]) -> None:
    first = chatbot("users", "create", "ann", "--password", PASSWORD, "--json")
    second = chatbot("users", "create", "bob", "--json", CHATBOT_PASSWORD=PASSWORD)
    promoted = chatbot("users", "promote", "BOB", "--json")
    token = chatbot("users", "token", "bob", "--name", "backup", "--json")

    assert [ran.code for ran in (first, second, promoted, token)] == [0, 0, 0, 0], (first, second, promoted, token)
    assert (first.answer["role"], second.answer["role"], promoted.answer["role"]) == ("admin", "member", "admin")
    assert "password" not in first.answer
    assert token.answer["name"] == "backup"
    assert PASSWORD not in first.stdout + first.stderr + second.stdout + second.stderr
    bob = Api(make_app())
    bob.headers["Authorization"] = f"Bearer {token.answer['token']}"
    me: dict[str, Any] = bob.get("/api/auth/me").json
    assert (me["username"], me["role"]) == ("bob", "admin")


def test_without_a_password_one_is_made_that_works(chatbot: CommandLine, make_app: Callable[..., Flask]) -> None:
    made = chatbot("users", "create", "ann", "--json").answer

    answer = Api(make_app()).post("/api/auth/login", json={"username": "ann", "password": made["password"]})

    assert answer.status_code == 200


def test_a_new_password_by_an_operator_closes_the_old_ways_in(
    chatbot: CommandLine, make_app: Callable[..., Flask]
) -> None:
    app = make_app()
    ann = Api(app).register("ann")
    ann.post("/api/tokens", json={})
    image_id = ann.generate(width=64, height=64)["images"][0]["id"]
    signed, permanent = (
        ann.post(f"/api/images/{image_id}/links", json=body).json["url"].removeprefix("http://localhost")
        for body in ({}, {"permanent": True})
    )

    made = chatbot("users", "password", "ANN", "--json").answer

    assert (made["sessions_ended"], made["tokens_revoked"], made["links_revoked"]) == (1, 1, 0)
    assert [Api(app).get(link).status_code for link in (signed, permanent)] == [404, 200]
    assert ann.get("/api/auth/me").status_code == 401
    answer = Api(app).post("/api/auth/login", json={"username": "ann", "password": made["password"]})
    assert answer.status_code == 200
    assert chatbot("users", "password", "ann", "--end-links", "--json").answer["links_revoked"] == 1
    assert Api(app).get(permanent).status_code == 404


WRONG = (
    ("users", "promote", "nobody"),
    ("users", "create", "x", "--password", PASSWORD),
    ("images", "stats", "--yaml"),
    ("images", "nothing"),
)


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_usage_is_2_with_a_sentence_and_nothing_on_standard_output(
    chatbot: CommandLine, arguments: tuple[str, ...]
) -> None:
    ran = chatbot(*arguments)

    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.strip()
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_usage_with_json_is_one_object_with_the_sentence(
    chatbot: CommandLine, arguments: tuple[str, ...]
) -> None:
    ran = chatbot(*arguments, "--json")

    assert ran.code == 2
    assert ran.answer["exit_code"] == 2
    assert ran.answer["error"] in ran.stderr


def test_a_missing_dependency_with_json_is_one_object_as_well(chatbot: CommandLine) -> None:
    ran = chatbot("images", "stats", "--json", SECRET_KEY="short")

    assert ran.code == 4
    assert ran.answer["exit_code"] == 4
    assert "SECRET_KEY" in ran.answer["error"]
