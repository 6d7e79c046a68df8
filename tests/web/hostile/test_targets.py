"""Whatever an address looks like, nobody is led to another site and nothing is fetched from the server itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fixtures.application import PASSWORD, Answer, Api
from tests.web.hostile.conftest import HTML
from tests.web.hostile.texts import mixtures, texts, walk
from tests.web.routes.test_pages import form_token
from tests.web.test_canary import LOOPBACK

AWAY = (
    *(
        "//evil.example",
        "\\\\evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "https:",
        "https://evil.example",
        "///",
    ),
    *(
        "@evil.example",
        ":",
        "//",
        "/",
        "\\",
        "\t",
        "\n",
        "\r",
        " ",
        "\x00",
        "\x1f",
        "%2f",
        "%5c",
        "%09",
        "%0a",
        "..",
        ".",
    ),
    *(
        "javascript:alert(1)",
        "data:,x",
        "?",
        "#",
        ";",
        "[",
        "]",
        "evil.example",
        "\u2028",
        "\u3002",
        "\uff0f",
        "\u200b",
    ),
)


def stays_here(answer: Answer) -> bool:
    """Say whether a redirect leads to a path of this site in every browser: one slash, and nothing they would drop."""
    location = answer.headers["Location"].removeprefix("http://localhost")
    plain = location.isascii() and location.isprintable() and not set(location) & set(' \\"<>^`{|}')
    return plain and location.startswith("/") and not location.startswith("//")


def targets() -> st.SearchStrategy[str]:
    """Return what stands in ``next``."""
    return st.one_of(mixtures(AWAY, most=3), mixtures(AWAY, most=3).map(lambda text: f"/{text}"), texts())


def test_no_target_leads_to_another_site(app: Flask) -> None:
    ann, visitor = Api(app).register(), Api(app)

    @walk(50)
    @given(targets())
    @example("/\\evil.example")
    @example("///evil.example")
    @example("/\t/evil.example")
    def explore(target: str) -> None:
        own = {"language": "en", "csrf_token": ann.headers["X-CSRF-Token"]}
        asked = quote(target, safe="/%?&=")
        answers = [
            ann.get("/login", query_string={"next": target}, headers=HTML),
            ann.post("/language", data=own, headers={"Referer": f"http://localhost{asked}"}),
            ann.post("/language", data=own, headers={"Referer": asked}),
            visitor.get("/gallery", query_string={target: target}, headers=HTML),
        ]
        back = Api(app)
        form = {"username": "ann", "password": PASSWORD, "next": target}
        token = form_token(back.get("/login", headers=HTML).text)
        answers.append(back.post("/login", data={**form, "csrf_token": token}, headers=HTML))

        for answer in answers:
            assert answer.status_code in (302, 303), answer.text
            assert stays_here(answer), answer.headers["Location"]

    explore()


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """A listening socket on loopback that must hear nobody."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def test_no_address_of_an_upload_leads_the_server_to_itself(app: Flask, canary: socket.socket) -> None:
    ann = Api(app).register()
    port = canary.getsockname()[1]
    heads = ("", " ", "\t", "\ufeff", "view-source:", "url:", "http:", "jar:", "\x00")
    tails = (
        "",
        "?",
        "#",
        "#@i.ibb.co",
        "?@i.ibb.co/",
        "\\@i.ibb.co",
        "/..",
        "%00",
        "\r\nHost: i.ibb.co",
        "\u2028",
        ";a=b",
    )
    known = st.builds(
        lambda head, address, tail: head + address.format(port=port) + tail,
        st.sampled_from(heads), st.sampled_from(LOOPBACK), st.sampled_from(tails),
    )  # fmt: skip

    @walk(80)
    @given(st.one_of(known, known, texts()))
    def explore(url: str) -> None:
        answer = ann.post("/api/uploads", json={"url": url})

        assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
        assert answer.json["detail"]
        assert "secret" not in answer.json["detail"]
        with pytest.raises(BlockingIOError):
            canary.accept()

    explore()
