"""An archive over the real server: sent as fast as it is read, and cut off at once when its link is closed."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

import psutil
import pytest
import requests

from tests.fixtures.server import Person, ServerProcess
from tests.media.samples import pdf

pytestmark = pytest.mark.server

FILES = 40
FILE_BYTES = 2_000_000
IN_BETWEEN_BYTES = 24_000_000
"""More than the buffers of server and system hold together; a third of the archive."""


@pytest.fixture
def link(person: Person) -> tuple[str, str]:
    """Id and address of a link that shows many large files."""
    conversation = person.post("/api/conversations", json={}).json()["id"]
    data = pdf("large " * (FILE_BYTES // 6))
    for _ in range(FILES // 20):
        kept = [_hand_in(person, data) for _ in range(20)]
        answer = person.post(f"/api/conversation/{conversation}/messages", json={"content": "look", "images": kept})
        assert answer.status_code == 202, answer.text
    made = person.post(f"/api/conversation/{conversation}/share", json={}).json()
    return made["id"], f"/share/{made['token']}/pictures.zip"


def _hand_in(person: Person, data: bytes) -> str:
    answer = person.post("/api/uploads", files={"file": ("large.pdf", data)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_whole_archive_arrives_and_takes_the_server_no_memory(
    server: ServerProcess, person: Person, link: tuple[str, str]
) -> None:
    process = psutil.Process(server.worker().pid)
    person.get(link[1])
    before = process.memory_info().rss

    with requests.get(server.base_url + link[1], stream=True, timeout=60) as answer:
        first = answer.raw.read(1000)
        grown = process.memory_info().rss - before  # while nobody reads on
        whole = first + answer.raw.read()

    assert len(whole) == int(answer.headers["Content-Length"]) > FILES * FILE_BYTES
    assert grown < 5 * FILE_BYTES
    with ZipFile(BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == FILES + 1


def test_closing_the_link_cuts_off_a_download_that_is_under_way(
    server: ServerProcess, person: Person, link: tuple[str, str]
) -> None:
    with requests.get(server.base_url + link[1], stream=True, timeout=60) as answer:
        received = [answer.raw.read(1000)]

        assert person.delete(f"/api/shares/{link[0]}").status_code == 204
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            received.extend(answer.iter_content(65_536))

    assert sum(map(len, received)) < IN_BETWEEN_BYTES < int(answer.headers["Content-Length"])
