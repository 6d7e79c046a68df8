"""S3-compatible storage: the contract on a real server, faults on the stand-in, both over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from moto.server import ThreadedMotoServer

from ChatBot.errors import BytesMissing, ProviderRefused, ProviderUnavailable, SettingsError
from ChatBot.hosts.base import CloudHost, Receipt
from ChatBot.hosts.bucket import Bucket
from ChatBot.hosts.s3 import LINK_SECONDS, S3Host
from ChatBot.models import new_id, now
from ChatBot.outbound import Gate
from tests.fixtures.s3 import STRANGERS_KEY, S3Storage
from tests.fixtures.swift_accounts import ACCOUNTS
from tests.hosts.contract import HostContract, make_upload
from tests.standins.hosts import HostServer
from tests.standins.picture_host import OTHER_PICTURE
from tests.standins.s3 import S3

DEADLINE_SECONDS = 1.0
"""Short, because every hanging fault is waited out once."""
PATIENCE_SECONDS = 60.0
OBJECT_BYTES = 100_000
PUBLIC_URL = "https://pictures.example.org/shown"


def bucket_at(storage: S3Storage, **changes: Any) -> Bucket:
    """Return a bucket of the real server; ``changes`` replace single constructor arguments."""
    options: dict[str, Any] = {
        "access_key": storage.access_key,
        "secret_key": storage.secret_key,
        "region": "us-east-1",
        "endpoint_url": storage.endpoint_url,
        "gate": Gate(),
        "object_bytes": OBJECT_BYTES,
    }
    return Bucket(**{"name": storage.bucket, **options, **changes})


class S3Contract(HostContract):
    @pytest.fixture
    def unknown_url(self, bucket: Bucket) -> str:
        return f"s3://{bucket.name}/pictures/{new_id()}.png"

    def test_two_uploads_get_two_urls(self, host: CloudHost, bucket: Bucket) -> None:  # type: ignore[override] # a fixture more
        """The other way round: a picture that is sent twice is there once."""
        upload = make_upload()

        urls = {host.upload(upload).url for _ in range(2)}

        assert len(urls) == 1
        assert len(list(bucket.keys("pictures/"))) == 1

    def test_it_says_what_it_has_under_the_references_it_gives(self, host: S3Host, bucket: Bucket) -> None:
        uploads = [make_upload() for _ in range(3)]
        urls = {host.upload(upload).url for upload in uploads}
        bucket.put("records/other.json", b"{}", content_type="application/json")
        bucket.put("pictures/somebody-elses.txt", b"-", content_type="text/plain")

        listed = list(host.listing() or ())

        assert {each.url for each in listed} == urls
        assert {host.reference_of(upload.image_id, upload.extension) for upload in uploads} == urls
        assert all(abs((now() - each.changed_at).total_seconds()) < 300 for each in listed)


class TestPrivateContract(S3Contract):
    @pytest.fixture
    def bucket(self, s3_storage: S3Storage) -> Bucket:
        return bucket_at(s3_storage)

    @pytest.fixture
    def host(self, bucket: Bucket) -> S3Host:
        return S3Host(bucket)

    def test_url_tells_nothing_about_the_picture_it_belongs_to(self, host: CloudHost) -> None:
        """It names the picture, and is no address: without the keys it opens nothing."""
        upload = make_upload()

        receipt = host.upload(upload)

        assert receipt.url.endswith(f"/pictures/{upload.image_id}.png")
        assert receipt.url.startswith("s3://")
        assert (receipt.delete_url, receipt.page_url) == (None, None)


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    """A second implementation of S3, which takes any signature."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class TestPublicContract(S3Contract):
    @pytest.fixture
    def bucket(self, moto_url: str) -> Bucket:
        name = f"test-{new_id()}"
        assert requests.put(f"{moto_url}/{name}", timeout=5).status_code == 200
        return bucket_at(S3Storage(moto_url, name))

    @pytest.fixture
    def host(self, bucket: Bucket) -> S3Host:
        return S3Host(bucket, public_base_url=PUBLIC_URL, naming_secret="a secret")


@pytest.fixture
def server() -> Iterator[HostServer]:
    with HostServer() as running:
        yield running


@pytest.fixture
def standin(server: HostServer) -> S3:
    return server.s3


@pytest.fixture
def bucket(server: HostServer) -> Bucket:
    storage = S3Storage(f"{server.base_url}/s3", S3.bucket, "stand-in", "stand-in-secret")
    return bucket_at(storage, deadline_seconds=DEADLINE_SECONDS)


@pytest.fixture
def host(bucket: Bucket) -> S3Host:
    return S3Host(bucket)


def verbs(host: S3Host) -> dict[str, Callable[[], object]]:
    """Return the three verbs as calls, on a picture that is there."""
    receipt = host.upload(make_upload())
    return {
        "upload": lambda: host.upload(make_upload()),
        "fetch": lambda: host.fetch(receipt.url),
        "delete": lambda: host.delete(receipt),
    }


@pytest.mark.parametrize("verb", ["upload", "fetch", "delete"])
@pytest.mark.parametrize("fault", ["reset", "hang", "drip_headers", "lost_reply", "redirect", "broken_xml"])
def test_broken_answer_is_for_later_and_ends_in_time(fault: Any, verb: str, host: S3Host, standin: S3) -> None:
    call = verbs(host)[verb]
    standin.fault = fault
    started = time.monotonic()

    with pytest.raises(ProviderUnavailable):
        call()

    assert time.monotonic() - started < PATIENCE_SECONDS


@pytest.mark.parametrize("fault", ["drip", "cut", "nonsense_headers"])
def test_half_a_picture_is_never_returned(fault: Any, host: S3Host, standin: S3) -> None:
    call = verbs(host)["fetch"]
    standin.fault = fault
    started = time.monotonic()

    with pytest.raises(ProviderUnavailable):
        call()

    assert time.monotonic() - started < PATIENCE_SECONDS


def test_page_instead_of_an_answer_is_no_receipt(host: S3Host, standin: S3) -> None:
    standin.fault = "html"

    with pytest.raises(ProviderUnavailable):
        host.upload(make_upload())


@pytest.mark.parametrize("verb", ["upload", "fetch", "delete"])
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_status_is_for_later(status: int, verb: str, host: S3Host, standin: S3) -> None:
    call = verbs(host)[verb]
    standin.fault, standin.status, standin.retry_after = "status", status, "17"

    with pytest.raises(ProviderUnavailable) as caught:
        call()

    assert caught.value.retry_after_seconds == 17.0


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "RequestTimeTooSkewed"])
def test_passing_error_is_for_later_and_is_not_sent_again_at_once(
    code: str, host: S3Host, standin: S3, server: HostServer
) -> None:
    standin.fault, standin.code = "error", code

    with pytest.raises(ProviderUnavailable):
        host.upload(make_upload())

    assert len(server.requests) == 1


@pytest.mark.parametrize("verb", ["upload", "fetch", "delete"])
@pytest.mark.parametrize(
    ("code", "setting"),
    [
        ("NoSuchBucket", "S3_BUCKET"),
        ("AccessDenied", "put, get, delete and list"),
        ("InvalidAccessKeyId", "S3_ACCESS_KEY"),
        ("SignatureDoesNotMatch", "S3_SECRET_KEY"),
        ("AuthorizationHeaderMalformed", "S3_REGION"),
    ],
)
def test_account_error_is_refused_and_says_what_to_set(
    code: str, setting: str, verb: str, host: S3Host, standin: S3
) -> None:
    call = verbs(host)[verb]
    standin.fault, standin.code = "error", code

    with pytest.raises(ProviderRefused, match=setting) as caught:
        call()

    assert caught.value.reason == "auth"


def test_address_that_is_no_storage_refuses_uploads(server: HostServer) -> None:
    elsewhere = bucket_at(S3Storage(f"{server.base_url}/nothing", "pictures"))

    with pytest.raises(ProviderRefused):
        S3Host(elsewhere).upload(make_upload())


def test_secret_does_not_follow_a_redirect(host: S3Host, standin: S3, server: HostServer) -> None:
    standin.fault, standin.redirect_to = "redirect", f"{server.base_url}/elsewhere"

    with pytest.raises(ProviderUnavailable):
        host.upload(make_upload())

    assert not any(request.path == "/elsewhere" for request in server.requests)


def test_other_bytes_behind_the_key_are_handed_over_for_the_caller_to_check(host: S3Host, standin: S3) -> None:
    receipt = host.upload(make_upload())
    standin.fault = "other_picture"

    assert host.fetch(receipt.url) == OTHER_PICTURE


def test_object_over_the_limit_is_not_read(host: S3Host, standin: S3) -> None:
    receipt = host.upload(make_upload())
    key = next(iter(standin.objects))
    standin.objects[key] = replace(standin.objects[key], data=bytes(OBJECT_BYTES + 1))

    with pytest.raises(ProviderUnavailable, match=f"{OBJECT_BYTES:,}"):
        host.fetch(receipt.url)


def test_ignored_deletion_is_pending(host: S3Host, standin: S3) -> None:
    receipt = host.upload(make_upload())
    standin.deletion_ignored = True

    assert host.delete(receipt) == "pending"


@pytest.mark.parametrize("code", ["InternalError", "AccessDenied"])
def test_deletion_is_not_confirmed_by_a_storage_that_does_not_say(code: str, host: S3Host, standin: S3) -> None:
    receipt = host.upload(make_upload())
    standin.fault, standin.code, standin.faulty_methods = "error", code, ["HEAD"]

    assert host.delete(receipt) == "pending"


@pytest.mark.parametrize(
    "reference",
    [
        "s3://other-bucket/pictures/{id}.png",
        "s3://pictures/records/i-{id}.json",
        "s3://pictures/pictures/../records/{id}.png",
        "s3://pictures/pictures/{id}.png/../../x",
        "s3://pictures/pictures/{id}.png?versionId=1",
        "s3://pictures/pictures/{id}",
    ],
)
def test_reference_to_anything_but_a_picture_of_this_bucket_is_refused(
    reference: str, host: S3Host, server: HostServer
) -> None:
    url = reference.format(id=new_id())

    for call in (host.fetch, lambda one: host.delete(Receipt("s3", one))):
        with pytest.raises(ProviderRefused):
            call(url)

    assert host.link(url) is None
    assert server.requests == []


def test_too_large_picture_is_not_even_sent(host: S3Host, server: HostServer) -> None:
    with pytest.raises(ProviderRefused):
        host.upload(make_upload(size=OBJECT_BYTES + 1))

    assert server.requests == []


def test_link_to_a_private_picture_opens_it_and_cannot_be_bent(s3_storage: S3Storage) -> None:
    host = S3Host(bucket_at(s3_storage))
    first, second = make_upload(), make_upload()
    receipts = [host.upload(one) for one in (first, second)]

    link = host.link(receipts[0].url) or ""

    assert requests.get(link, timeout=5).content == first.data
    assert requests.get(link.replace(first.image_id, second.image_id), timeout=5).status_code == 403
    assert requests.get(link.partition("?")[0], timeout=5).status_code in (400, 403)
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == [str(LINK_SECONDS)]
    assert s3_storage.secret_key not in link


def test_link_to_a_public_picture_lasts_and_does_not_contain_its_id(bucket: Bucket) -> None:
    host = S3Host(bucket, public_base_url=f"{PUBLIC_URL}/", naming_secret="a secret")
    upload = make_upload()

    receipt = host.upload(upload)

    key = receipt.url.removeprefix(f"s3://{bucket.name}/")
    assert host.link(receipt.url) == f"{PUBLIC_URL}/{key}"
    assert upload.image_id not in receipt.url
    assert S3Host(bucket, public_base_url=PUBLIC_URL, naming_secret="another").upload(upload).url != receipt.url


def test_object_says_what_it_is_and_public_ones_that_caches_may_keep_them_for_an_hour(
    bucket: Bucket, standin: S3
) -> None:
    for host in (S3Host(bucket), S3Host(bucket, public_base_url=PUBLIC_URL, naming_secret="a secret")):
        host.upload(make_upload(mime_type="image/webp"))

    said = {(stored.content_type, stored.cache_control) for stored in standin.objects.values()}

    assert said == {("image/webp", ""), ("image/webp", "public, max-age=3600")}


def test_public_base_url_makes_the_host_public_and_names_its_origin(bucket: Bucket) -> None:
    private, public = S3Host(bucket).traits, S3Host(bucket, public_base_url=PUBLIC_URL).traits

    assert (private.public, private.picture_origins) == (False, ())
    assert (public.public, public.picture_origins) == (True, ("https://pictures.example.org",))


@pytest.mark.parametrize(
    "url", ["pictures.example.org", "javascript:alert(1)", "https://a b/", "https://u@h/", "https://h;x/"]
)
def test_unusable_public_base_url_stops_the_start(url: str, bucket: Bucket) -> None:
    with pytest.raises(SettingsError, match="S3_PUBLIC_BASE_URL"):
        S3Host(bucket, public_base_url=url)


def test_without_keys_every_verb_is_refused() -> None:
    host = S3Host(None)
    reference = f"s3://pictures/pictures/{new_id()}.png"

    for call in (
        lambda: host.upload(make_upload()),
        lambda: host.fetch(reference),
        lambda: host.delete(Receipt("s3", reference)),
    ):
        with pytest.raises(ProviderRefused) as caught:
            call()
        assert caught.value.reason == "auth"
    assert host.link(reference) is None


@pytest.mark.parametrize(
    "account",
    [
        {"secret_key": "wrong"},
        {"access_key": "nobody:here"},
        {"access_key": STRANGERS_KEY, "secret_key": ACCOUNTS[STRANGERS_KEY]},
    ],
    ids=["wrong secret", "unknown key", "somebody else's account"],
)
def test_real_server_refuses_who_may_not(account: dict[str, str], s3_storage: S3Storage) -> None:
    owner = S3Host(bucket_at(s3_storage))
    kept = make_upload()
    receipt = owner.upload(kept)
    intruder = S3Host(bucket_at(s3_storage, **account))

    for call in (
        lambda: intruder.upload(replace(make_upload(), image_id=kept.image_id)),
        lambda: intruder.fetch(receipt.url),
        lambda: intruder.delete(receipt),
    ):
        with pytest.raises(ProviderRefused) as caught:
            call()
        assert caught.value.reason == "auth"
    assert owner.fetch(receipt.url) == kept.data


def test_real_server_without_the_bucket_refuses_with_a_sentence(s3_storage: S3Storage) -> None:
    with pytest.raises(ProviderRefused, match="S3_BUCKET"):
        S3Host(bucket_at(s3_storage, name="no-such-bucket")).upload(make_upload())


def test_storage_that_is_down_is_for_later(server: HostServer, host: S3Host) -> None:
    server.stop()

    with pytest.raises(ProviderUnavailable):
        host.upload(make_upload())


def test_absent_picture_stays_missing_when_asked_again(host: S3Host, bucket: Bucket) -> None:
    for _ in range(2):
        with pytest.raises(BytesMissing):
            host.fetch(f"s3://{bucket.name}/pictures/{new_id()}.png")
