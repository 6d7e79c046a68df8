"""Is it alive, and can it work: for load balancers and for people."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint

from ChatBot.web.context import services

health = Blueprint("health", __name__)


@health.get("/healthz")
def alive() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@health.get("/readyz")
def ready() -> tuple[dict[str, Any], int]:
    """Say whether a picture could be made and kept now, part by part; 503 when it could not."""
    report = services().readiness()
    return report, HTTPStatus.OK if report["ready"] else HTTPStatus.SERVICE_UNAVAILABLE
