"""What every web host must make of a stand-in's faults, as tests to inherit."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ChatBot.errors import BytesMissing, ProviderRefused, ProviderUnavailable
from ChatBot.hosts.web import WebHost
from tests.hosts.contract import make_upload
from tests.standins.hosts import HostServer
from tests.standins.picture_host import OTHER_PICTURE, PictureHost

PATIENCE_SECONDS = 60.0


class FaultFamily:
    """Give the fixtures ``host`` and ``standin``."""

    @pytest.mark.parametrize(
        "fault",
        ["reset", "hang", "drip", "drip_headers", "cut", "html", "truncated", "success_false", "no_url", "redirect"],
    )
    def test_broken_answer_to_an_upload_is_for_later(self, fault: Any, host: WebHost, standin: PictureHost) -> None:
        standin.fault = fault
        started = time.monotonic()

        with pytest.raises(ProviderUnavailable):
            host.upload(make_upload())

        assert time.monotonic() - started < PATIENCE_SECONDS
        assert standin.uploads == 1

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
    def test_passing_status_is_for_later(self, status: int, host: WebHost, standin: PictureHost) -> None:
        standin.fault, standin.status, standin.retry_after = "status", status, "17"

        with pytest.raises(ProviderUnavailable) as caught:
            host.upload(make_upload())

        assert caught.value.retry_after_seconds == 17.0

    @pytest.mark.parametrize(
        ("status", "reason"),
        [(400, "input"), (401, "auth"), (403, "auth"), (404, "input"), (413, "too_large"), (415, "type")],
    )
    def test_refusing_status_is_final(self, status: int, reason: str, host: WebHost, standin: PictureHost) -> None:
        standin.fault, standin.status = "status", status

        with pytest.raises(ProviderRefused) as caught:
            host.upload(make_upload())

        assert caught.value.reason == reason

    def test_bad_key_is_refused(self, host: WebHost, standin: PictureHost) -> None:
        standin.fault = "bad_key"

        with pytest.raises(ProviderRefused) as caught:
            host.upload(make_upload())

        assert caught.value.reason == "auth"

    def test_rate_limit_is_for_later(self, host: WebHost, standin: PictureHost) -> None:
        standin.fault = "rate_limit"

        with pytest.raises(ProviderUnavailable):
            host.upload(make_upload())

    @pytest.mark.parametrize(
        "url",
        [
            "http://169.254.169.254/latest/meta-data/",
            "https://169.254.169.254/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://evil.example/a.png",
            "https://i.ibb.co.evil.example/a.png",
            "https://i.ibb.co@evil.example/a.png",
            "http://i.ibb.co/a.png",
            "http://i.postimg.cc/a.png",
            "https://i.postimg.cc\\@evil.example/a.png",
            "//i.ibb.co/a.png",
        ],
    )
    def test_returned_url_of_somebody_else_is_not_accepted(
        self, url: str, host: WebHost, standin: PictureHost, server: HostServer
    ) -> None:
        standin.fault, standin.returned_url = "bad_url", url

        with pytest.raises(ProviderUnavailable):
            host.upload(make_upload())

        assert len(server.requests) == 1

    def test_lost_reply_is_for_later_although_the_picture_is_there(self, host: WebHost, standin: PictureHost) -> None:
        standin.fault = "lost_reply"

        with pytest.raises(ProviderUnavailable):
            host.upload(make_upload())

        assert len(standin.stored) == 1

    def test_key_does_not_follow_a_redirect(self, host: WebHost, standin: PictureHost, server: HostServer) -> None:
        standin.fault, standin.redirect_to = "redirect", f"{server.base_url}/elsewhere"

        with pytest.raises(ProviderUnavailable):
            host.upload(make_upload())

        assert [request.path for request in server.requests] == [standin.upload_path]

    def test_key_is_in_the_body_and_not_in_the_url(self, host: WebHost, server: HostServer) -> None:
        host.upload(make_upload())

        fields, _ = server.requests[0].form()
        assert (fields["key"], server.requests[0].query) == ("key", {})

    def test_too_large_picture_is_not_even_sent(self, host: WebHost, server: HostServer) -> None:
        with pytest.raises(ProviderRefused):
            host.upload(make_upload(size=host.traits.max_bytes + 1))

        assert server.requests == []

    @pytest.mark.parametrize("fault", ["other_picture", "reencoded"])
    def test_changed_bytes_are_handed_over_for_the_caller_to_check(
        self, fault: Any, host: WebHost, standin: PictureHost
    ) -> None:
        upload = make_upload()
        standin.fault = fault

        fetched = host.fetch(host.upload(upload).url)

        assert fetched in {OTHER_PICTURE, upload.data + b"\x00"}
        assert fetched != upload.data

    def test_lagging_network_answers_missing_until_it_has_the_picture(
        self, host: WebHost, standin: PictureHost
    ) -> None:
        standin.lag = 2
        upload = make_upload()
        url = host.upload(upload).url

        for _ in range(2):
            with pytest.raises(BytesMissing):
                host.fetch(url)

        assert host.fetch(url) == upload.data

    @pytest.mark.parametrize("status", [410, 404])
    def test_withdrawn_picture_is_missing(self, status: int, host: WebHost, standin: PictureHost) -> None:
        url = host.upload(make_upload()).url
        standin.serving = status

        with pytest.raises(BytesMissing):
            host.fetch(url)

    @pytest.mark.parametrize("status", [500, 503, 429])
    def test_picture_behind_a_failing_network_is_not_called_missing(
        self, status: int, host: WebHost, standin: PictureHost
    ) -> None:
        url = host.upload(make_upload()).url
        standin.serving = status

        with pytest.raises(ProviderUnavailable):
            host.fetch(url)

    def test_page_instead_of_the_picture_is_missing(self, host: WebHost, standin: PictureHost) -> None:
        url = host.upload(make_upload()).url
        standin.stored[0].data, standin.stored[0].mime_type = b"<html>adverts</html>", "text/html"

        with pytest.raises(BytesMissing):
            host.fetch(url)

    def test_ignored_deletion_is_pending(self, host: WebHost, standin: PictureHost) -> None:
        receipt = host.upload(make_upload())
        standin.deletion_ignored = True

        assert host.delete(receipt) == "pending"

    def test_deletion_is_not_confirmed_by_a_failing_network(self, host: WebHost, standin: PictureHost) -> None:
        receipt = host.upload(make_upload())
        standin.serving = 503

        assert host.delete(receipt) == "pending"

    def test_deletion_is_proved_past_every_cache(self, host: WebHost, server: HostServer) -> None:
        receipts = [host.upload(make_upload()) for _ in range(2)]

        for receipt in receipts:
            host.delete(receipt)

        proofs = [request.query.get("fresh") for request in server.requests if "/i/" in request.path]
        assert len(set(proofs)) == 2
        assert None not in proofs

    def test_secret_of_the_deletion_is_in_no_error(self, host: WebHost, server: HostServer) -> None:
        receipt = host.upload(make_upload())
        server.stop()

        with pytest.raises(ProviderUnavailable) as caught:
            host.delete(receipt)

        secret = (receipt.delete_url or "").rpartition("/")[2]
        assert secret not in f"{caught.value} {caught.value.__cause__}"
