"""PostImages over real HTTP, against its stand-in."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest
import responses

from ChatBot.errors import ProviderRefused, ProviderUnavailable
from ChatBot.hosts.postimages import PostimagesHost
from ChatBot.outbound import Gate
from tests.hosts.contract import PublicHostContract, make_upload
from tests.hosts.faults import FaultFamily
from tests.standins.hosts import HostServer
from tests.standins.postimages import Postimages

API_URL = "https://api.postimage.org/1/upload"
GOOD_URL = "https://i.postimg.cc/a/b.png"
GOOD = f'<data success="1"><links><hotlink>{GOOD_URL}</hotlink></links></data>'


@pytest.fixture
def host(postimages: PostimagesHost) -> PostimagesHost:
    return postimages


@pytest.fixture
def standin(server: HostServer) -> Postimages:
    return server.postimages


class TestContract(PublicHostContract):
    @pytest.fixture
    def unknown_url(self, server: HostServer) -> str:
        return f"{server.base_url}/postimages/i/absent/absent.png"


class TestFaults(FaultFamily):
    pass


def real_host() -> PostimagesHost:
    return PostimagesHost(api_url=API_URL, api_key="key", gate=Gate())


def answer(body: str) -> None:
    responses.post(API_URL, body=body, content_type="application/xml")


@responses.activate
def test_shortest_success_is_understood() -> None:
    answer(GOOD)

    assert real_host().upload(make_upload()).url == GOOD_URL


def test_form_has_the_fields_that_the_interface_wants(host: PostimagesHost, standin: Postimages) -> None:
    upload = make_upload(mime_type="image/jpeg")

    host.upload(upload)

    fields = standin.stored[0].fields
    assert standin.stored[0].data == upload.data
    assert fields.keys() == {"key", "o", "m", "version", "portable", "name", "type"}
    assert (fields["type"], fields["version"], fields["portable"]) == ("jpg", "1.0.1", "1")


def test_no_browser_is_imitated(host: PostimagesHost, server: HostServer) -> None:
    host.upload(make_upload())

    headers = server.requests[0].headers
    assert headers["user-agent"] == "ChatBot"
    assert {"origin", "referer"}.isdisjoint(headers)


def test_without_a_key_nothing_is_sent(server: HostServer, gate: Gate) -> None:
    keyless = PostimagesHost(api_url=server.postimages.api_url, api_key="", gate=gate)

    with pytest.raises(ProviderRefused) as caught:
        keyless.upload(make_upload())

    assert caught.value.reason == "auth"
    assert server.requests == []


@responses.activate
def test_answer_as_the_real_one_writes_it_is_understood() -> None:
    answer(
        '<?xml version="1.0" encoding="utf-8"?>\n<data success="1" status="200">\n  <links>\n'
        "    <page>https://postimg.cc/zHFQybdR</page>\n"
        "    <hotlink> https://i.postimg.cc/kG0PhWKw/sample-s.jpg\n</hotlink>\n"
        "    <thumbnail>https://i.postimg.cc/zHFQybdR/sample-s.jpg</thumbnail>\n"
        "    <delete>https://postimg.cc/delete/KSX2yX0h2/7496e92a</delete>\n  </links>\n</data>"
    )

    receipt = real_host().upload(make_upload())

    assert receipt.url == "https://i.postimg.cc/kG0PhWKw/sample-s.jpg"
    assert receipt.page_url == "https://postimg.cc/zHFQybdR"
    assert receipt.delete_url == "https://postimg.cc/delete/KSX2yX0h2/7496e92a"


@responses.activate
@pytest.mark.parametrize("words", ["bad key", "Invalid API key.", "Key: expired"])
def test_complaint_about_the_key_is_a_refusal(words: str) -> None:
    answer(f"<data success='0'><error>{words}</error></data>")

    with pytest.raises(ProviderRefused) as caught:
        real_host().upload(make_upload())

    assert caught.value.reason == "auth"


@responses.activate
def test_foreign_removal_link_is_dropped_and_the_picture_kept() -> None:
    answer(
        '<data success="1"><links><hotlink>https://i.postimg.cc/a/b.png</hotlink>'
        "<delete>https://evil.example/delete/1/2</delete><page>http://postimg.cc/a</page></links></data>"
    )

    receipt = real_host().upload(make_upload())

    assert (receipt.url, receipt.delete_url, receipt.page_url) == ("https://i.postimg.cc/a/b.png", None, None)


@responses.activate
@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        "\x00",
        "{}",
        "<html><br></html>",
        "<data",
        '<data success="1"/>',
        '<data success="0"><links><hotlink>https://i.postimg.cc/a/b.png</hotlink></links></data>',
        "<data><links><hotlink>https://i.postimg.cc/a/b.png</hotlink></links></data>",
        '<data success="1"><hotlink>https://i.postimg.cc/a/b.png</hotlink></data>',
        f'<!DOCTYPE d [<!ENTITY a "https://i.postimg.cc/a/b.png">]>{GOOD.replace(GOOD_URL, "&a;")}',
        f'<!DOCTYPE d SYSTEM "file:///etc/passwd">{GOOD}',
        "<a>x" * 60_000,
    ],
    ids=range(13),
)
def test_answer_that_is_no_success_is_for_later(body: str) -> None:
    answer(body)

    with pytest.raises(ProviderUnavailable):
        real_host().upload(make_upload())


@responses.activate
def test_answer_over_the_cap_is_for_later_and_no_refusal_of_the_picture() -> None:
    answer(GOOD + " " * 300_000)

    with pytest.raises(ProviderUnavailable):
        real_host().upload(make_upload())


def test_removal_page_without_its_button_leaves_it_to_a_person(host: PostimagesHost, server: HostServer) -> None:
    receipt = host.upload(make_upload())
    elsewhere = replace(receipt, delete_url=receipt.url)

    assert host.delete(elsewhere) == "manual"
    assert len(server.postimages.live) == 1


def test_get_of_the_removal_page_deletes_nothing(host: PostimagesHost, server: HostServer, gate: Gate) -> None:
    receipt = host.upload(make_upload())

    gate.get(receipt.delete_url or "", provider="test", max_bytes=10_000, deadline_seconds=5)

    assert len(server.postimages.live) == 1


def test_picture_is_sent_as_base64(host: PostimagesHost, server: HostServer) -> None:
    upload = make_upload(size=3)

    host.upload(upload)

    fields, _ = server.requests[0].form()
    assert fields["image"] == b64encode(upload.data).decode()
