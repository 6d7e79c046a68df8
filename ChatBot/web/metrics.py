"""``/metrics`` for Prometheus: request counts and times, and what the application knows of its pictures."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Flask, Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from prometheus_flask_exporter import PrometheusMetrics

from ChatBot.web.context import services

metrics = Blueprint("metrics", __name__)


def init_app(app: Flask) -> None:
    """Measure every request under its route, never under its path (ids would make endless series)."""
    registry = CollectorRegistry()
    app.extensions["chatbot_metrics"] = registry
    PrometheusMetrics(app, path=None, group_by="endpoint", registry=registry, default_labels=None)
    app.extensions["chatbot_copies"] = Gauge(
        "chatbot_copies", "Cloud copies by host and state", ["host", "state"], registry=registry
    )


def registry_of(app: Flask) -> CollectorRegistry:
    """Return where other parts register what they count."""
    return cast("CollectorRegistry", app.extensions["chatbot_metrics"])


@metrics.get("/metrics")
def measurements() -> Response:
    """Return the measurements in Prometheus' text format: totals only, nothing of any account."""
    gauge: Gauge = current_app.extensions["chatbot_copies"]
    gauge.clear()
    for row in services().stats()["copies"]:
        gauge.labels(row["host"], row["state"]).set(row["count"])
    return Response(generate_latest(registry_of(current_app)), content_type=CONTENT_TYPE_LATEST)
