"""The addresses that may be connected to, by spelling and by number."""

from __future__ import annotations

import pytest

from ChatBot.outbound.targets import UnsafeAddressError, parse_target, vet_address

REFUSED_NUMBERS = [
    "0.0.0.0",  # noqa: S104 - an address to refuse, nothing is bound
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::1%lo",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
]

CONFUSING_URLS = [
    "ftp://example.com/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "gopher://127.0.0.1:70/",
    "data:text/plain,hello",
    "//example.com/a",
    "example.com/a",
    "",
    "http://",
    "http:///path",
    "http://user@example.com/",
    "http://user:secret@example.com/",
    "http://@example.com/",
    "http://example.com\\@127.0.0.1/",
    "http://example.com\\.evil/",
    "http://127.0.0.1\t.example.com/",
    "http://example.com /",
    " http://example.com/",
    "http://example.com/\r\nHost: other",
    "http://exa\u00a0mple.com/",
    "http://example.com:99999/",
    "http://example.com:80:80/",
    "http://example.com:port/",
    "http://[::1/",
    "http://[fe80::1%25lo]/",
    "http://ex%61mple.com/",
    "http://ex\uff41mple.com/",
    "http://\u2460\u2461\u2466.0.0.1/",
    "http://example.com#@127.0.0.1:80\\/",
]


@pytest.mark.parametrize("number", REFUSED_NUMBERS)
def test_number_that_is_not_public_is_refused(number: str) -> None:
    with pytest.raises(UnsafeAddressError):
        vet_address(number)


@pytest.mark.parametrize("number", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450::200e"])
def test_public_number_is_accepted(number: str) -> None:
    vet_address(number)


@pytest.mark.parametrize("url", CONFUSING_URLS)
def test_confusing_url_is_refused(url: str) -> None:
    with pytest.raises(UnsafeAddressError):
        parse_target(url)


@pytest.mark.parametrize(
    ("url", "netloc"),
    [
        ("https://i.ibb.co/a/b.png", "i.ibb.co:443"),
        ("HTTP://I.IBB.CO/a", "i.ibb.co:80"),
        ("http://example.com:8080/?q=a@b#c", "example.com:8080"),
        ("http://[2606:4700::1]:81/", "[2606:4700::1]:81"),
        ("https://example.com/%C3%A9?x=http://127.0.0.1/", "example.com:443"),
        ("http://my_host.example:0/", "my_host.example:0"),
    ],
)
def test_plain_url_names_its_host_and_port(url: str, netloc: str) -> None:
    assert parse_target(url).netloc == netloc


def test_refusal_does_not_repeat_the_url() -> None:
    with pytest.raises(UnsafeAddressError) as caught:
        parse_target("http://user:hunter2@example.com/")

    assert "hunter2" not in str(caught.value)


def test_path_is_what_is_sent_percent_encoded_and_without_the_fragment() -> None:
    assert parse_target("https://pictures.example/é?q=ü#part").path == "/%C3%A9?q=%C3%BC"
    assert parse_target("https://pictures.example").path == "/"
