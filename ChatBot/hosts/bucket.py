"""One bucket of an S3-compatible service: whole objects in and out, within a deadline that holds."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ChatBot.errors import BytesMissing, ProviderError, ProviderRefused, ProviderUnavailable, SettingsError
from ChatBot.models import now
from ChatBot.outbound import Gate, malformed, raise_for_status

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PROVIDER = "s3"

DEADLINE_SECONDS = 45.0
"""Total deadline of one call: 25 MB at 5 Mbit/s take 40 s."""

OBJECT_BYTES = 5_000_000_000
"""The most that one PUT may carry is 5 GB (Amazon's limit, which the others keep to)."""

REPLY_BYTES = 4 * 1024 * 1024
"""Cap on every other reply; a list of 1,000 keys of the greatest length has about 1.5 MB."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")

_ACCOUNT_ERRORS = {
    "NoSuchBucket": "there is no bucket of the name in S3_BUCKET",
    "AccessDenied": "the key may not do that in this bucket (it needs to put, get, delete and list)",
    "InvalidAccessKeyId": "the service does not know the key in S3_ACCESS_KEY",
    "SignatureDoesNotMatch": "S3_SECRET_KEY does not belong to S3_ACCESS_KEY",
    "AuthorizationHeaderMalformed": "S3_REGION is not the region of the bucket",
}
"""Errors that only the operator can mend, and what they mean."""

_CLOCK_ERROR = "RequestTimeTooSkewed"


class Bucket:
    """A bucket and the account to use it with.

    Every call raises ``ProviderRefused``, ``ProviderUnavailable`` or ``BytesMissing`` in the name of ``s3``, and
    is tried once: who calls has a better idea of when to try again. ``endpoint_url`` None is Amazon's own.
    Raises ``SettingsError`` for values that cannot be right.
    """

    def __init__(
        self,
        name: str,
        *,
        access_key: str,
        secret_key: str,
        region: str,
        endpoint_url: str | None,
        gate: Gate,
        deadline_seconds: float = DEADLINE_SECONDS,
        object_bytes: int = OBJECT_BYTES,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise SettingsError(f"S3_BUCKET: {name!r} cannot be the name of a bucket.")
        self.name = name
        self.object_bytes = object_bytes
        if endpoint_url:
            gate = gate.trusting(endpoint_url)
        self._client = _client(access_key, secret_key, region, endpoint_url, by_path=bool(endpoint_url) or "." in name)
        if not endpoint_url:
            host = self._client.meta.endpoint_url.removeprefix("https://")
            gate = gate.trusting(f"https://{host}").trusting(f"https://{name}.{host}")
        transport = _Transport(gate, deadline_seconds, object_bytes)
        answered: Any = transport.send  # its answer counts, which the type of the event does not know
        self._client.meta.events.register("before-send.s3", answered)
        self._within_deadline = transport.within_deadline

    def put(self, key: str, data: bytes, *, content_type: str, cache_control: str | None = None) -> None:
        """Write an object whole, over whatever was there; the service checks the bytes by their SHA-256."""
        options: dict[str, Any] = {"CacheControl": cache_control} if cache_control else {}
        with self._translated():
            answer = self._client.put_object(Bucket=self.name, Key=key, Body=data, ContentType=content_type, **options)
        if not answer.get("ETag"):
            raise malformed("not as S3 does (no ETag)", provider=PROVIDER)

    def get(self, key: str) -> bytes:
        """Return an object's bytes; raises ``BytesMissing`` when there is none."""
        with self._translated(reads_one=True):
            return self._client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def exists(self, key: str) -> bool:
        """Say whether there is an object, without fetching it."""
        try:
            with self._translated(reads_one=True):
                self._client.head_object(Bucket=self.name, Key=key)
        except BytesMissing:
            return False
        return True

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there counts as removed."""
        with suppress(BytesMissing), self._translated(reads_one=True):
            self._client.delete_object(Bucket=self.name, Key=key)

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with ``prefix``, in the service's order; each 1,000 are one call."""
        return (key for key, _ in self.objects(prefix))

    def objects(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Do so with the time at which each was written; now, if the service does not say."""
        after = ""
        while True:
            with self._translated():
                page = self._client.list_objects_v2(Bucket=self.name, Prefix=prefix, StartAfter=after)
            found = [(entry["Key"], entry.get("LastModified") or now()) for entry in page.get("Contents", [])]
            yield from found
            if not page.get("IsTruncated") or not found:
                return
            after = found[-1][0]

    def signed_url(self, key: str, *, seconds: int) -> str:
        """Return a URL that shows the object to whoever has it, for so many seconds; asks nobody."""
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self.name, "Key": key}, ExpiresIn=seconds
        )

    @contextmanager
    def _translated(self, *, reads_one: bool = False) -> Iterator[None]:
        try:
            with self._within_deadline():
                yield
        except ClientError as error:
            raise _verdict(error, reads_one=reads_one) from error
        except (BotoCoreError, ValueError) as error:
            raise malformed(f"not as S3 does ({type(error).__name__})", provider=PROVIDER) from error


class _Transport:
    """Sends what boto3 has signed through the gate.

    boto3's own timeouts bound the pause between two bytes; the gate ends a whole call at a fixed moment, caps what
    is read and follows no redirect. It answers boto3's ``before-send`` event, which takes the place of its sending.
    """

    def __init__(self, gate: Gate, deadline_seconds: float, object_bytes: int) -> None:
        self._gate = gate
        self._deadline_seconds = deadline_seconds
        self._object_bytes = object_bytes
        self._call = threading.local()

    @contextmanager
    def within_deadline(self) -> Iterator[None]:
        """Bound everything this thread sends in the body: boto3 may ask for the region and send again."""
        self._call.end = time.monotonic() + self._deadline_seconds
        yield

    def send(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        """Return the answer to a signed request (called by boto3)."""
        reads = event_name.endswith(".GetObject")
        reply = self._gate.send(
            request.method,
            request.url,
            provider=PROVIDER,
            max_bytes=self._object_bytes if reads else REPLY_BYTES,
            deadline_seconds=max(self._call.end - time.monotonic(), 0.0),
            body=_body(request),
            headers=_sendable(request.headers),
            allowed_hosts=(),
        )
        headers = HTTPHeaders.from_dict(dict(reply.headers))
        return AWSResponse(request.url, reply.status, headers, _Body(reply.body))


class _Body(BytesIO):
    """A body that was read already, as boto3 wants to read it."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        """Yield the bytes."""
        yield self.read()


def _body(request: AWSPreparedRequest) -> bytes | None:
    """Return the body of a request whole; boto3 wraps bytes into a file."""
    body: Any = request.body
    data: bytes | None = body.read() if hasattr(body, "read") else body
    return data


def _sendable(headers: Any) -> dict[str, str]:
    """Return the headers as text, without ``Expect``: the gate sends the body at once."""
    texts = {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in headers.items()}
    return {name: value for name, value in texts.items() if name.lower() != "expect"}


@cache
def _session() -> boto3.session.Session:
    """Return a session that takes nothing from the environment or from a home folder.

    There is one, because reading the description of S3 takes 150 ms. It holds no keys.
    """
    nothing = (None, None, None, None)
    nowhere = (None, None, os.devnull, None)
    sources = {"profile": nothing, "config_file": nowhere, "credentials_file": nowhere}
    no_configured_addresses = {"ignore_configured_endpoint_urls": (None, None, True, None)}
    isolated = botocore.session.Session(session_vars={**sources, **no_configured_addresses})
    return boto3.session.Session(botocore_session=isolated)


def _client(access_key: str, secret_key: str, region: str, endpoint_url: str | None, *, by_path: bool) -> S3Client:
    """Return a client.

    ``by_path`` puts the bucket's name into the path: many services know no other form, and Amazon's certificate
    does not cover a name with dots in it.
    """
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if by_path else "virtual"},
        # Checksums beyond the signed SHA-256 are refused by many services that are not Amazon's.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    try:
        return _session().client(
            "s3",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            region_name=region,
            endpoint_url=endpoint_url,
            config=config,
        )
    except (BotoCoreError, ValueError) as error:
        raise SettingsError(f"S3_REGION or S3_ENDPOINT_URL is not usable: {error}") from error


def _verdict(error: ClientError, *, reads_one: bool) -> ProviderError | BytesMissing:
    """Return what an error answer means for the caller; ``reads_one``: it was about an object that may be absent."""
    code = error.response.get("Error", {}).get("Code", "")
    metadata = error.response.get("ResponseMetadata", {})
    status, headers = metadata.get("HTTPStatusCode", 0), metadata.get("HTTPHeaders", {})
    if code in _ACCOUNT_ERRORS:
        return ProviderRefused(f"s3: {_ACCOUNT_ERRORS[code]}", provider=PROVIDER, reason="auth")
    if code == _CLOCK_ERROR:
        return ProviderUnavailable("s3: this machine's clock is wrong", provider=PROVIDER)
    if reads_one and status in (404, 410):
        return BytesMissing("s3 no longer has the object")
    try:
        raise_for_status(status, headers, provider=PROVIDER, detail=code)
    except ProviderError as verdict:
        return verdict
    return malformed(f"with an error inside a success ({code})", provider=PROVIDER)
