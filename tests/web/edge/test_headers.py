"""Security headers on every kind of answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from tests.fixtures.application import Api

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def policy(text: str) -> dict[str, list[str]]:
    """Return a content security policy by directive."""
    return {name: values for name, *values in (part.split() for part in text.split(";") if part.strip())}


def test_every_kind_of_answer_is_hardened(ann: Api, visitor: Api) -> None:
    made = ann.generate()
    source = made["images"][0]["src"]
    kinds = {
        "page": ann.get("/", headers={"Accept": "text/html"}),
        "json": ann.get("/api/images"),
        "problem": ann.get("/api/nowhere"),
        "error page": ann.get("/nowhere", headers={"Accept": "text/html"}),
        "redirect": visitor.get("/gallery"),
        "refusal": visitor.get("/api/images"),
        "no content": ann.delete(f"/api/conversation/{ann.post('/api/conversations', json={}).json['id']}"),
        "picture": ann.get(source),
        "piece of a picture": ann.get(source, headers={"Range": "bytes=0-1"}),
        "not modified": ann.get(source, headers={"If-None-Match": "*"}),
        "unsatisfiable": ann.get(source, headers={"Range": "bytes=99999999-"}),
        "wrong method": ann.delete("/healthz"),
        "static file": visitor.get("/static/css/app.css"),
        "metrics": visitor.get("/metrics"),
        "options": visitor._send("OPTIONS", "/healthz", {}),
        "stream": ann.get(f"/api/conversation/{made['conversation_id']}/events", buffered=False),
    }

    for kind, answer in kinds.items():
        for name, value in ALWAYS.items():
            assert answer.headers.get(name) == value, (kind, name)
        rules = policy(answer.headers["Content-Security-Policy"])
        assert rules["default-src"] == ["'none'"], kind
        assert "unsafe" not in answer.headers["Content-Security-Policy"], kind
        assert answer.headers["Referrer-Policy"], kind
        assert len(answer.headers["X-Request-ID"]) == 32, kind
    kinds["stream"].close()


def test_pages_load_from_this_server_only(ann: Api) -> None:
    rules = policy(ann.get("/", headers={"Accept": "text/html"}).headers["Content-Security-Policy"])

    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == rules["form-action"] == ["'self'"]
    assert rules["img-src"] == ["'self'", "data:", "blob:"]
    assert rules["base-uri"] == rules["frame-ancestors"] == ["'none'"]


def test_pictures_may_also_come_from_the_configured_hosts(
    make_app: Callable[..., Flask], host_settings: dict[str, Any]
) -> None:
    answer = make_app(**host_settings).test_client().get("/login", headers={"Accept": "text/html"})

    sources = policy(answer.headers["Content-Security-Policy"])["img-src"]
    assert any("ibb.co" in source for source in sources)
    assert any("postimg" in source for source in sources)


def test_private_answers_are_never_cached_and_versioned_files_always(ann: Api) -> None:
    page = ann.get("/", headers={"Accept": "text/html"}).text
    style = next(part.split('"')[0] for part in page.split('href="') if part.startswith("/static/css/app.css"))

    assert ann.get("/api/images").headers["Cache-Control"] == "private, no-store"
    assert ann.get("/").headers["Cache-Control"] == "private, no-store"
    assert "immutable" in ann.get(style).headers["Cache-Control"]
    assert "immutable" not in ann.get("/static/css/app.css").headers.get("Cache-Control", "")
