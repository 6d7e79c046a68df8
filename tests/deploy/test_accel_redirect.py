"""nginx sends the picture files itself, and still nobody sees what is not theirs."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import pytest
import requests

from tests.fixtures.nginx import find_nginx, new_ports, proxy_site, running_nginx
from tests.fixtures.server import Person, ServerProcess
from tests.media.samples import pdf

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def behind(make_server: Callable[..., ServerProcess]) -> Iterator[ServerProcess]:
    """A server with ACCEL_REDIRECT_PREFIX."""
    server = make_server(ACCEL_REDIRECT_PREFIX="/_storage/").start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def front(behind: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an nginx that hands everything to it."""
    nginx = find_nginx()
    assert nginx, "Install nginx (Debian: nginx-light); these tests need a real one."
    (port,) = new_ports(1)
    site = proxy_site(behind.port, behind.folder / "Storage", port)
    with running_nginx(nginx, tmp_path_factory.mktemp("nginx"), [site], [port]):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def somebody(front: str, request: pytest.FixtureRequest) -> Iterator[Person]:
    with Person(front) as person:
        yield person.register(request.node.name[:60])


@pytest.fixture
def picture(somebody: Person) -> dict[str, Any]:
    return dict(somebody.draw()["images"][0])


def test_nginx_sends_the_recorded_bytes_with_our_headers(somebody: Person, picture: dict[str, Any]) -> None:
    answer = somebody.get(f"/i/{picture['id']}")

    assert sha256(answer.content).hexdigest() == picture["sha256"]
    assert answer.headers["Server"].startswith("nginx")
    assert answer.headers["ETag"] == f'"{picture["sha256"]}"'
    assert answer.headers["Content-Type"] == picture["mime_type"]
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["X-Image-Source"] == "local"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "X-Accel-Redirect" not in answer.headers


def test_nginx_sends_a_file_as_an_attachment_in_a_sandbox(somebody: Person) -> None:
    kept = somebody.post("/api/uploads", json={"data": b64encode(pdf()).decode()}).json()

    answer = somebody.get(f"/i/{kept['id']}")

    assert answer.content == pdf()
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_an_archive_that_breaks_off_does_not_look_whole_behind_nginx(behind: ServerProcess, somebody: Person) -> None:
    made = somebody.draw(count=2)
    token = somebody.post(f"/api/conversation/{made['conversation_id']}/share", json={}).json()["token"]
    path = f"/share/{token}/pictures.zip"
    whole = somebody.get(path)
    assert len(whole.content) == int(whole.headers["Content-Length"])

    last = made["images"][1]["id"]
    next((behind.folder / "Storage" / "Image_Gen").glob(f"{last}.*")).write_bytes(b"other bytes")

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        somebody.get(path)


def test_ranges_and_conditions_are_answered_as_without_nginx(somebody: Person, picture: dict[str, Any]) -> None:
    path, whole = f"/i/{picture['id']}", somebody.get(f"/i/{picture['id']}").content
    tag = f'"{picture["sha256"]}"'

    middle = somebody.get(path, headers={"Range": "bytes=10-19"})
    resumed = somebody.get(path, headers={"Range": "bytes=10-", "If-Range": tag})
    unchanged = somebody.get(path, headers={"If-None-Match": tag})
    several = somebody.get(path, headers={"Range": "bytes=0-1,5-6"})
    head = somebody.head(path)

    assert (middle.status_code, middle.content) == (206, whole[10:20])
    assert (resumed.status_code, resumed.content) == (206, whole[10:])
    assert unchanged.status_code == 304
    assert (several.status_code, several.content) == (200, whole)
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(picture["size"]))


def test_somebody_else_gets_what_an_unknown_id_gets(front: str, picture: dict[str, Any]) -> None:
    with Person(front) as stranger:
        logged_out = stranger.get(f"/i/{picture['id']}")
        stranger.register("a stranger")
        theirs = stranger.get(f"/i/{picture['id']}")
        unknown = stranger.get(f"/i/{'0' * 32}")

    assert logged_out.status_code == 401
    assert theirs.status_code == unknown.status_code == 404
    assert {**theirs.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}


def test_a_picture_in_the_trash_is_gone_at_once(somebody: Person, picture: dict[str, Any]) -> None:
    assert somebody.get(f"/i/{picture['id']}").ok

    somebody.delete(f"/api/images/{picture['id']}")

    assert somebody.get(f"/i/{picture['id']}").status_code == 404


@pytest.mark.parametrize("path", ["/_storage/Image_Gen/{}", "/%5fstorage/Image_Gen/{}", "/x/../_storage/Image_Gen/{}"])
def test_the_internal_address_is_nobodys(somebody: Person, picture: dict[str, Any], path: str) -> None:
    name = f"{picture['id']}.{picture['mime_type'].partition('/')[2].replace('jpeg', 'jpg')}"

    assert somebody.get(path.format(name)).status_code == 404
