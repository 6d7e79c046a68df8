"""Security headers of every answer."""

from __future__ import annotations

from flask import Flask
from secure import Preset, Secure
from werkzeug.wrappers import Response

from ChatBot.web.context import services


def init_app(app: Flask) -> None:
    """Set the headers after every request; what a view set itself stays."""
    app.after_request(_harden)


def _harden(response: Response) -> Response:
    for name, value in _headers().items():
        response.headers.setdefault(name, value)
    return response


def _headers() -> dict[str, str]:
    return {
        "Content-Security-Policy": content_security_policy(picture_sources()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    }


def picture_sources() -> list[str]:
    """Return the origins that cloud copies are shown from."""
    names = sorted({origin for host in services().chain.hosts for origin in host.traits.picture_origins})
    private = services().settings.fetch_allow_private_hosts if names else ()
    return [*names, *(f"http://{address}" for address in private)]


def content_security_policy(pictures: list[str]) -> str:
    """Return a policy without inline code or styles; ``pictures`` are further image origins."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            " ".join(("img-src 'self' data: blob:", *pictures)),
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
