"""``images``: counting, bringing back, and clearing up, each only shown before it is done."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask

from tests.cli.conftest import CommandLine
from tests.fixtures.application import Api
from tests.fixtures.s3 import S3Storage


def environment(host_settings: dict[str, Any]) -> dict[str, str]:
    """Return settings as variables."""
    return {name.upper(): str(value) for name, value in host_settings.items()}


def originals(tmp_path: Path) -> list[Path]:
    """Return the files of drawn pictures."""
    return sorted((tmp_path / "Storage" / "Image_Gen").glob("*.*"))


def test_stats_counts_what_there_is(chatbot: CommandLine, make_app: Callable[..., Flask]) -> None:
    Api(make_app()).register().generate(count=2)

    ran = chatbot("images", "stats", "--json")

    assert (ran.code, ran.answer["totals"]["images"], ran.answer["totals"]["users"]) == (0, 2, 1)
    assert ran.stdout.count("\n") == 1
    assert "images: 2" in chatbot("images", "stats").stdout


def test_a_lost_picture_is_found_then_brought_back_and_the_rest_is_3(
    chatbot: CommandLine, make_app: Callable[..., Flask], host_settings: dict[str, Any], tmp_path: Path
) -> None:
    ann = Api(make_app(**host_settings)).register()
    image = ann.generate()["images"][0]
    (file,) = originals(tmp_path)
    data = file.read_bytes()
    file.unlink()
    variables = environment(host_settings)

    found = chatbot("images", "restore", "--json", **variables)
    assert (found.code, found.answer["missing"], found.answer["applied"]) == (0, [image["id"]], False), found
    assert not file.exists()
    restored = chatbot("images", "restore", "--apply", "--json", **variables)
    assert (restored.code, restored.answer["restored"]) == (0, [image["id"]]), restored
    assert file.read_bytes() == data
    file.unlink()
    lost = chatbot("images", "restore", "--apply", "--json")  # now without any host

    assert (lost.code, list(lost.answer["lost"])) == (3, [image["id"]]), lost
    assert lost.stdout.count("\n") == 1


def test_cleanup_shows_first_and_takes_only_what_belongs_to_nothing(
    chatbot: CommandLine, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    Api(make_app()).register().generate()
    (file,) = originals(tmp_path)
    stray = file.with_name("0" * 32 + ".png")
    stray.write_bytes(b"left behind")
    long_ago = time.time() - 7200
    os.utime(stray, (long_ago, long_ago))

    shown = chatbot("images", "cleanup", "--max-age-days", "0", "--json")
    assert shown.code == 0, shown
    assert stray.name in json.dumps(shown.answer["debris"])
    assert stray.exists()
    assert file.exists()
    done = chatbot("images", "cleanup", "--max-age-days", "0", "--apply", "--json")

    assert done.code == 0, done
    assert not stray.exists()
    assert file.exists()  # its only copy


def test_orphans_asks_the_bucket_and_finds_none_that_is_old(
    chatbot: CommandLine, make_app: Callable[..., Flask], s3_storage: S3Storage
) -> None:
    app = make_app(**s3_storage.settings, cloud_wait_seconds=30.0)
    Api(app).register("ann").generate()
    variables = {name.upper(): value for name, value in s3_storage.settings.items()}

    ran = chatbot("images", "orphans", "--json", **variables)

    assert ran.code == 0, ran.stderr
    assert (ran.answer["listed"], ran.answer["orphans"]) == ({"s3": 1}, {})
