"""What every cloud host must do, as tests: inherit ``HostContract``, give the fixtures ``host`` and ``unknown_url``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256

import pytest

from ChatBot.errors import BytesMissing, ProviderRefused
from ChatBot.hosts.base import CloudHost, Receipt, Upload
from ChatBot.models import new_id

PNG_START = b"\x89PNG\r\n\x1a\n"


def make_upload(size: int = 2000, mime_type: str = "image/png") -> Upload:
    """Return an upload with fresh content of ``size`` bytes."""
    data = (PNG_START + new_id().encode() + bytes(size))[:size]
    return Upload(image_id=new_id(), data=data, mime_type=mime_type, sha256=sha256(data).hexdigest())


class HostContract:
    """The shared tests. ``unknown_url`` is a URL of the host's own that leads to nothing."""

    deletes = True
    """Whether a deletion ends as ``confirmed``."""

    def test_uploaded_bytes_come_back_exactly(self, host: CloudHost) -> None:
        upload = make_upload()

        receipt = host.upload(upload)

        assert host.fetch(receipt.url) == upload.data

    @pytest.mark.parametrize("mime_type", ["image/png", "image/jpeg", "image/gif", "image/webp"])
    def test_every_kept_format_is_taken(self, mime_type: str, host: CloudHost) -> None:
        upload = make_upload(mime_type=mime_type)

        assert host.fetch(host.upload(upload).url) == upload.data

    def test_two_uploads_get_two_urls(self, host: CloudHost) -> None:
        upload = make_upload()

        urls = {host.upload(upload).url for _ in range(2)}

        assert len(urls) == 2

    def test_receipt_names_the_host_that_has_the_copy(self, host: CloudHost) -> None:
        receipt = host.upload(make_upload())

        assert receipt.host in {host.name, *(member.name for member in getattr(host, "hosts", ()))}

    def test_host_owns_the_urls_it_gives_out(self, host: CloudHost) -> None:
        assert host.owns(host.upload(make_upload()).url)

    def test_link_is_something_a_browser_opens(self, host: CloudHost) -> None:
        link = host.link(host.upload(make_upload()).url)

        assert link is not None
        assert link.startswith(("https://", "http://"))

    @pytest.mark.parametrize(
        "url", ["https://example.com/a.png", "http://169.254.169.254/", "file:///etc/passwd", "javascript:1", ""]
    )
    def test_foreign_url_is_neither_owned_nor_fetched(self, url: str, host: CloudHost) -> None:
        assert not host.owns(url)
        with pytest.raises((ProviderRefused, BytesMissing)):
            host.fetch(url)

    def test_absent_picture_is_missing(self, host: CloudHost, unknown_url: str) -> None:
        with pytest.raises(BytesMissing):
            host.fetch(unknown_url)

    def test_picture_over_the_limit_is_refused_as_too_large(self, host: CloudHost) -> None:
        upload = make_upload(size=host.traits.max_bytes + 1)

        with pytest.raises(ProviderRefused) as caught:
            host.upload(upload)

        assert caught.value.reason == "too_large"

    def test_deleted_picture_is_gone(self, host: CloudHost) -> None:
        receipt = host.upload(make_upload())

        proof = host.delete(receipt)

        assert proof == "confirmed"
        with pytest.raises(BytesMissing):
            host.fetch(receipt.url)

    def test_deleting_one_picture_leaves_the_other(self, host: CloudHost) -> None:
        kept_upload = make_upload()
        kept, dropped = host.upload(kept_upload), host.upload(make_upload())

        host.delete(dropped)

        assert host.fetch(kept.url) == kept_upload.data

    def test_deleting_twice_is_harmless(self, host: CloudHost) -> None:
        receipt = host.upload(make_upload())

        proofs = [host.delete(receipt), host.delete(receipt)]

        assert proofs == ["confirmed", "confirmed"]

    def test_url_tells_nothing_about_the_picture_it_belongs_to(self, host: CloudHost) -> None:
        upload = make_upload()

        receipt = host.upload(upload)

        assert upload.image_id not in repr(receipt)

    def test_parallel_uploads_do_not_mix_pictures_up(self, host: CloudHost) -> None:
        uploads = [make_upload() for _ in range(12)]

        with ThreadPoolExecutor(6) as pool:
            receipts = list(pool.map(host.upload, uploads))

        assert [host.fetch(receipt.url) for receipt in receipts] == [upload.data for upload in uploads]


class PublicHostContract(HostContract):
    """What holds in addition for hosts on the web, whose deletion needs a secret."""

    def test_copy_without_a_deletion_secret_is_left_to_a_person(self, host: CloudHost) -> None:
        receipt: Receipt = replace(host.upload(make_upload()), delete_url=None)

        assert host.delete(receipt) == "manual"

    @pytest.mark.parametrize(
        "delete_url",
        ["http://169.254.169.254/delete", "https://evil.example/abc/0123", "file:///etc/passwd", "javascript:1"],
    )
    def test_foreign_deletion_secret_is_never_followed(self, delete_url: str, host: CloudHost) -> None:
        receipt = replace(host.upload(make_upload()), delete_url=delete_url)

        assert host.delete(receipt) == "manual"
