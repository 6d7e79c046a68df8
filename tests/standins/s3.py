"""A stand-in for S3-compatible storage that misbehaves: objects in memory, any signature is taken."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal
from xml.sax.saxutils import escape

from tests.standins.picture_host import DELIVERIES, HTML, OTHER_PICTURE
from tests.standins.server import Reply, Request, Service

Fault = Literal[
    "ok",
    "status",
    "error",
    "reset",
    "hang",
    "drip",
    "drip_headers",
    "cut",
    "lost_reply",
    "html",
    "redirect",
    "other_picture",
    "broken_xml",
    "nonsense_headers",
]
"""What goes wrong; ``lost_reply`` resets the line after the work was done, ``error`` sends the S3 error ``code``."""

ERROR_STATUSES: Mapping[str, int] = MappingProxyType(
    {
        "NoSuchBucket": 404,
        "NoSuchKey": 404,
        "AccessDenied": 403,
        "InvalidAccessKeyId": 403,
        "SignatureDoesNotMatch": 403,
        "RequestTimeTooSkewed": 403,
        "AuthorizationHeaderMalformed": 400,
        "EntityTooLarge": 400,
        "SlowDown": 503,
        "InternalError": 500,
    }
)
"""Status that each error code comes with, from the service's list of error responses."""

LIST_LIMIT = 1000


@dataclass(frozen=True)
class Object:
    """What is stored under one key."""

    data: bytes
    content_type: str
    cache_control: str


class S3(Service):
    """Path-style S3 under ``/s3/<bucket>/<key>``: PUT, GET, HEAD, DELETE and the list of keys.

    ``fault`` applies to the methods in ``faulty_methods`` (all, when it is empty). ``deletion_ignored`` answers a
    deletion with success and keeps the object.
    """

    name = "s3"
    bucket = "pictures"

    def __init__(self) -> None:
        self.fault: Fault = "ok"
        self.faulty_methods: list[str] = []
        self.status = 503
        """Status of the fault ``status``."""
        self.code = "InternalError"
        """Error code of the fault ``error``."""
        self.retry_after = ""
        self.redirect_to = "http://127.0.0.1:9/"
        self.deletion_ignored = False
        self.page_size = LIST_LIMIT
        """Keys in one answer to a list; fewer than the real 1,000 make several pages quickly."""
        self.objects: dict[str, Object] = {}
        self._lock = threading.Lock()

    @property
    def environment(self) -> dict[str, str]:
        """The settings that make the application use this stand-in; add ``s3`` to CLOUD_HOSTS."""
        return {
            "S3_ENDPOINT_URL": f"{self.base_url}/s3",
            "S3_BUCKET": self.bucket,
            "S3_ACCESS_KEY": "stand-in",
            "S3_SECRET_KEY": "stand-in-secret",
        }

    def state(self) -> dict[str, Any]:
        """Return the settings and the keys; never the bytes."""
        shown = ("fault", "faulty_methods", "status", "code", "deletion_ignored")
        return {"name": self.name, **{name: getattr(self, name) for name in shown}, "keys": sorted(self.objects)}

    def handle(self, request: Request) -> Reply | None:
        """Answer what belongs to the storage."""
        root, _, key = request.path.removeprefix("/").partition(f"{self.bucket}/")
        if request.path.rstrip("/") == f"/s3/{self.bucket}":
            root, key = "s3/", ""
        if root != "s3/":
            return None
        faulty = self.fault != "ok" and (not self.faulty_methods or request.method in self.faulty_methods)
        return self._misbehave(request, key) if faulty else self._work(request, key)

    def _work(self, request: Request, key: str) -> Reply:
        if not key:
            return self._list(request)
        if request.method == "PUT":
            return self._put(request, key)
        if request.method == "DELETE":
            with self._lock:
                if not self.deletion_ignored:
                    self.objects.pop(key, None)
            return Reply(204)
        stored = self.objects.get(key)
        if stored is None:
            return self._error("NoSuchKey")
        return Reply(200, stored.data, stored.content_type, {"ETag": _etag(stored.data)})

    def _put(self, request: Request, key: str) -> Reply:
        kind, caching = request.headers.get("content-type", ""), request.headers.get("cache-control", "")
        with self._lock:
            self.objects[key] = Object(request.body, kind, caching)
        return Reply(200, headers={"ETag": _etag(request.body)})

    def _list(self, request: Request) -> Reply:
        prefix, after = request.query.get("prefix", ""), request.query.get("start-after", "")
        keys = [key for key in sorted(self.objects) if key.startswith(prefix) and key > after]
        contents = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in keys[: self.page_size])
        more = "true" if len(keys) > self.page_size else "false"
        body = f"<ListBucketResult><IsTruncated>{more}</IsTruncated>{contents}</ListBucketResult>"
        return Reply(200, body.encode(), "application/xml")

    def _misbehave(self, request: Request, key: str) -> Reply:
        if self.fault in DELIVERIES:
            return self._work(request, key).delivered(DELIVERIES[self.fault])
        if self.fault == "error":
            return self._error(self.code)
        return {
            "status": Reply(self.status, b"", headers=self._retry_headers()),
            "html": HTML,
            "redirect": Reply(307, headers={"Location": self.redirect_to}),
            "other_picture": Reply(200, OTHER_PICTURE, "image/png", {"ETag": _etag(OTHER_PICTURE)}),
            "broken_xml": Reply(500, b"<?xml version='1.0'?><Error><Code>Inter", "application/xml"),
            "nonsense_headers": Reply(200, b"x", "image/png", {"ETag": '"x"', "Last-Modified": "not a time"}),
        }[self.fault]

    def _error(self, code: str) -> Reply:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>said by the stand-in</Message></Error>"
        return Reply(ERROR_STATUSES[code], body.encode(), "application/xml", self._retry_headers())

    def _retry_headers(self) -> dict[str, str]:
        return {"Retry-After": self.retry_after} if self.retry_after else {}


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
