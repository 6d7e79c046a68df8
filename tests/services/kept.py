"""A workshop with everything operators look after the pictures with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pymongo.database import Database

from ChatBot.db.repositories import Repositories
from ChatBot.hosts.base import CloudHost
from ChatBot.media.paths import StoragePaths
from ChatBot.models import Image, User, now
from ChatBot.services.upkeep.wiring import Upkeep
from tests.services.workshop import Workshop, picture


@dataclass
class KeptWorkshop(Workshop):
    """A ``Workshop`` whose storage folder and database know each other."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.upkeep = Upkeep.build(
            StoragePaths(self.root),
            self.files,
            self.chain,
            self.repositories,
            self.resolver,
            self.sharing,
            self.replicator.work_once,
            max_age_days=30,
        )
        self.upkeep.volume.begin()

    def another(self) -> KeptWorkshop:
        """Return the services as another process on the same database and disk would have them."""
        return replace(self)

    def aged(self, image: Image, days: int = 60) -> Image:
        """Make a picture's document as old as that."""
        moment = now() - timedelta(days=days)
        self.change(image, {"images.$.created_at": moment})
        return self.image(image.id)

    def old_picture(self, user: User, seed: int = 1, **provenance: Any) -> Image:
        """Keep a picture that is two months old."""
        return self.aged(self.upload(user, picture(seed), **provenance))

    def change(self, image: Image, fields: dict[str, Any]) -> None:
        """Set fields of a picture's document, past all rules."""
        self.database["messages"].update_one({"images.id": image.id}, {"$set": fields})


@contextmanager
def kept_workshop(
    database: Database[dict[str, Any]], repositories: Repositories, folder: Path, *hosts: CloudHost
) -> Iterator[KeptWorkshop]:
    """Open such a workshop below ``folder`` and close it afterwards."""
    shop = KeptWorkshop(database, folder / "Storage", repositories, hosts=hosts)
    try:
        yield shop
    finally:
        shop.close()
