"""A stand-in for ImgBB: the multipart upload with its JSON answer, and the deletion form of its site."""

from __future__ import annotations

from typing import Any

from tests.standins.picture_host import Fault, PictureHost, Stored
from tests.standins.server import Reply, Request, json_reply

MAX_BYTES = 32_000_000
MEDIUM_FROM_BYTES = 100_000
"""The real one leaves ``medium`` out for small pictures; where it begins is not known."""


class Imgbb(PictureHost):
    """``POST /imgbb/1/upload``, pictures under ``/imgbb/i/``, deletion at ``POST /imgbb/json``.

    ``numbers_as_text`` answers as the documentation shows it, with strings where live answers have integers.
    """

    name = "imgbb"
    upload_path = "/imgbb/1/upload"

    def __init__(self) -> None:
        super().__init__()
        self.numbers_as_text = False

    @property
    def api_url(self) -> str:
        """The value for ``IMGBB_API_URL``."""
        return self.base_url + self.upload_path

    @property
    def delete_api_url(self) -> str:
        """The value for ``IMGBB_DELETE_URL``."""
        return f"{self.base_url}/imgbb/json"

    def handle(self, request: Request) -> Reply | None:
        """Answer what belongs to ImgBB."""
        if (request.method, request.path) == ("POST", self.upload_path):
            return self._upload(request)
        if request.path.startswith("/imgbb/i/"):
            return self.serve_picture(request)
        if (request.method, request.path) == ("POST", "/imgbb/json"):
            return self._delete(request)
        return None

    def _upload(self, request: Request) -> Reply:
        fields, parts = request.form()
        if not fields.get("key"):
            return _error("Invalid API v1 key.", 100)
        if not parts or parts[0].name != "image" or not parts[0].data:
            return _error("Invalid image.", 310)
        if len(parts[0].data) > MAX_BYTES:
            return _error("File too big. Max file size allowed is 32 MB", 313)
        return self.accept(parts[0].data, parts[0].content_type, parts[0].filename, fields)

    def success(self, stored: Stored, returned_url: str | None = None) -> Reply:
        """Return the JSON of a success, with slashes escaped as the real one does."""
        url = self.base_url + self.picture_path(stored) if returned_url is None else returned_url
        data: dict[str, Any] = {
            "id": stored.removal_id,
            "title": stored.name.partition(".")[0],
            "url_viewer": f"https://ibb.co/{stored.removal_id}",
            "url": url,
            "display_url": url,
            "width": self._number(100),
            "height": self._number(100),
            "size": self._number(len(stored.data)),
            "time": self._number(1687346358),
            "expiration": self._number(0),
            "image": _variant(stored, url),
            "thumb": _variant(stored, url),
            "delete_url": f"https://ibb.co/{stored.removal_id}/{stored.removal_hash}",
        }
        if len(stored.data) >= MEDIUM_FROM_BYTES:
            data["medium"] = _variant(stored, url)
        if not url:
            del data["url"], data["display_url"]
        answer = json_reply({"data": data, "success": True, "status": 200})
        assert isinstance(answer.body, bytes)
        return Reply(200, answer.body.replace(b"/", b"\\/"), answer.content_type)

    def _number(self, value: int) -> int | str:
        return str(value) if self.numbers_as_text else value

    def failure(self, fault: Fault) -> Reply:
        """Return a failure; a bad key and the rate limit carry the same code, as they really do."""
        if fault == "bad_key":
            return _error("Invalid API v1 key.", 100)
        if fault == "rate_limit":
            return _error("Rate limit reached.", 100)
        if fault == "success_false":
            return json_reply({"data": {}, "success": False, "status": 200})
        return Reply(self.status, b"<html>error</html>", "text/html", self.retry_headers())

    def _delete(self, request: Request) -> Reply:
        fields, _ = request.form()
        picture_id, secret = fields.get("deleting[id]", ""), fields.get("deleting[hash]", "")
        asked = (fields.get("action"), fields.get("delete"), fields.get("from"), fields.get("pathname"))
        if asked != ("delete", "image", "resource", f"/{picture_id}/{secret}") or not self.remove(picture_id, secret):
            return _error("Invalid content owner", 403)
        done = {"message": "image deleted", "code": 200, "affected": 1}
        return json_reply({"status_code": 200, "success": done, "request": fields, "status_txt": "OK"})


def _variant(stored: Stored, url: str) -> dict[str, Any]:
    name, _, extension = stored.name.partition(".")
    return {"filename": stored.name, "name": name, "mime": stored.mime_type, "extension": extension, "url": url}


def _error(message: str, code: int) -> Reply:
    error = {"message": message, "code": code}
    return json_reply({"status_code": 400, "error": error, "status_txt": "Bad Request"}, 400)
