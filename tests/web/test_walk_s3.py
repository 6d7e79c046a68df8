"""The whole walk with a real S3 server as the only cloud host: draw, lose the disk, show, restore, delete."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask

from ChatBot.container import Services
from tests.fixtures.application import Api
from tests.fixtures.disk import take_away
from tests.fixtures.s3 import S3Storage
from tests.web.test_walk import states

CLOUD_WAIT_SECONDS = 30.0


@pytest.fixture
def ann(make_app: Callable[..., Flask], s3_storage: S3Storage) -> Api:
    return Api(make_app(**s3_storage.settings, cloud_wait_seconds=CLOUD_WAIT_SECONDS)).register("ann")


def local_file(api: Api, image: dict[str, Any]) -> Path:
    """Return the picture's file on this disk."""
    services: Services = api.http.application.extensions["chatbot"]
    located = services.repositories.images.find(image["id"])
    assert located is not None
    return services.settings.storage_root / located.image.folder / located.image.filename


def test_a_picture_is_kept_in_the_bucket_and_proved(ann: Api, s3_storage: S3Storage) -> None:
    image = ann.generate("a lighthouse at dusk")["images"][0]

    assert image["service"] == "s3"
    assert states(ann, image["id"]) == {"s3": "verified"}
    shown = requests.get(image["cloud_url"], timeout=5)
    assert hashlib.sha256(shown.content).hexdigest() == image["sha256"]
    assert urlsplit(image["cloud_url"]).path == f"/{s3_storage.bucket}/pictures/{image['id']}.{local_suffix(image)}"


def local_suffix(image: dict[str, Any]) -> str:
    mime_type = str(image["mime_type"])
    return {"image/jpeg": "jpg"}.get(mime_type, mime_type.rpartition("/")[2])


def test_a_deleted_local_file_is_shown_from_the_bucket_and_healed(ann: Api) -> None:
    image = ann.generate()["images"][0]
    file = local_file(ann, image)
    before = file.read_bytes()
    file.unlink()

    first, second = (ann.get(image["src"]) for _ in range(2))

    assert (first.status_code, first.headers["X-Image-Source"], first.data) == (200, "s3", before)
    assert (second.headers["X-Image-Source"], file.read_bytes()) == ("local", before)


def test_all_of_storage_is_restored_byte_for_byte_from_the_bucket(ann: Api) -> None:
    images = [ann.generate(f"picture {number}")["images"][0] for number in range(3)]
    files = [local_file(ann, image) for image in images]
    before = [file.read_bytes() for file in files]
    services: Services = ann.http.application.extensions["chatbot"]
    for folder in ("Image_Gen", "uploads", "thumbnails"):
        take_away(services.settings.storage_root / folder)
        (services.settings.storage_root / folder).mkdir(exist_ok=True)

    report = services.restore.run(apply=True)

    assert sorted(report.restored) == sorted(image["id"] for image in images)
    assert [file.read_bytes() for file in files] == before
    assert not report.lost


def test_an_evicted_picture_stays_reachable_through_the_bucket(ann: Api) -> None:
    image = ann.generate()["images"][0]
    services: Services = ann.http.application.extensions["chatbot"]

    report = services.cleanup.run(apply=True, max_age_days=0, force=True)

    assert report.evict == [image["id"]]
    assert not local_file(ann, image).exists()
    assert ann.get(image["src"]).headers["X-Image-Source"] == "s3"


def test_a_purged_picture_is_gone_from_the_bucket(make_app: Callable[..., Flask], s3_storage: S3Storage) -> None:
    ann = Api(make_app(**s3_storage.settings, cloud_wait_seconds=CLOUD_WAIT_SECONDS, trash_days=0)).register()
    image = ann.generate()["images"][0]
    link = image["cloud_url"]
    assert requests.get(link, timeout=5).status_code == 200

    assert ann.delete(f"/api/images/{image['id']}").status_code < 300

    ann.http.application.extensions["chatbot"].deletion.purge_due()
    assert requests.get(link, timeout=5).status_code == 404


def test_a_wrong_secret_keeps_the_picture_local(make_app: Callable[..., Flask], s3_storage: S3Storage) -> None:
    wrong = {**s3_storage.settings, "s3_secret_key": "wrong"}
    ann = Api(make_app(**wrong, cloud_wait_seconds=CLOUD_WAIT_SECONDS)).register()

    image = ann.generate()["images"][0]

    assert (image["service"], image["cloud_url"]) == ("local", None)
    assert states(ann, image["id"]) == {"s3": "refused"}
    assert ann.get(image["src"]).status_code == 200


def test_pages_and_shares_never_name_the_bucket(ann: Api, s3_storage: S3Storage) -> None:
    made = ann.generate()
    token = ann.post(f"/api/conversation/{made['conversation_id']}/share", json={}).json["token"]
    conversation = f"/c/{made['conversation_id']}"

    pages = {path: ann.get(path) for path in (conversation, "/gallery", f"/share/{token}", f"/api/share/{token}")}

    assert {answer.status_code for answer in pages.values()} == {200}
    assert not [path for path, answer in pages.items() if s3_storage.bucket in answer.text]
    assert s3_storage.endpoint_url not in pages[conversation].headers["Content-Security-Policy"]


def test_pages_load_pictures_from_a_public_bucket(make_app: Callable[..., Flask], s3_storage: S3Storage) -> None:
    public = {**s3_storage.settings, "s3_public_base_url": "https://pictures.example.org"}
    ann = Api(make_app(**public, cloud_wait_seconds=CLOUD_WAIT_SECONDS)).register()
    made = ann.generate()
    token = ann.post(f"/api/conversation/{made['conversation_id']}/share", json={}).json["token"]

    page, shared = ann.get(f"/c/{made['conversation_id']}"), ann.get(f"/share/{token}")

    address = made["images"][0]["cloud_url"]
    assert address.startswith("https://pictures.example.org/pictures/")
    assert made["images"][0]["id"] not in address
    assert address in page.text
    assert "https://pictures.example.org" in page.headers["Content-Security-Policy"]
    assert address not in shared.text
