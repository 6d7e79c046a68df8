"""Plans of a clean-up: what is to go, written down before anything goes, and what has become of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import Field, ValidationError

from ChatBot.errors import BytesMissing, InputError, NotFound
from ChatBot.media.texts import read_text, write_text
from ChatBot.models import Identifier, Model, new_id, now

_PLAN_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class PlannedFile(Model):
    """One file that is to go; ``size`` in bytes, ``mtime`` in seconds since the epoch."""

    folder: str
    filename: str
    size: int
    image_id: Identifier | None = None
    """The picture whose local copy it is; None for a file that belongs to nothing."""
    mtime: float | None = None


class Plan(Model):
    """What a clean-up would do, and from ``applied_at`` on what it did."""

    id: Identifier = Field(default_factory=new_id)
    volume: str
    """The storage folder it is about."""
    made_at: datetime = Field(default_factory=now)
    max_age_days: int
    pictures: int = 0
    """How many pictures there were that are not in the trash."""
    evict: tuple[PlannedFile, ...] = ()
    debris: tuple[PlannedFile, ...] = ()
    kept: dict[str, str] = Field(default_factory=dict)
    stopped: str = ""
    """Why stray files were not looked at; empty when they were."""
    applied_at: datetime | None = None
    grace_hours: float = 0.0
    """How long after that the files stay in quarantine."""
    undone_at: datetime | None = None

    @property
    def share(self) -> float:
        """The part of the pictures whose local copy would go, 0 to 1."""
        return len(self.evict) / self.pictures if self.pictures else 0.0


class Plans:
    """The plans in ``folder``, one file each; a file elsewhere can be named by its path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, plan: Plan, path: Path | None = None) -> Path:
        """Write a plan durably, to ``path`` or to its place, and return where; raises ``StorageError``."""
        place = path or self._folder / f"{plan.id}.json"
        write_text(place, plan.model_dump_json(indent=1) + "\n")
        return place

    def load(self, name: str) -> Plan:
        """Return a plan by its id or by its file; raises ``NotFound`` or ``InputError``."""
        place = self._folder / f"{name}.json" if _PLAN_ID.fullmatch(name) else Path(name)
        try:
            return Plan.model_validate_json(read_text(place))
        except BytesMissing as error:
            raise NotFound(f"There is no plan {name}.") from error
        except ValidationError as error:
            raise InputError(f"{place.name} is not a plan of a clean-up.") from error

    def recorded(self, plan_id: str) -> Plan | None:
        """Return a plan of the folder, None when it is missing or damaged."""
        try:
            return self.load(plan_id)
        except (NotFound, InputError):
            return None

    def each(self) -> Iterator[Plan]:
        """Yield the plans of the folder."""
        for path in sorted(self._folder.glob("*.json")):
            plan = self.recorded(path.stem) if _PLAN_ID.fullmatch(path.stem) else None
            if plan is not None:
                yield plan

    def remove(self, plan: Plan) -> None:
        """Remove a plan that is done with."""
        (self._folder / f"{plan.id}.json").unlink(missing_ok=True)
