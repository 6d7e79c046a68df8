"""Clients that draw, hand in and delete pictures, and remember exactly what was acknowledged to them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from ChatBot.models import new_id
from tests.fixtures.application import PASSWORD
from tests.media.samples import noise, saved

CLIENTS = 4
CALL_SECONDS = 20.0
PAUSE_SECONDS = 0.05
DELETED_SHARE = 0.15
UPLOADED_SHARE = 0.3


@dataclass
class Promises:
    """What the server acknowledged: hashes by picture id, ids by idempotency key, and what was deleted."""

    hashes: dict[str, str] = field(default_factory=dict)
    by_key: dict[str, set[str]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    """Pictures whose deletion was asked for and not answered: either outcome is right."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def made(self, image: dict[str, Any], key: str | None = None) -> None:
        """Note an acknowledged picture."""
        with self.lock:
            self.hashes[image["id"]] = image["sha256"]
            if key is not None:
                self.by_key.setdefault(key, set()).add(image["id"])

    def some_id(self, chooser: random.Random) -> str | None:
        """Return a picture that nobody has asked to delete yet, and note that somebody does now."""
        with self.lock:
            free = sorted(self.hashes.keys() - self.deleted - self.unsure)
            if not free:
                return None
            chosen = chooser.choice(free)
            self.unsure.add(chosen)
            return chosen

    def gone(self, image_id: str) -> None:
        """Note an acknowledged deletion."""
        with self.lock:
            self.unsure.discard(image_id)
            self.deleted.add(image_id)


class Client(threading.Thread):
    """One person who keeps asking; an unanswered request for a picture is repeated with the same key."""

    def __init__(self, base_url: str, token: str, promises: Promises, seed: int) -> None:
        super().__init__(name=f"client-{seed}", daemon=True)
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._promises = promises
        self._random = random.Random(seed)
        self._ended = threading.Event()

    def stop(self) -> None:
        """Finish the request at hand and end."""
        self._ended.set()

    def run(self) -> None:
        while not self._ended.wait(PAUSE_SECONDS):
            chance = self._random.random()
            if chance < DELETED_SHARE:
                self._delete()
            elif chance < DELETED_SHARE + UPLOADED_SHARE:
                self._upload()
            else:
                self._draw()

    def _draw(self) -> None:
        key = new_id()
        body = {"prompt": f"a fox {key[:6]}", "width": 128, "height": 128, "seed": self._random.randrange(2**32)}
        while not self._ended.is_set():
            answer = self._call("POST", "/api/generate-image", json=body, headers={"Idempotency-Key": key})
            if answer is None:
                time.sleep(PAUSE_SECONDS * 4)
                continue
            if answer.status_code == 201:
                for image in answer.json()["images"]:
                    self._promises.made(image, key)
            return

    def _upload(self) -> None:
        picture = saved(noise((64, 64), seed=self._random.randrange(2**31)), "PNG")
        answer = self._call("POST", "/api/uploads", files={"file": ("x.png", picture, "image/png")})
        if answer is not None and answer.status_code == 201:
            self._promises.made(answer.json())

    def _delete(self) -> None:
        image_id = self._promises.some_id(self._random)
        if image_id is None:
            return
        answer = self._call("DELETE", f"/api/images/{image_id}")
        if answer is not None and answer.status_code == 200:
            self._promises.gone(image_id)

    def _call(self, method: str, path: str, **options: Any) -> requests.Response | None:
        """Return the answer, or None when there was none or the server could not do its work just then."""
        headers = {**self._headers, **options.pop("headers", {})}
        try:
            answer = requests.request(method, self._base_url + path, headers=headers, timeout=CALL_SECONDS, **options)
        except requests.RequestException:
            return None
        return None if answer.status_code >= 500 else answer


@contextmanager
def load(base_url: str, token: str, promises: Promises, seed: int) -> Iterator[None]:
    """Keep the server busy inside; afterwards every request was answered or given up."""
    clients = [Client(base_url, token, promises, seed * 1000 + number) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield
    finally:
        for client in clients:
            client.stop()
        for client in clients:
            client.join()


def open_account(base_url: str) -> str:
    """Register the first account and return an API token of it."""
    session = requests.Session()
    made = session.post(
        f"{base_url}/api/auth/register", json={"username": "ann", "password": PASSWORD}, timeout=CALL_SECONDS
    )
    made.raise_for_status()
    headers = {"X-CSRF-Token": made.json()["csrf_token"]}
    token = session.post(f"{base_url}/api/tokens", json={"name": "load"}, headers=headers, timeout=CALL_SECONDS)
    token.raise_for_status()
    return str(token.json()["token"])
