"""Records in the bucket, beside the pictures, so that MongoDB can be rebuilt where no disk is left."""

from __future__ import annotations

from collections.abc import Iterator

from ChatBot.hosts.bucket import Bucket
from ChatBot.models import RecordPlace

PREFIX = "records/"


class S3Records:
    """The keys under ``records/`` of a private bucket. Raises ``ProviderError``."""

    place: RecordPlace = "s3"

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def put(self, filename: str, data: bytes) -> None:
        """Keep a record whole, in place of an older one."""
        self._bucket.put(PREFIX + filename, data, content_type="application/json")

    def get(self, filename: str) -> bytes:
        """Return a record; raises ``BytesMissing``."""
        return self._bucket.get(PREFIX + filename)

    def remove(self, filename: str) -> None:
        """Remove a record; it may be gone already."""
        self._bucket.delete(PREFIX + filename)

    def names(self) -> Iterator[str]:
        """Yield the names of everything under the prefix."""
        return (key.removeprefix(PREFIX) for key in self._bucket.keys(PREFIX))
