"""The cloud hosts that come with the application, and how the settings turn into them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ChatBot.config import Settings
from ChatBot.errors import SettingsError
from ChatBot.hosts.base import NO_LIMIT, Allowance, CloudHost
from ChatBot.hosts.bucket import Bucket
from ChatBot.hosts.chain import HostChain
from ChatBot.hosts.guarded import GuardedHost
from ChatBot.hosts.imgbb import ImgbbHost
from ChatBot.hosts.memory import MemoryHost
from ChatBot.hosts.postimages import PostimagesHost
from ChatBot.hosts.s3 import S3Host
from ChatBot.hosts.s3_records import S3Records
from ChatBot.outbound import Gate

__all__ = ["BUILT_IN_HOSTS", "BuiltInHost", "build_chain", "build_hosts", "build_s3_records"]

AllowanceOf = Callable[[str], Allowance]
"""Returns how many uploads the host of that name may be sent."""


@dataclass(frozen=True)
class BuiltInHost:
    """One line of the list: a host, when it is active, and how it is made from the settings."""

    host: type[CloudHost]
    is_active: Callable[[Settings], bool]
    build: Callable[[Settings, Gate], CloudHost]
    parallel_uploads: int
    """What one key bears at a time; found by other clients, published by nobody."""

    @property
    def name(self) -> str:
        """The word that ``CLOUD_HOSTS`` knows it by."""
        return self.host.name


def _build_postimages(settings: Settings, gate: Gate) -> CloudHost:
    return PostimagesHost(api_url=settings.postimages_api_url, api_key=settings.postimages_api_key or "", gate=gate)


def _build_imgbb(settings: Settings, gate: Gate) -> CloudHost:
    return ImgbbHost(
        api_url=settings.imgbb_api_url,
        delete_api_url=settings.imgbb_delete_url,
        api_key=settings.imgbb_api_key or "",
        gate=gate,
    )


S3_SETTINGS = ("s3_bucket", "s3_access_key", "s3_secret_key")
"""What S3 cannot work without; the address and the region have defaults."""


def _s3_is_set(settings: Settings) -> bool:
    missing = [name.upper() for name in S3_SETTINGS if not getattr(settings, name)]
    if missing and len(missing) < len(S3_SETTINGS) and "s3" in settings.cloud_hosts:
        raise SettingsError(f"CLOUD_HOSTS names s3, and its settings are incomplete: set {', '.join(missing)} as well.")
    return not missing


def _build_s3(settings: Settings, gate: Gate) -> CloudHost:
    bucket = _bucket(settings, gate)
    secret = settings.s3_secret_key or ""
    return S3Host(bucket, public_base_url=settings.s3_public_base_url, naming_secret=secret)


def _bucket(settings: Settings, gate: Gate) -> Bucket | None:
    if not (settings.s3_bucket and settings.s3_access_key and settings.s3_secret_key):
        return None
    return Bucket(
        settings.s3_bucket,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
        region=settings.s3_region,
        endpoint_url=settings.s3_endpoint_url,
        gate=gate,
    )


def build_s3_records(settings: Settings, gate: Gate) -> tuple[S3Records, ...]:
    """Return the place of records in the bucket; none when S3 is not active.

    A bucket that everybody may read gets none either: records hold password hashes and delete URLs.
    """
    if "s3" not in settings.cloud_hosts or settings.s3_public_base_url:
        return ()
    bucket = _bucket(settings, gate)
    return (S3Records(bucket),) if bucket else ()


BUILT_IN_HOSTS: tuple[BuiltInHost, ...] = (
    BuiltInHost(PostimagesHost, lambda settings: bool(settings.postimages_api_key), _build_postimages, 2),
    BuiltInHost(ImgbbHost, lambda settings: bool(settings.imgbb_api_key), _build_imgbb, 2),
    BuiltInHost(S3Host, _s3_is_set, _build_s3, 8),
    BuiltInHost(
        MemoryHost, lambda settings: "memory" in settings.cloud_hosts, lambda _settings, _gate: MemoryHost(), 8
    ),
)


def _no_limit(_host: str) -> Allowance:
    return NO_LIMIT


def build_hosts(settings: Settings, gate: Gate, allowance: AllowanceOf = _no_limit) -> tuple[CloudHost, ...]:
    """Return the active hosts in the order of ``CLOUD_HOSTS``, each guarded; one without its key is left out.

    ``allowance`` is what each may be sent. Raises ``SettingsError`` for a name that no host has.
    """
    for name in settings.cloud_uploads_per_hour:
        _find(name, "CLOUD_UPLOADS_PER_HOUR")
    chosen = (_find(name, "CLOUD_HOSTS") for name in dict.fromkeys(settings.cloud_hosts))
    return tuple(_guarded(one, settings, gate, allowance) for one in chosen if one.is_active(settings))


def build_chain(settings: Settings, gate: Gate, allowance: AllowanceOf = _no_limit) -> HostChain:
    """Return the active hosts as one, with the others kept for what they already hold."""
    active = build_hosts(settings, gate, allowance)
    names = {host.name for host in active}
    retired = (_guarded(one, settings, gate, allowance) for one in BUILT_IN_HOSTS if one.name not in names)
    return HostChain(active, retired=retired)


def _guarded(one: BuiltInHost, settings: Settings, gate: Gate, allowance: AllowanceOf) -> CloudHost:
    host = one.build(settings, gate)
    return GuardedHost(host, parallel_uploads=one.parallel_uploads, allowance=allowance(one.name))


def _find(name: str, setting: str) -> BuiltInHost:
    for one in BUILT_IN_HOSTS:
        if one.name == name:
            return one
    known = ", ".join(one.name for one in BUILT_IN_HOSTS)
    raise SettingsError(f"{setting}: there is no host called {name!r}; known are {known}.")
