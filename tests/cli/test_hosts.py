"""``hosts``: which there are, and whether they work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.conftest import CommandLine
from tests.fixtures.s3 import S3Storage
from tests.standins.hosts import HostServer

NO_DATABASE = {"MONGODB_URI": "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300"}


@pytest.fixture
def server() -> Iterator[HostServer]:
    with HostServer() as running:
        yield running


def environment(server: HostServer, order: str = "imgbb,s3,postimages") -> dict[str, str]:
    return {**server.environment, **server.s3.environment, "CLOUD_HOSTS": order}


def test_list_shows_the_order_and_what_is_true_without_a_database(chatbot: CommandLine, server: HostServer) -> None:
    ran = chatbot("hosts", "list", "--json", **environment(server, "s3,imgbb"), **NO_DATABASE)

    rows = {row["name"]: row for row in ran.answer["hosts"]}
    assert ran.code == 0
    assert {name: (row["active"], row["position"]) for name, row in rows.items()} == {
        "s3": (True, 1),
        "imgbb": (True, 2),
        "postimages": (False, None),
        "memory": (False, None),
    }
    assert (rows["s3"]["traits"]["public"], rows["imgbb"]["traits"]["public"]) == (False, True)
    assert rows["s3"]["condition"] == "ready"
    assert "stand-in-secret" not in ran.stdout + ran.stderr


def test_list_for_people_has_a_line_for_every_host(chatbot: CommandLine) -> None:
    ran = chatbot("hosts", "list")

    assert [line.split()[1] for line in ran.stdout.splitlines()] == ["postimages", "imgbb", "s3", "memory"]


def test_check_of_working_hosts_is_0_and_leaves_nothing_behind(chatbot: CommandLine, server: HostServer) -> None:
    ran = chatbot("hosts", "check", "--json", **environment(server), **NO_DATABASE)

    assert ran.code == 0, ran
    assert [(one["host"], one["ok"]) for one in ran.answer["hosts"]] == [
        ("imgbb", True),
        ("s3", True),
        ("postimages", True),
    ]
    assert (server.imgbb.live, server.postimages.live, server.s3.objects) == ([], [], {})
    assert (server.imgbb.uploads, server.postimages.uploads) == (1, 1)


def test_check_is_3_when_one_host_fails_and_says_which_and_why(chatbot: CommandLine, server: HostServer) -> None:
    server.s3.fault, server.s3.code = "error", "SignatureDoesNotMatch"

    ran = chatbot("hosts", "check", **environment(server))

    assert ran.code == 3, ran
    lines = {line.split()[1]: line for line in ran.stdout.splitlines()}
    assert (lines["imgbb"][:3], lines["postimages"][:3], lines["s3"][:3]) == ("ok ", "ok ", "BAD")
    assert "S3_SECRET_KEY" in lines["s3"]


def test_check_on_a_real_server_finds_the_wrong_secret(chatbot: CommandLine, s3_storage: S3Storage) -> None:
    right = {name.upper(): value for name, value in s3_storage.settings.items()}

    good = chatbot("hosts", "check", "--json", **right)
    bad = chatbot("hosts", "check", "--json", **{**right, "S3_SECRET_KEY": "wrong"})

    assert (good.code, bad.code) == (0, 3), (good, bad)
    assert "S3_SECRET_KEY" in bad.answer["hosts"][0]["why"]


def test_check_without_hosts_says_what_to_set(chatbot: CommandLine) -> None:
    ran = chatbot("hosts", "check")

    assert ran.code == 0
    assert "CLOUD_HOSTS" in ran.stdout


def test_half_set_s3_is_4_and_names_what_is_missing(chatbot: CommandLine) -> None:
    ran = chatbot("hosts", "check", CLOUD_HOSTS="s3", S3_BUCKET="pictures", S3_ACCESS_KEY="key")

    assert (ran.code, ran.stdout) == (4, "")
    assert "S3_SECRET_KEY" in ran.stderr
