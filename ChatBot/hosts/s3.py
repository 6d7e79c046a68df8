"""S3-compatible storage: the durable choice. Keys are stored, addresses for people are made when they are asked for."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator

from ChatBot.errors import ProviderError, ProviderRefused, SettingsError
from ChatBot.hosts.base import CloudHost, DeletionProof, HostTraits, Listed, Receipt, Upload
from ChatBot.hosts.bucket import OBJECT_BYTES, Bucket
from ChatBot.outbound import origin_of

LINK_SECONDS = 15 * 60
"""How long a link to a private picture works; long enough to open it, useless in yesterday's log."""

PUBLIC_CACHE_CONTROL = "public, max-age=3600"
"""For public buckets: a deleted picture is gone from browsers and content networks after an hour."""

_REFERENCE = re.compile(r"s3://(?P<bucket>[^/]+)/(?P<key>pictures/[0-9a-f]{32,64}\.[a-z0-9]{1,5})")


class S3Host(CloudHost):
    """Pictures in one bucket, under ``pictures/``.

    A copy's URL is ``s3://<bucket>/<key>``, which leads nowhere by itself. Sending a picture twice writes the same
    bytes to the same key. Without ``bucket`` (no keys are set) every verb is refused.

    ``public_base_url`` says that everybody may read the bucket, there. Then the keys are derived from the picture's
    id with ``naming_secret``: whoever saw a picture through a share link knows its id, and must not find it in the
    bucket once the link is revoked.
    """

    name = "s3"

    def __init__(self, bucket: Bucket | None, *, public_base_url: str | None = None, naming_secret: str = "") -> None:
        self._bucket = bucket
        self._base_url = public_base_url.rstrip("/") if public_base_url else None
        self._naming_secret = naming_secret.encode()
        self.traits = HostTraits(
            max_bytes=bucket.object_bytes if bucket else OBJECT_BYTES,
            public=self._base_url is not None,
            deletable=True,
            may_recompress=False,
            trusted=True,
            picture_origins=(_origin(self._base_url),) if self._base_url else (),
        )

    def _upload(self, upload: Upload) -> Receipt:
        bucket = self._usable()
        if len(upload.data) > self.traits.max_bytes:
            text = f"s3 takes at most {self.traits.max_bytes} bytes"
            raise ProviderRefused(text, provider=self.name, reason="too_large")
        key = self._key_of(upload.image_id, upload.extension)
        caching = PUBLIC_CACHE_CONTROL if self.traits.public else None
        bucket.put(key, upload.data, content_type=upload.mime_type, cache_control=caching)
        return Receipt(host=self.name, url=f"s3://{bucket.name}/{key}")

    def _fetch(self, url: str) -> bytes:
        return self._usable().get(self._key(url))

    def _delete(self, receipt: Receipt) -> DeletionProof:
        bucket, key = self._usable(), self._key(receipt.url)
        bucket.delete(key)
        try:
            return "pending" if bucket.exists(key) else "confirmed"
        except ProviderError:
            return "pending"  # it took the deletion and does not say what is there now

    def _owns(self, url: str) -> bool:
        match = _REFERENCE.fullmatch(url)
        return match is not None and self._bucket is not None and match["bucket"] == self._bucket.name

    def _link(self, url: str) -> str | None:
        if self._bucket is None or not self._owns(url):
            return None
        key = self._key(url)
        return f"{self._base_url}/{key}" if self._base_url else self._bucket.signed_url(key, seconds=LINK_SECONDS)

    def _listing(self) -> Iterator[Listed] | None:
        bucket = self._bucket
        if bucket is None:
            return None
        named = ((f"s3://{bucket.name}/{key}", moment) for key, moment in bucket.objects("pictures/"))
        return (Listed(url, moment) for url, moment in named if _REFERENCE.fullmatch(url))

    def _reference_of(self, image_id: str, extension: str) -> str | None:
        return f"s3://{self._bucket.name}/{self._key_of(image_id, extension)}" if self._bucket else None

    def _key_of(self, image_id: str, extension: str) -> str:
        return f"pictures/{self._name_of(image_id)}.{extension}"

    def _name_of(self, image_id: str) -> str:
        if not self.traits.public:
            return image_id
        return hmac.new(self._naming_secret, image_id.encode(), hashlib.sha256).hexdigest()

    def _key(self, url: str) -> str:
        """Return the key behind a reference of this bucket; no other object can be reached through one."""
        match = _REFERENCE.fullmatch(url)
        if match is None or not self._owns(url):
            raise ProviderRefused("s3: the reference is not of this bucket", provider=self.name, reason="input")
        return match["key"]

    def _usable(self) -> Bucket:
        if self._bucket is None:
            raise ProviderRefused("s3 has no bucket and keys set", provider=self.name, reason="auth")
        return self._bucket


def _origin(url: str) -> str:
    try:
        return origin_of(url)
    except ValueError as error:
        raise SettingsError(f"S3_PUBLIC_BASE_URL is not usable: {error}.") from error
