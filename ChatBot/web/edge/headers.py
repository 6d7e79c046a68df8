"""Security headers of every answer."""

from __future__ import annotations

from functools import lru_cache

from flask import Flask, request
from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    XContentTypeOptions,
    XFrameOptions,
)
from werkzeug.wrappers import Response

from ChatBot.container import Services
from ChatBot.web.context import services

HSTS = "max-age=31536000"
"""A year, for this name only: what else lives on the operator's domain is not ours to decide."""


def init_app(app: Flask) -> None:
    """Set the headers after every request; what a view set itself stays."""
    app.after_request(_harden)


def _harden(response: Response) -> Response:
    harden(response, services(), request.endpoint, secure=request.is_secure)
    return response


def harden(response: Response, offered: Services, endpoint: str | None, *, secure: bool) -> None:
    """Set the headers that an answer does not have yet; ``secure``: the request came by HTTPS."""
    present = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - iterating Headers itself gives pairs
    for name, value in _headers(picture_sources(offered)).items():
        if name.lower() not in present:
            response.headers.add(name, value)
    if secure:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    if endpoint != "static":
        response.vary.add("Cookie")


def picture_sources(offered: Services) -> tuple[str, ...]:
    """Return the origins that cloud copies are shown from."""
    names = sorted({origin for host in offered.chain.hosts for origin in host.traits.picture_origins})
    private = offered.settings.fetch_allow_private_hosts if names else ()
    return (*names, *(f"http://{address}" for address in private))


@lru_cache(maxsize=8)
def _headers(pictures: tuple[str, ...]) -> dict[str, str]:
    """Return the headers; ``pictures`` are origins besides our own that pictures may load from."""
    policy = (
        ContentSecurityPolicy()
        .default_src("'none'")
        .script_src("'self'")
        .style_src("'self'")
        .img_src("'self'", "data:", "blob:", *pictures)
        .font_src("'self'")
        .connect_src("'self'")
        .manifest_src("'self'")
        .form_action("'self'")
        .base_uri("'none'")
        .frame_ancestors("'none'")
    )
    secure = Secure(
        csp=policy,
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        permissions=PermissionsPolicy().camera().geolocation().microphone("self"),
        referrer=ReferrerPolicy().same_origin(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
    )
    return dict(secure.headers)
