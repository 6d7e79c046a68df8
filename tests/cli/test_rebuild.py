"""``images rebuild`` as an operator runs it: on a database that lost everything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask

from ChatBot.container import Services
from tests.cli.conftest import CommandLine
from tests.fixtures.application import Api
from tests.fixtures.s3 import S3Storage


def lose_database(services: Services) -> None:
    """Drop it once every record is written."""
    for records in services.records:
        while records.work_once():
            pass
    services.database.client.drop_database(services.database.name)


def test_a_preview_says_what_is_missing_and_applying_brings_it_back(
    chatbot: CommandLine, make_app: Callable[..., Flask], make_services: Callable[..., Services]
) -> None:
    app = make_app()
    image = Api(app).register("ann").generate()["images"][0]
    lose_database(app.extensions["chatbot"])

    preview = chatbot("images", "rebuild", "--json")
    applied = chatbot("images", "rebuild", "--apply", "--json")
    again = chatbot("images", "rebuild", "--apply", "--json")

    assert (preview.code, applied.code, again.code) == (0, 0, 0)
    assert preview.answer["images"] == applied.answer["images"] == [image["id"]]
    assert preview.answer["added"]["users"] == 1
    assert not any(again.answer["added"].values())
    assert chatbot("images", "cleanup").code == 0
    located = make_services().repositories.images.find(image["id"])
    assert located is not None
    assert located.image.sha256 == image["sha256"]


def test_a_picture_whose_bytes_are_nowhere_is_named_and_the_exit_code_is_3(
    chatbot: CommandLine, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    app = make_app()
    image = Api(app).register("ann").generate()["images"][0]
    lose_database(app.extensions["chatbot"])
    for file in (tmp_path / "Storage" / "Image_Gen").iterdir():
        file.unlink()

    ran = chatbot("images", "rebuild", "--apply")

    assert ran.code == 3
    assert image["id"] in ran.stdout


def test_the_bucket_alone_is_enough(
    chatbot: CommandLine,
    make_app: Callable[..., Flask],
    make_services: Callable[..., Services],
    s3_storage: S3Storage,
    tmp_path: Path,
) -> None:
    settings: dict[str, Any] = {**s3_storage.settings, "cloud_wait_seconds": 30.0}
    app = make_app(**settings)
    image = Api(app).register("ann").generate()["images"][0]
    lose_database(app.extensions["chatbot"])
    (tmp_path / "Storage").rename(tmp_path / "lost")
    variables = {name.upper(): value for name, value in s3_storage.settings.items()}

    ran = chatbot("images", "rebuild", "--apply", "--from", "s3", "--json", **variables)

    assert ran.code == 0, ran.stderr + ran.stdout
    assert ran.answer["images"] == [image["id"]]
    services = make_services(**settings)
    located = services.repositories.images.find(image["id"])
    assert located is not None
    assert located.image.local == "evicted"
    opened = services.resolver.open(located.image)
    opened.file.close()
    assert (opened.source, opened.etag) == ("s3", image["sha256"])


def test_a_bucket_that_everybody_may_read_gets_no_records(
    make_services: Callable[..., Services], s3_storage: S3Storage
) -> None:
    services = make_services(**s3_storage.settings, s3_public_base_url="https://pictures.example")

    assert len(services.records) == 1
