"""The outbox as work for the queue: wakes for copies that this process owes, and a look at what else is due."""

from __future__ import annotations

from datetime import datetime

import structlog

from ChatBot.db.images import Images
from ChatBot.errors import QueueUnavailable
from ChatBot.jobs.base import Jobs
from ChatBot.models import now

log = structlog.get_logger(__name__)

COPIES = "copies"
"""The name of the jobs; their keys are ids of pictures."""
DUE_AT_ONCE = 100
"""Pictures handed in by one look; the next look is never far."""


class Outbox:
    """Says to the queue which pictures' copies are to be worked on."""

    def __init__(self, images: Images, jobs: Jobs) -> None:
        self._images = images
        self._jobs = jobs

    def wake(self, image_id: str, at: datetime) -> None:
        """Have a picture's copies worked on at that time; while the queue is away, they are found by the next look."""
        try:
            self._jobs.enqueue(COPIES, image_id, delay_seconds=max(0.0, (at - now()).total_seconds()))
        except QueueUnavailable as error:
            log.warning("outbox.not_woken", image=image_id, error=str(error))

    def due(self) -> list[str]:
        """Return pictures with copies whose turn has come, those too whose jobs were lost with a process or a queue."""
        return self._images.due(now(), DUE_AT_ONCE)
