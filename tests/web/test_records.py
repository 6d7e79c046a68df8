"""Nothing in the folder of the records has an address."""

from __future__ import annotations

from pathlib import Path

import pytest

from ChatBot.container import Services
from tests.fixtures.application import Api


@pytest.fixture
def recorded(ann: Api) -> list[Path]:
    """The records of an account with a picture."""
    ann.generate()
    services: Services = ann.http.application.extensions["chatbot"]
    for records in services.records:
        while records.work_once():
            pass
    return list((services.settings.storage_root / "records").glob("*.json"))


@pytest.mark.parametrize(
    "address",
    [
        "/static/Storage/records/{name}",
        "/static/Storage/Image_Gen/../records/{name}",
        "/static/Storage/Image_Gen/..%2frecords%2f{name}",
        "/static/Storage/uploads/%2e%2e/records/{name}",
        "/Storage/records/{name}",
        "/static/records/{name}",
        "/static/../ChatBot/Storage/records/{name}",
        "/records/{name}",
        "/i/{name}",
        "/i/..%2frecords%2f{name}",
        "/_storage/records/{name}",
    ],
)
def test_no_address_serves_a_record_not_even_to_its_owner(ann: Api, recorded: list[Path], address: str) -> None:
    assert {path.name[0] for path in recorded} >= {"u", "c", "m"}

    answers = [ann.get(address.format(name=path.name)) for path in recorded]

    assert {answer.status_code for answer in answers} <= {400, 404, 422}
    assert not any(b"password_hash" in answer.data or b"checksum" in answer.data for answer in answers)
