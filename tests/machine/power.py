"""A disk that forgets at a power cut what was not synced: bytes without fsync, names without one of their folder."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from ChatBot.media.files import Syscalls


class ForgetfulDisk:
    """System calls that do their work and remember what would not survive a power cut."""

    def __init__(self) -> None:
        self._paths: dict[int, Path] = {}
        self._unsynced: set[Path] = set()
        """Files whose bytes are only in the cache."""
        self._unnamed: set[Path] = set()
        """Names that their folder's own bytes do not have yet."""
        self._lock = threading.Lock()

    @property
    def calls(self) -> Syscalls:
        """What a file store is to use."""
        return Syscalls(open=self._open, fsync=self._fsync, replace=self._replace)

    def cut(self) -> None:
        """Forget what was not synced, as a power cut may; the processes must be gone."""
        with self._lock:
            for path in self._unnamed:
                path.unlink(missing_ok=True)
            for path in self._unsynced - self._unnamed:
                if path.is_file() and not path.is_symlink():
                    path.write_bytes(b"")
            self._paths, self._unsynced, self._unnamed = {}, set(), set()

    def _open(self, path: Path, flags: int, mode: int) -> int:
        descriptor = os.open(path, flags, mode)
        with self._lock:
            self._paths[descriptor] = path
            if flags & os.O_CREAT:
                self._unsynced.add(path)
                self._unnamed.add(path)
        return descriptor

    def _fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)
        with self._lock:
            path = self._paths[descriptor]
            self._unsynced.discard(path)
            if path.is_dir():
                self._unnamed = {each for each in self._unnamed if each.parent != path}

    def _replace(self, source: Path, target: Path) -> None:
        with self._lock:
            existed = target.exists() and target not in self._unnamed
            source.replace(target)
            self._unnamed.discard(source)
            if source in self._unsynced:
                self._unsynced.discard(source)
                self._unsynced.add(target)
            if not existed:
                self._unnamed.add(target)
