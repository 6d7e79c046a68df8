"""Where the embedded server listens: a private unix socket, or loopback with a password where there is none."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import socket
import stat
import sys
import tempfile
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from ChatBot.errors import SettingsError
from ChatBot.keyfile import read_or_make

REPLICA_SET = "chatbot"
USERNAME = "chatbot"
MAXIMUM_SOCKET_PATH_BYTES = 100
"""``sun_path`` has 108 bytes on Linux and 104 on macOS, the final zero included."""
SOCKET_NAME = "m.sock"
KEY_FILE_BYTES = 48


class Address(ABC):
    """An endpoint only this account can use. ``member`` is its name inside the replica set's configuration."""

    member: str
    key: str | None = None
    """What the server's own key file holds, where entering needs a password."""
    username: str | None = None
    password: str | None = None

    @property
    @abstractmethod
    def uri(self) -> str:
        """The connection string for everybody; it names the replica set so that a restart is waited for."""

    @abstractmethod
    def prepare(self) -> list[str]:
        """Make what the server needs on disk and return its options."""

    @abstractmethod
    def accepts(self) -> bool:
        """Tell whether a server listens there."""

    @abstractmethod
    def remove(self) -> None:
        """Clear away what a stopped server leaves."""


class SocketAddress(Address):
    """A unix socket in a folder of ours with mode 0700, short whatever the length of ``database_root``."""

    def __init__(self, database_root: Path, *, runtime_root: Path | None = None) -> None:
        digest = hashlib.sha256(os.fsencode(database_root.resolve())).hexdigest()[:16]
        self._folder = (runtime_root or _runtime_root()) / f"chatbot-{os.geteuid()}-{digest}"
        self.member = str(self._folder / SOCKET_NAME)

    @property
    def uri(self) -> str:
        return f"mongodb://{quote(self.member, safe='')}/?replicaSet={REPLICA_SET}"

    def prepare(self) -> list[str]:
        if len(os.fsencode(self.member)) > MAXIMUM_SOCKET_PATH_BYTES:
            raise SettingsError(
                f"{self._folder} is too long for a unix socket; set TMPDIR to a shorter folder, or MONGODB_URI."
            )
        _own_private_folder(self._folder)
        return ["--bind_ip", self.member, "--unixSocketPrefix", str(self._folder)]

    def accepts(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            return probe.connect_ex(self.member) == 0

    def remove(self) -> None:
        for left in self._folder.glob("*.sock"):
            left.unlink(missing_ok=True)
        with suppress(OSError):
            self._folder.rmdir()


class LoopbackAddress(Address):
    """A free port of 127.0.0.1, guarded by a password derived from a key file only this account can read."""

    username = USERNAME

    def __init__(self, database_root: Path) -> None:
        self._key_file = database_root / "mongod.key"
        self._port = _free_port()
        self.member = f"127.0.0.1:{self._port}"
        self.key = read_or_make(self._key_file, _new_key)
        self.password = hmac.new(self.key.encode(), b"password of the application", hashlib.sha256).hexdigest()

    @property
    def uri(self) -> str:
        return f"mongodb://{USERNAME}:{self.password}@{self.member}/?replicaSet={REPLICA_SET}&authSource=admin"

    def prepare(self) -> list[str]:
        unix_only = [] if sys.platform == "win32" else ["--nounixsocket"]
        return ["--bind_ip", "127.0.0.1", "--port", str(self._port), "--keyFile", str(self._key_file), *unix_only]

    def accepts(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def remove(self) -> None:
        """Keep the key: the password inside the database depends on it."""


def choose_address(database_root: Path) -> Address:
    """Return a unix socket's address where the system has them for MongoDB, else loopback."""
    return LoopbackAddress(database_root) if sys.platform == "win32" else SocketAddress(database_root)


def _runtime_root() -> Path:
    # The login's own folder when there is one, else the temp folder: the socket's folder is private in either.
    given = os.environ.get("XDG_RUNTIME_DIR")
    if given and Path(given).is_dir() and os.access(given, os.W_OK):
        return Path(given)
    return Path(tempfile.gettempdir())


def _own_private_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise SettingsError(f"{folder} cannot hold the database's socket: {error.strerror}.") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise SettingsError(
            f"{folder} must be a folder of this account, not a link or somebody else's; "
            "remove it, or set TMPDIR to a folder of your own."
        )
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_FILE_BYTES)).decode()
