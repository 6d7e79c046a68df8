"""No command tells what a cloud host gave us to delete pictures with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from tests.cli.conftest import CommandLine
from tests.cli.test_images import environment
from tests.fixtures.application import Api
from tests.standins.hosts import HostServer

COMMANDS = (
    ("images", "verify", "--deep"),
    ("images", "replicate"),
    ("images", "orphans"),
    ("images", "restore"),
    ("images", "cleanup"),
    ("shares", "list"),
    ("hosts", "list"),
    ("audit", "list"),
)


def test_a_hosts_delete_secret_is_in_no_output(
    chatbot: CommandLine, make_app: Callable[..., Flask], host_settings: dict[str, Any], hosts: HostServer
) -> None:
    ann = Api(make_app(**host_settings)).register()
    ann.generate()
    hosts.postimages.fault = "status"
    ann.generate()
    secrets = [one.removal_hash for one in (*hosts.imgbb.stored, *hosts.postimages.stored)]

    said = [chatbot(*words, "--json", **environment(host_settings)) for words in COMMANDS]

    assert len(secrets) == 2
    assert [ran.code for ran in said] == [0] * len(COMMANDS), said
    for ran in said:
        assert not any(secret in ran.stdout + ran.stderr for secret in secrets)
