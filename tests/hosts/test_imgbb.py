"""ImgBB over real HTTP, against its stand-in."""

from __future__ import annotations

import json
import re

import pytest
import responses

from ChatBot.errors import ProviderRefused, ProviderUnavailable
from ChatBot.hosts.imgbb import RATE_LIMIT_SECONDS, ImgbbHost
from ChatBot.outbound import Gate
from tests.hosts.contract import PublicHostContract, make_upload
from tests.hosts.faults import FaultFamily
from tests.standins.hosts import HostServer
from tests.standins.imgbb import Imgbb

API_URL = "https://api.imgbb.com/1/upload"
DELETE_URL = "https://ibb.co/json"
LIVE_ANSWER = (
    r'{"data":{"id":"bs96JVz","title":"upload","url_viewer":"https:\/\/ibb.co\/bs96JVz",'
    r'"url":"https:\/\/i.ibb.co\/rxrQsh4\/upload.png","display_url":"https:\/\/i.ibb.co\/rxrQsh4\/upload.png",'
    r'"width":100,"height":100,"size":91,"time":1687346358,"expiration":0,'
    r'"delete_url":"https:\/\/ibb.co\/bs96JVz\/8940c1ed55dd806e8b9de248b3707288"},"success":true,"status":200}'
)


@pytest.fixture
def host(imgbb: ImgbbHost) -> ImgbbHost:
    return imgbb


@pytest.fixture
def standin(server: HostServer) -> Imgbb:
    return server.imgbb


class TestContract(PublicHostContract):
    @pytest.fixture
    def unknown_url(self, server: HostServer) -> str:
        return f"{server.base_url}/imgbb/i/absent/absent.png"


class TestFaults(FaultFamily):
    pass


def real_host() -> ImgbbHost:
    return ImgbbHost(api_url=API_URL, delete_api_url=DELETE_URL, api_key="key", gate=Gate())


def failing(message: str, code: int = 100) -> dict[str, object]:
    return {"status_code": 400, "error": {"message": message, "code": code}, "status_txt": "Bad Request"}


def test_only_the_key_goes_beside_the_file(host: ImgbbHost, standin: Imgbb) -> None:
    upload = make_upload(mime_type="image/webp")

    host.upload(upload)

    stored = standin.stored[0]
    assert (stored.fields, stored.data, stored.mime_type) == ({"key": "key"}, upload.data, "image/webp")
    assert re.fullmatch(r"[0-9a-f]{32}\.webp", stored.name)


@pytest.mark.parametrize(("numbers_as_text", "size"), [(True, 2000), (False, 2000), (True, 200_000), (False, 200_000)])
def test_both_written_forms_of_a_success_are_understood(
    numbers_as_text: bool, size: int, host: ImgbbHost, standin: Imgbb
) -> None:
    standin.numbers_as_text = numbers_as_text
    upload = make_upload(size=size)

    assert host.fetch(host.upload(upload).url) == upload.data


@responses.activate
def test_answer_as_the_real_one_writes_it_is_understood() -> None:
    responses.post(API_URL, body=LIVE_ANSWER)

    receipt = real_host().upload(make_upload())

    assert receipt.url == "https://i.ibb.co/rxrQsh4/upload.png"
    assert receipt.delete_url == "https://ibb.co/bs96JVz/8940c1ed55dd806e8b9de248b3707288"
    assert receipt.page_url == "https://ibb.co/bs96JVz"


@responses.activate
@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        ("Invalid API v1 key.", 100, "auth"),
        ("Invalid image.", 310, "type"),
        ("Invalid content type", 311, "type"),
        ("File too big. Max 32 MB", 313, "too_large"),
        ("Suspected inappropriate content", 403, "moderation"),
        ("Something new", 999, "input"),
    ],
)
def test_refusal_is_read_from_the_message(message: str, code: int, reason: str) -> None:
    responses.post(API_URL, json=failing(message, code), status=400)

    with pytest.raises(ProviderRefused) as caught:
        real_host().upload(make_upload())

    assert caught.value.reason == reason
    assert message in str(caught.value)


@responses.activate
def test_rate_limit_has_the_code_of_a_bad_key_and_is_for_much_later() -> None:
    responses.post(API_URL, json=failing("Rate limit reached."), status=400)

    with pytest.raises(ProviderUnavailable) as caught:
        real_host().upload(make_upload())

    assert caught.value.retry_after_seconds == RATE_LIMIT_SECONDS


@responses.activate
@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        '"text"',
        "[" * 100_000,
        "<html></html>",
        LIVE_ANSWER[:200],
        LIVE_ANSWER.replace("true", "false"),
        LIVE_ANSWER.replace("true", "1"),
        LIVE_ANSWER.replace('"success":true,', ""),
        '{"success":true}',
        '{"success":true,"data":[]}',
        '{"success":true,"data":{"url":7}}',
        '{"success":true,"data":{"url":null}}',
        LIVE_ANSWER.replace(r"https:\/\/i.ibb.co", r"http:\/\/i.ibb.co"),
    ],
    ids=range(15),
)
def test_answer_that_is_no_success_is_for_later(body: str) -> None:
    responses.post(API_URL, body=body)

    with pytest.raises(ProviderUnavailable):
        real_host().upload(make_upload())


@responses.activate
@pytest.mark.parametrize("status", [500, 503])
def test_server_trouble_is_for_later_whatever_it_says(status: int) -> None:
    responses.post(API_URL, json=failing("Invalid API v1 key."), status=status)

    with pytest.raises(ProviderUnavailable):
        real_host().upload(make_upload())


@responses.activate
@pytest.mark.parametrize(
    "delete_url",
    ["https://ibb.co/delete", "https://evil.example/a/8940c1ed55dd806e8b9de248b3707288", None, 7, {"a": 1}],
    ids=range(5),
)
def test_strange_deletion_link_is_dropped_and_the_picture_kept(delete_url: object) -> None:
    answer = json.loads(LIVE_ANSWER)
    answer["data"]["delete_url"] = delete_url
    responses.post(API_URL, json=answer)

    assert real_host().upload(make_upload()).delete_url is None


@responses.activate
@pytest.mark.parametrize("page_url", ["https://ibb.co.evil.example/a", "javascript:1", None, 7], ids=range(4))
def test_foreign_page_is_dropped_and_the_picture_kept(page_url: object) -> None:
    answer = json.loads(LIVE_ANSWER)
    answer["data"]["url_viewer"] = page_url
    responses.post(API_URL, json=answer)

    assert real_host().upload(make_upload()).page_url is None


def test_second_name_of_the_site_is_known_for_deletion(host: ImgbbHost, standin: Imgbb) -> None:
    receipt = host.upload(make_upload())
    standin_url = (receipt.delete_url or "").replace("ibb.co", "ibb.co.com")

    proof = host.delete(type(receipt)(host=receipt.host, url=receipt.url, delete_url=standin_url))

    assert (proof, standin.live) == ("confirmed", [])


def test_deletion_that_the_site_refuses_is_left_to_a_person(host: ImgbbHost, standin: Imgbb) -> None:
    receipt = host.upload(make_upload())
    standin.stored[0].removal_hash = "changed"

    assert host.delete(receipt) == "manual"
