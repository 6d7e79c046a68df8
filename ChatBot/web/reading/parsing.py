"""How JSON bodies are read."""

from __future__ import annotations

from typing import Any

from flask import Flask, request
from flask.json.provider import DefaultJSONProvider

JSON_BYTES = 1_000_000
"""Five times the longest text that any field takes, in the longest encoding of each letter."""
UPLOAD = "images.upload"


class Json(DefaultJSONProvider):
    """Flask's own JSON, for which a body that is nested too deeply to be read is as malformed as any other."""

    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return what the text says; raises ``ValueError`` when it is not JSON that can be read."""
        try:
            return super().loads(s, **kwargs)
        except RecursionError as error:
            raise ValueError("The JSON is nested too deeply.") from error


def init_app(app: Flask) -> None:
    """Read and write every JSON body in this way."""
    app.json = Json(app)
    app.before_request(_keep_it_small)


def _keep_it_small() -> None:
    """Bound what is read into memory as JSON; only an upload may carry a picture in it."""
    if request.is_json and request.endpoint != UPLOAD:
        request.max_content_length = JSON_BYTES
