"""Schemathesis: requests that follow the API's description and requests that break it, over all of it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.engine import Status, events, from_schema
from schemathesis.schemas import BaseSchema

from ChatBot.models import new_id
from ChatBot.services.conversations.generation import SIDES
from ChatBot.web.description import description_of, operations_of
from tests.fixtures.application import Api
from tests.fixtures.serving import serving
from tests.media.samples import pdf

LIMITS_OFF = ("login=off", "generation=off", "upload=off", "download=off", "share=off")
CHECKS = {
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "unsupported_method",
    "ignored_auth",
    "use_after_free",
    "ensure_resource_availability",
}

PARAMETER = re.compile(r"{(\w+)}")
STILL_THERE = {"/api/trash/{image_id}/thumbnail", "/api/admin/images/{image_id}"}
"""Where a picture in the trash is looked at on purpose: by its owner, and by who asks what became of it."""

CONFIG: dict[str, Any] = {
    "generation": {"deterministic": True, "max-examples": 3, "database": "none"},
    "phases": {"stateful": {"generation": {"max-examples": 20}}},
    # What follows the description may still be refused for what it says: a short password, a wrong one, a range that
    # begins behind the end.
    "checks": {
        "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", 401, 403, 404, 409, 412, 416, 422, 429, 502]}
    },
    # The stream goes on for as long as somebody listens; its first words may come late on a busy machine.
    "operations": [
        {"include-path": "/api/conversation/{conversation_id}/events", "request-timeout": 0.3, "request-retries": 4}
    ],
}
VISITOR: dict[str, Any] = {**CONFIG, "phases": {"coverage": {"enabled": False}, "stateful": {"enabled": False}}}
"""A visitor is refused before a request is looked at closely, so that a look at each operation is enough."""


@dataclass
class Outcome:
    """What came of a run: how often each check looked, how often each status was answered, and what was wrong."""

    checks: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def note(self, event: events.EngineEvent) -> None:
        """Take in what the engine tells."""
        if isinstance(event, events.NonFatalError):
            self.wrong.append(f"{event.label}: {event.value!r}")
        if isinstance(event, events.FatalError):
            raise event.exception
        if isinstance(event, events.PhaseFinished) and event.status in (Status.ERROR, Status.INTERRUPTED):
            self.wrong.append(f"{event.phase.name}: {event.status}")
        if isinstance(event, events.ScenarioFinished):
            self._note_scenario(event)

    def _note_scenario(self, event: events.ScenarioFinished) -> None:
        for case_id, interaction in event.recorder.interactions.items():
            case = event.recorder.cases[case_id].value
            self.operations.add(case.operation.label)
            if interaction.response is not None:
                self.statuses[interaction.response.status_code] += 1
            for check in event.recorder.checks.get(case_id, ()):
                self.checks[check.name] += 1
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    self.wrong.append(f"{check.name}: {failure.message}\n{case.as_curl_command()}")


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """An application that refuses nobody for asking often."""
    return make_app(rate_limits=LIMITS_OFF)


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where it answers over HTTP."""
    with serving(app) as address:
        yield address


def explore(address: str, config: dict[str, Any], **headers: str) -> tuple[BaseSchema, Outcome]:
    """Send requests to every operation that the description names, and return it with what came of them."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json", config=SchemathesisConfig.from_dict(config))
    schema.config.update(headers=headers)
    outcome = Outcome()
    for event in from_schema(schema).execute():
        outcome.note(event)
    return schema, outcome


@pytest.fixture
def belongings(program: Api, photo: bytes) -> None:
    """One of each thing that lists show."""
    made = program.generate(width=SIDES.start, height=SIDES.start)
    picture, conversation = made["images"][0]["id"], made["conversation_id"]
    for data in (photo, pdf()):
        assert program.post("/api/uploads", json={"data": b64encode(data).decode()}).status_code == 201
    assert program.post(f"/api/conversation/{conversation}/share", json={}).status_code == 201
    assert program.post(f"/api/images/{picture}/links", json={"permanent": True}).status_code == 201


@schemathesis.hook
def before_call(_context: Any, case: Any, _options: Any) -> None:
    """Let pictures be small, for what is asked for is drawn; a size that is refused stays."""
    if case.path == "/api/generate-image" and isinstance(case.body, dict) and "prompt" in case.body:
        case.body.update({name: SIDES.start for name in ("width", "height") if case.body.get(name, 1024) in SIDES})


def labels(schema: BaseSchema) -> set[str]:
    """Return every operation, as in ``GET /i/{image_id}``."""
    return {found.ok().label for found in schema.get_all_operations() if isinstance(found, Ok)}


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("belongings")
def test_a_program_gets_what_is_described_whatever_it_sends(address: str, program: Api) -> None:
    schema, outcome = explore(address, CONFIG, **program.headers)

    assert outcome.wrong == []
    assert outcome.operations == labels(schema)
    assert set(outcome.checks) >= CHECKS
    assert {200, 201, 202, 204, 404, 405, 415, 422} <= set(outcome.statuses)
    assert program.get("/api/auth/me").status_code == 200  # what it did was not all refused


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("ann")
def test_a_visitor_gets_what_is_described_whatever_they_send(address: str) -> None:
    schema, outcome = explore(address, VISITOR)

    assert outcome.wrong == []
    assert outcome.operations == labels(schema)
    assert outcome.statuses[401] > len(outcome.operations)


@pytest.mark.parametrize(
    ("parameter", "things"), [("conversation_id", "/api/conversation"), ("image_id", "/api/images")]
)
def test_what_was_made_is_there_and_what_was_deleted_is_not(
    app: Flask, program: Api, parameter: str, things: str
) -> None:
    made = program.generate(width=SIDES.start, height=SIDES.start)
    made["image_id"] = made["images"][0]["id"]
    operations = operations_of(description_of(app))
    paths = {path for path, method, _ in operations if method == "get" and PARAMETER.findall(path) == [parameter]}
    reading = [path.format(**made) for path in sorted(paths - STILL_THERE)]

    def statuses() -> set[int]:
        answers = [program.get(path, buffered=False) for path in reading]
        for answer in answers:
            answer.close()  # one of them is a stream that goes on
        return {answer.status_code for answer in answers}

    assert len(reading) > 1
    assert statuses() == {200}
    assert program.delete(f"{things}/{made[parameter]}").status_code in (200, 204)
    assert statuses() == {404}
    assert program.delete(f"{things}/{made[parameter]}").status_code == 404


def test_a_body_of_another_shape_or_media_type_is_refused_everywhere(app: Flask, program: Api) -> None:
    tried = 0
    for path, method, operation in operations_of(description_of(app)):
        if "application/json" not in operation.get("requestBody", {}).get("content", ()):
            continue
        address = PARAMETER.sub(new_id(), path)
        send = getattr(program, method)

        assert send(address, json={"surprise": 1}).status_code == 422, address
        assert send(address, json="{}").status_code == 422, address
        assert send(address, json=[{}]).status_code == 422, address
        assert send(address, data=b"a: 1", content_type="application/yaml").status_code == 415, address
        tried += 1
    assert tried > 15
