"""How JSON bodies are read."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider


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
