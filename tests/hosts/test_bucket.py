"""A bucket of whole objects: what is sent, and what the settings may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from ChatBot.errors import BytesMissing, SettingsError
from ChatBot.hosts.bucket import Bucket
from ChatBot.outbound import Gate
from tests.fixtures.s3 import S3Storage
from tests.standins.hosts import HostServer


@pytest.fixture
def server() -> Iterator[HostServer]:
    with HostServer() as running:
        yield running


def make_bucket(**changes: Any) -> Bucket:
    values = {
        "name": "pictures",
        "access_key": "an access key",
        "secret_key": "a secret key",
        "region": "eu-central-1",
        "endpoint_url": None,
        "gate": Gate(),
    }
    return Bucket(**{**values, **changes})


def test_object_is_written_over_read_listed_and_deleted(s3_storage: S3Storage) -> None:
    bucket = make_bucket(
        name=s3_storage.bucket,
        access_key=s3_storage.access_key,
        secret_key=s3_storage.secret_key,
        region="us-east-1",
        endpoint_url=s3_storage.endpoint_url,
    )

    for text in (b"first", b"second"):
        bucket.put("records/one.json", text, content_type="application/json")
    bucket.put("pictures/two.png", b"", content_type="image/png")

    assert bucket.get("records/one.json") == b"second"
    assert bucket.get("pictures/two.png") == b""
    assert list(bucket.keys("records/")) == ["records/one.json"]
    bucket.delete("records/one.json")
    assert not bucket.exists("records/one.json")
    assert list(bucket.keys("")) == ["pictures/two.png"]
    with pytest.raises(BytesMissing):
        bucket.get("records/one.json")


def test_long_list_is_read_page_by_page(server: HostServer) -> None:
    server.s3.page_size = 2
    bucket = make_bucket(endpoint_url=f"{server.base_url}/s3")
    for number in range(5):
        bucket.put(f"records/{number}.json", b"{}", content_type="application/json")

    keys = list(bucket.keys("records/"))

    assert keys == [f"records/{number}.json" for number in range(5)]
    assert [request.query.get("start-after") for request in server.requests if request.method == "GET"] == [
        "",
        "records/1.json",
        "records/3.json",
    ]


def test_upload_is_plain_and_signed_with_the_hash_of_its_bytes(server: HostServer) -> None:
    bucket = make_bucket(endpoint_url=f"{server.base_url}/s3")

    bucket.put("pictures/one.png", b"bytes", content_type="image/png")

    sent = server.requests[0]
    assert sent.body == b"bytes"
    assert sent.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=an access key/")
    assert sent.headers["x-amz-content-sha256"] == "277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9"
    assert not {"x-amz-checksum-crc32", "x-amz-acl", "expect", "transfer-encoding"} & set(sent.headers)
    assert "a secret key" not in repr(sent)


def test_amazon_is_reached_by_the_name_of_the_bucket_in_its_region() -> None:
    address = urlsplit(make_bucket().signed_url("pictures/one.png", seconds=60))

    assert (address.scheme, address.netloc) == ("https", "pictures.s3.eu-central-1.amazonaws.com")


def test_other_services_are_reached_by_path() -> None:
    address = urlsplit(make_bucket(endpoint_url="https://s3.example.org").signed_url("pictures/one.png", seconds=60))

    assert (address.netloc, address.path) == ("s3.example.org", "/pictures/pictures/one.png")


def test_environment_and_home_folder_of_the_server_change_nothing(
    monkeypatch: pytest.MonkeyPatch, server: HostServer
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://evil.example")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody else")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    make_bucket(endpoint_url=f"{server.base_url}/s3").put("pictures/one.png", b"x", content_type="image/png")

    assert "an access key" in server.requests[0].headers["authorization"]
    assert "amazonaws.com" in make_bucket().signed_url("pictures/one.png", seconds=60)


@pytest.mark.parametrize("name", ["", "a", "has space", "a/b", "-x", "x" * 64, "a?b"])
def test_impossible_name_stops_the_start(name: str) -> None:
    with pytest.raises(SettingsError, match="S3_BUCKET"):
        make_bucket(name=name)


@pytest.mark.parametrize("url", ["s3.example.org", "ftp://s3.example.org", "https://user@s3.example.org"])
def test_unusable_address_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError):
        make_bucket(endpoint_url=url)


def test_unusable_region_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="S3_REGION"):
        make_bucket(region="evil.example/#")
