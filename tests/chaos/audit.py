"""Compare what was promised with what is there: over HTTP, in MongoDB, on the disk and on the stand-in hosts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import requests
from pymongo.database import Database

from tests.chaos.load import CALL_SECONDS, Promises
from tests.standins.hosts import HostServer

FOLDERS = ("Image_Gen", "uploads")


@dataclass
class Findings:
    """What the audit saw; every list must be empty, the counts are for information."""

    lost: list[str] = field(default_factory=list)
    """Acknowledged and undeleted, and not served with the recorded bytes."""
    undead: list[str] = field(default_factory=list)
    """Deleted, and served all the same."""
    doubled: list[str] = field(default_factory=list)
    """Idempotency keys with more than one picture or message."""
    torn: list[str] = field(default_factory=list)
    """Files under a final name whose bytes are not the recorded ones."""
    dangling: list[str] = field(default_factory=list)
    """Documents without bytes anywhere."""
    unsettled: list[str] = field(default_factory=list)
    """Answers that still claim to be in the making."""
    acknowledged: int = 0
    deleted: int = 0
    stray_files: int = 0
    orphans: int = 0
    """Pictures on the hosts that no document names: uploads whose reply a kill swallowed."""

    @property
    def broken(self) -> dict[str, list[str]]:
        """Return the lists that are not empty."""
        return {name: value for name, value in vars(self).items() if isinstance(value, list) and value}


def audit(base_url: str, token: str, promises: Promises, database: Database[dict[str, Any]], storage: Path) -> Findings:
    """Check every promise; the server must be running and idle."""
    findings = Findings(acknowledged=len(promises.hashes), deleted=len(promises.deleted))
    headers = {"Authorization": f"Bearer {token}"}
    for image_id, expected in promises.hashes.items():
        answer = requests.get(f"{base_url}/i/{image_id}", headers=headers, timeout=CALL_SECONDS)
        if image_id in promises.deleted:
            if answer.status_code != 404:
                findings.undead.append(image_id)
        elif image_id in promises.unsure and answer.status_code == 404:
            continue
        elif answer.status_code != 200 or sha256(answer.content).hexdigest() != expected:
            findings.lost.append(f"{image_id}: {answer.status_code}")
    _check_keys(promises, database, findings)
    _check_files(database, storage, findings)
    return findings


def count_orphans(database: Database[dict[str, Any]], hosts: HostServer) -> int:
    """Return how many pictures the hosts hold beyond those that documents name."""
    named = sum(1 for image in _images(database) for copy in image["copies"] if copy["url"])
    return len(hosts.postimages.live) + len(hosts.imgbb.live) - named


def _check_keys(promises: Promises, database: Database[dict[str, Any]], findings: Findings) -> None:
    for key, image_ids in promises.by_key.items():
        if len(image_ids) > 1:
            findings.doubled.append(key)
    keyed = database["messages"].find({"idempotency_key": {"$type": "string"}})
    counted = Counter(message["idempotency_key"] for message in keyed if len(message["images"]) <= 1)
    findings.doubled += [key for key, count in counted.items() if count > 1]
    findings.doubled += [
        message["idempotency_key"]
        for message in database["messages"].find(
            {"idempotency_key": {"$type": "string"}, "images.1": {"$exists": True}}
        )
    ]
    running = database["messages"].find({"status": {"$in": ["queued", "streaming"]}})
    findings.unsettled += [message["_id"] for message in running]


def _check_files(database: Database[dict[str, Any]], storage: Path, findings: Findings) -> None:
    recorded = {image["filename"]: image for image in _images(database)}
    for folder in FOLDERS:
        for path in sorted((storage / folder).iterdir()):
            if path.name.startswith("."):
                continue
            image = recorded.get(path.name)
            if image is None:
                findings.stray_files += 1
            elif sha256(path.read_bytes()).hexdigest() != image["sha256"]:
                findings.torn.append(path.name)
    for filename, image in recorded.items():
        proved = any(copy["state"] == "verified" and copy["fidelity"] == "exact" for copy in image["copies"])
        if not (storage / image["folder"] / filename).exists() and not proved:
            findings.dangling.append(image["id"])


def _images(database: Database[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        image for message in database["messages"].find({"images.id": {"$exists": True}}) for image in message["images"]
    ]
