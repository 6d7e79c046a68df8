"""A stand-in for PostImages: the upload form with its XML answer, the removal page and the removal call."""

from __future__ import annotations

from base64 import b64decode
from xml.sax.saxutils import escape

from tests.standins.picture_host import Fault, PictureHost, Stored
from tests.standins.server import Reply, Request, json_reply

XML = "application/xml; charset=utf-8"
REQUIRED_FIELDS = ("key", "o", "m", "version", "name", "type", "image")
MIME_TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp"}


class Postimages(PictureHost):
    """``POST /1/upload``, pictures under ``/postimages/i/``, ``GET /delete/<id>/<hash>``, ``DELETE /json``."""

    name = "postimages"
    upload_path = "/1/upload"
    removal_hash_bytes = 4

    @property
    def api_url(self) -> str:
        """The value for ``POSTIMAGES_API_URL``."""
        return self.base_url + self.upload_path

    def handle(self, request: Request) -> Reply | None:
        """Answer what belongs to PostImages."""
        if (request.method, request.path) == ("POST", self.upload_path):
            return self._upload(request)
        if request.path.startswith("/postimages/i/"):
            return self.serve_picture(request)
        if request.path.startswith("/delete/"):
            return self._removal_page(request)
        if (request.method, request.path) == ("DELETE", "/json"):
            return self._removal_call(request)
        return None

    def _upload(self, request: Request) -> Reply:
        fields, _ = request.form()
        if any(not fields.get(name) for name in REQUIRED_FIELDS):
            return Reply(200, b"", "text/html")  # the real one answers an empty page when something is missing
        data = b64decode(fields.pop("image"), validate=True)
        filename = f"{fields['name'].replace('_', '-')}.{fields['type']}"
        return self.accept(data, MIME_TYPES.get(fields["type"], "image/png"), filename, fields)

    def success(self, stored: Stored, returned_url: str | None = None) -> Reply:
        """Return the XML of a success."""
        hotlink = self.base_url + self.picture_path(stored) if returned_url is None else returned_url
        shown = f"    <hotlink>{escape(hotlink)}</hotlink>\n" if hotlink else ""
        text = (
            '<?xml version="1.0" encoding="utf-8"?>\n<data success="1" status="200">\n  <links>\n'
            f"    <page>{self.base_url}/{stored.picture_id}</page>\n{shown}"
            f"    <thumbnail>{self.base_url}/th/{stored.picture_id}.png</thumbnail>\n"
            f"    <delete>{self.base_url}/delete/{stored.removal_id}/{stored.removal_hash}</delete>\n"
            "  </links>\n</data>\n"
        )
        return Reply(200, text.encode(), XML)

    def failure(self, fault: Fault) -> Reply:
        """Return a failure: by status, or as XML that says so with status 200."""
        if fault in ("status", "rate_limit"):
            status = 429 if fault == "rate_limit" else self.status
            return Reply(status, b"<html>error</html>", "text/html", self.retry_headers())
        words = "bad key" if fault == "bad_key" else "upload failed"
        return Reply(200, f"<?xml version='1.0'?>\n<data success='0'><error>{words}</error></data>".encode(), XML)

    def _removal_page(self, request: Request) -> Reply:
        _, _, removal_id, removal_hash = request.path.split("/", 3)
        keys = [(one.removal_id, one.removal_hash) for one in self.live]
        if (removal_id, removal_hash) not in keys:
            return Reply(404, b"<html>not found</html>", "text/html")
        markup = f'<html><a class="btn" data-remove="{removal_id}" data-hash="{removal_hash}">Delete</a></html>'
        return Reply(200, markup.encode(), "text/html; charset=utf-8")

    def _removal_call(self, request: Request) -> Reply:
        fields, _ = request.form()
        if self.remove(fields.get("image", ""), fields.get("hash", "")):
            return json_reply({"status": "OK"})
        return json_reply({"error": {"message": "Image not found"}}, 404)
