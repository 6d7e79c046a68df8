"""The stand-ins for picture hosts as another program sees them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.standins.hosts import HostServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server() -> Iterator[HostServer]:
    with HostServer() as running:
        yield running


def upload(server: HostServer) -> requests.Response:
    files = {"image": ("a.png", b"\x89PNG bytes", "image/png")}
    return requests.post(server.imgbb.api_url, data={"key": "k"}, files=files, timeout=5)


def test_fault_set_over_http_takes_effect_and_can_be_read_back(server: HostServer) -> None:
    control = f"{server.base_url}/control/imgbb"

    set_to = requests.post(control, json={"fault": "status", "status": 502, "retry_after": "9"}, timeout=5).json()
    reply = upload(server)

    assert (reply.status_code, reply.headers["Retry-After"]) == (502, "9")
    assert set_to["fault"] == requests.get(control, timeout=5).json()["fault"] == "status"
    assert server.postimages.fault == "ok"


@pytest.mark.parametrize("command", ['{"nonsense": 1}', "not json"])
def test_control_that_is_not_understood_is_an_error(command: str, server: HostServer) -> None:
    reply = requests.post(f"{server.base_url}/control/imgbb", data=command, timeout=5)

    assert reply.status_code == 400


def test_control_of_an_unknown_host_is_an_error(server: HostServer) -> None:
    assert requests.get(f"{server.base_url}/control/imgur", timeout=5).status_code == 404


def test_uploaded_bytes_are_served_at_the_returned_url_until_deleted(server: HostServer) -> None:
    data = upload(server).json()["data"]
    before = requests.get(data["url"], timeout=5)
    server.imgbb.stored[0].deleted = True
    after = requests.get(data["url"], timeout=5)

    assert (before.content, before.headers["Content-Type"]) == (b"\x89PNG bytes", "image/png")
    assert after.status_code == 404
    assert server.imgbb.state()["live"] == 0


def test_upload_without_a_key_is_answered_as_the_real_ones_do(server: HostServer) -> None:
    imgbb = requests.post(server.imgbb.api_url, files={"image": b"x"}, timeout=5)
    postimages = requests.post(server.postimages.api_url, data={"image": "eA=="}, timeout=5)

    assert (imgbb.status_code, imgbb.json()["error"]["code"]) == (400, 100)
    assert (postimages.status_code, postimages.content) == (200, b"")


def test_program_prints_where_it_listens_and_the_settings() -> None:
    command = [sys.executable, "-m", "tests.standins", "hosts"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(9)]
        base = lines[0].removeprefix("base ")
        state = requests.get(lines[1].removeprefix("control "), timeout=5).json()
        process.send_signal(signal.SIGINT)
        code = process.wait(10)

    assert state["name"] == "postimages"
    assert f"IMGBB_API_URL={base}/imgbb/1/upload" in lines
    assert code == 130
