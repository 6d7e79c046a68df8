"""Every setting, its default and its check; the only module that reads the environment."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Generic, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ChatBot.errors import SettingsError
from ChatBot.keyfile import read_or_make

PACKAGE_ROOT = Path(__file__).resolve().parent
PROJECT_ROOT = PACKAGE_ROOT.parent

POSTIMAGES_UPLOAD_URL = "https://api.postimage.org/1/upload"
IMGBB_UPLOAD_URL = "https://api.imgbb.com/1/upload"
IMGBB_DELETE_URL = "https://ibb.co/json"
MINIMUM_SECRET_CHARACTERS = 32

DEFAULT_RATES = (
    "login=30/minute",
    "generation=300/minute",
    "upload=600/minute",
    "download=6000/minute",
    "share=300/minute",
)
"""A hundred pictures asked for at once, a gallery of 60 thumbnails and a class behind one address stay well below."""

_RATE = re.compile(r"(?P<budget>[a-z]+)=(?P<rate>off|[1-9][0-9]{0,8}/(second|minute|hour|day))")

CommaSeparated = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """All settings, frozen. Field names are the environment variables' names in lower case."""

    model_config = SettingsConfigDict(
        env_file=PROJECT_ROOT / ".env", env_file_encoding="utf-8", extra="ignore", frozen=True, env_ignore_empty=True
    )

    secret_key: str | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 5000
    server_threads: Annotated[int, Field(ge=8, le=1024)] = 256
    public_base_url: str | None = None
    secure_cookies: bool = False
    accel_redirect_prefix: Annotated[str, Field(pattern=r"^/([A-Za-z0-9_-]+/)+$")] | None = None

    mongodb_uri: str | None = None
    mongodb_db: str = "chatbot"
    mongod_path: str | None = None
    storage_root: Path = PACKAGE_ROOT / "Storage"

    cloud_hosts: CommaSeparated = ("postimages", "imgbb")
    cloud_wait_seconds: Annotated[float, Field(ge=0, le=60)] = 3.0
    cloud_uploads_per_hour: Annotated[dict[str, Annotated[int, Field(ge=1)]], NoDecode] = {}
    postimages_api_key: str | None = None
    postimages_api_url: str = POSTIMAGES_UPLOAD_URL
    imgbb_api_key: str | None = None
    imgbb_api_url: str = IMGBB_UPLOAD_URL
    imgbb_delete_url: str = IMGBB_DELETE_URL
    s3_endpoint_url: str | None = None
    s3_bucket: str | None = None
    s3_access_key: str | None = None
    s3_secret_key: str | None = None
    s3_region: str = "us-east-1"
    s3_public_base_url: str | None = None
    fetch_allow_private_hosts: CommaSeparated = ()

    image_generator: str = "demo"
    sd_webui_url: str | None = None
    generation_threads: Annotated[int, Field(ge=1, le=64)] = 4

    openai_base_url: str | None = None
    openai_api_key: str | None = None
    chat_model: str | None = None

    image_max_kb: Annotated[int, Field(ge=0)] = 500
    max_upload_mb: Annotated[int, Field(ge=1)] = 50
    image_max_pixels: Annotated[int, Field(ge=1)] = 40_000_000
    image_max_frames: Annotated[int, Field(ge=1)] = 1000
    image_max_age_days: Annotated[int, Field(ge=1)] = 30
    trash_days: Annotated[int, Field(ge=0)] = 30
    copy_check_days: Annotated[int, Field(ge=0)] = 30
    image_per_user_limit: Annotated[int, Field(ge=0)] = 0
    user_quota_mb: Annotated[int, Field(ge=0)] = 0
    local_max_mb: Annotated[int, Field(ge=0)] = 0
    allow_registration: bool = True

    redis_url: Annotated[str, Field(pattern=r"^rediss?://.+")] | None = None
    worker_threads: Annotated[int, Field(ge=0, le=64)] = 2
    trusted_proxies: CommaSeparated = ()
    rate_limits: CommaSeparated = DEFAULT_RATES
    audit_days: Annotated[int, Field(ge=1)] = 180

    @field_validator("cloud_hosts", "fetch_allow_private_hosts", "trusted_proxies", "rate_limits", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("cloud_uploads_per_hour", mode="before")
    @classmethod
    def _split_pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        if not all(sign and name.strip() for name, sign, _ in pairs):
            raise ValueError("must be host=number, separated by commas, as in imgbb=60,postimages=100")
        return {name.strip(): number.strip() for name, _, number in pairs}

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: str | None) -> str | None:
        if value is not None and len(value) < MINIMUM_SECRET_CHARACTERS:
            raise ValueError(
                f"must have at least {MINIMUM_SECRET_CHARACTERS} characters; make one with "
                "`python3 -c 'import secrets; print(secrets.token_urlsafe(48))'`"
            )
        return value

    @field_validator("worker_threads")
    @classmethod
    def _somebody_works(cls, value: int, others: ValidationInfo) -> int:
        if value == 0 and not others.data.get("redis_url"):
            raise ValueError(
                "may be 0 only with REDIS_URL, over which `python -m ChatBot worker` processes do the work"
            )
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                ipaddress.ip_network(text)
            except ValueError as error:
                raise ValueError(f"“{text}” is neither an address nor a network such as 10.0.0.0/8") from error
        return value

    @field_validator("rate_limits")
    @classmethod
    def _known_rates(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = {rate.partition("=")[0] for rate in DEFAULT_RATES}
        for text in value:
            matched = _RATE.fullmatch(text)
            if matched is None or matched["budget"] not in known:
                raise ValueError(f"“{text}” is not like login=30/minute or login=off ({', '.join(sorted(known))})")
        return value

    @property
    def rates(self) -> dict[str, str]:
        """The rate of every budget (``30/minute``, or ``off``); one that the setting leaves out keeps its default."""
        return dict(rate.split("=") for rate in (*DEFAULT_RATES, *self.rate_limits))

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never appear in a log: keys, and the passwords inside of addresses, as written and decoded."""
        keys = (
            *(self.secret_key, self.postimages_api_key, self.imgbb_api_key),
            *(self.s3_access_key, self.s3_secret_key, self.openai_api_key),
        )
        named = (getattr(self, name) for name in type(self).model_fields if name.endswith(("_url", "_uri")))
        passwords = [urlsplit(address).password or "" for address in named if address]
        return tuple(dict.fromkeys(each for each in (*keys, *passwords, *map(unquote, passwords)) if each))

    @property
    def database_root(self) -> Path:
        """Folder of the embedded database: beside Storage, never inside it."""
        return self.storage_root.with_name(self.storage_root.name + "-db")

    @property
    def image_max_bytes(self) -> int:
        """Target size of a stored picture in bytes; 0 keeps every picture lossless."""
        return self.image_max_kb * 1000

    @property
    def max_upload_bytes(self) -> int:
        """Largest accepted request body in bytes."""
        return self.max_upload_mb * 1_000_000


Part = TypeVar("Part")


@dataclass(frozen=True)
class BuiltIn(Generic[Part]):
    """One implementation on offer: its name, the settings that all must be set, and what builds it from them."""

    name: str
    needs: tuple[str, ...]
    build: Callable[[Settings], Part]

    def is_configured(self, settings: Settings) -> bool:
        """Say whether every setting it needs has a value."""
        return all(getattr(settings, name) for name in self.needs)


def load_settings() -> Settings:
    """Read the environment and ``.env``, or the file that the variable ENV_FILE names instead (empty: none).

    Raises:
        SettingsError: a value is wrong; the text names the variable and what it must be.
    """
    try:
        return Settings(_env_file=os.environ.get("ENV_FILE", PROJECT_ROOT / ".env") or None)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in error.errors())
        raise SettingsError("Check the environment or .env:\n  " + "\n  ".join(problems)) from error


def secret_key_of(settings: Settings) -> str:
    """Return the configured key, or with the embedded database one that was made for this installation.

    A server that shares its database with others must be told the key, for all of them need the same one: without it
    this raises ``SettingsError``.
    """
    if settings.secret_key:
        return settings.secret_key
    if settings.mongodb_uri:
        raise SettingsError(
            "SECRET_KEY is not set: put one into .env, the same for every process that uses this database; "
            "make it with `python3 -c 'import secrets; print(secrets.token_urlsafe(48))'`."
        )
    return read_or_make(settings.database_root / "secret_key", lambda: secrets.token_urlsafe(48))
