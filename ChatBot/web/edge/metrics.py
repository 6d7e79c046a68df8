"""``/metrics`` for Prometheus: request counts and times, and what the application knows of its pictures."""

from __future__ import annotations

from time import perf_counter
from typing import cast

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from werkzeug.wrappers import Response as BaseResponse

from ChatBot.web.context import services

metrics = Blueprint("metrics", __name__)

EXTENSION = "chatbot_measured"


class Measured:
    """What is counted of requests: under their route, never under their path (ids would make endless series)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.copies = Gauge(
            "chatbot_copies", "Cloud copies by host and state", ["host", "state"], registry=self.registry
        )
        self._seconds = Histogram(
            "flask_http_request_duration_seconds",
            "HTTP request duration in seconds",
            ["method", "endpoint", "status"],
            registry=self.registry,
        )
        self._total = Counter(
            "flask_http_request_total", "Total number of HTTP requests", ["method", "status"], registry=self.registry
        )

    def count(self, method: str, endpoint: str | None, status: int, seconds: float) -> None:
        """Count one answered request that took so long."""
        self._seconds.labels(method, endpoint, status).observe(seconds)
        self._total.labels(method, status).inc()


def init_app(app: Flask) -> None:
    """Measure every request."""
    app.extensions[EXTENSION] = Measured()
    app.before_request(_begin)
    app.after_request(_count)


def measured(app: Flask) -> Measured:
    """Return the measurements of an application."""
    return cast("Measured", app.extensions[EXTENSION])


def registry_of(app: Flask) -> CollectorRegistry:
    """Return where further measurements of an application belong."""
    return measured(app).registry


@metrics.get("/metrics")
def measurements() -> Response:
    """Return the measurements in Prometheus' text format: totals only, nothing of any account."""
    kept = measured(current_app)
    kept.copies.clear()
    for row in services().stats()["copies"]:
        kept.copies.labels(row["host"], row["state"]).set(row["count"])
    return Response(generate_latest(kept.registry), content_type=CONTENT_TYPE_LATEST)


def _begin() -> None:
    g.begun_at = perf_counter()


def _count(response: BaseResponse) -> BaseResponse:
    # A request that was refused before this part's turn was not timed.
    seconds = perf_counter() - g.get("begun_at", perf_counter())
    measured(current_app).count(request.method, request.endpoint, response.status_code, seconds)
    return response
