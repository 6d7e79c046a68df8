"""People and pictures that the tests of the web layer share."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.fixtures.application import Api
from tests.media.samples import photograph, saved


@pytest.fixture
def program(app: Flask, ann: Api) -> Api:
    """A program that acts as ``ann`` with an API token and without any cookie."""
    text = ann.post("/api/tokens", json={"name": "a program"}).json["token"]
    client = Api(app)
    client.headers["Authorization"] = f"Bearer {text}"
    return client


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A PNG of 320 x 240 pixels."""
    return saved(photograph((320, 240)), "PNG")
