"""``/metrics``: totals by route and by host, nothing of anybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from tests.fixtures.application import Api


def test_requests_are_counted_by_route_and_copies_by_state(
    make_app: Callable[..., Flask], host_settings: dict[str, Any]
) -> None:
    ann = Api(make_app(**host_settings)).register()
    image = ann.generate()["images"][0]
    ann.get(image["src"])

    answer = ann.get("/metrics")

    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    copies = {(s.labels["host"], s.labels["state"]): s.value for s in samples if s.name == "chatbot_copies"}
    assert copies == {("postimages", "verified"): 1.0}
    assert any("files.permanent" in sample.labels.values() for sample in samples)


def test_measurements_name_nobody_and_nothing(ann: Api) -> None:
    made = ann.generate("a very private fox")
    link = ann.post(f"/api/conversation/{made['conversation_id']}/share", json={}).json
    ann.get(f"/share/{link['token']}")
    ann.get("/nowhere/very-private-path")

    text = ann.get("/metrics").text

    secrets = ("ann", "private", link["token"], made["conversation_id"], made["images"][0]["id"])
    labels = {
        value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        for value in sample.labels.values()
    }
    assert not any(secret in label for secret in secrets for label in labels)


def test_asking_twice_counts_once(ann: Api) -> None:
    for _ in range(2):
        assert ann.get("/metrics").text.count("# TYPE chatbot_copies gauge") == 1
