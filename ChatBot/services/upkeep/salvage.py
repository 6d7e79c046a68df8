"""Which pictures of a recorded message may come back, and what the message then looks like."""

from __future__ import annotations

from dataclasses import dataclass, field

from ChatBot.db.images import Images
from ChatBot.db.ledger import Ledger
from ChatBot.db.messages import RUNNING
from ChatBot.errors import NotFound
from ChatBot.models import Image, Message
from ChatBot.services.conversations.generation import SERVER_STOPPED
from ChatBot.services.upkeep.evidence import Evidence


@dataclass
class Verdict:
    """What examining a message found: pictures that may come back, and by id why the others may not."""

    images: list[Image] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def explained(self) -> bool:
        """Whether the report already says why there is nothing left of the message."""
        return bool(self.lost or self.gone or self.skipped)


class Salvage:
    """Examines recorded messages; it may be called from many threads."""

    def __init__(self, ledger: Ledger, images: Images, evidence: Evidence) -> None:
        self._ledger = ledger
        self._images = images
        self._evidence = evidence
        self.buried: set[str] = set()
        """Pictures that a tombstone among the records names."""
        self.claims: dict[str, str | None] = {}
        """Which message's record has each picture; None when two have it."""

    def examine(self, message: Message) -> Verdict:
        """Judge each picture of a message by tombstones, by who else has it, and by its bytes."""
        verdict = Verdict()
        ids = [image.id for image in message.images]
        buried = self.buried | self._ledger.known_tombstones(ids)
        held = self._images.known_ids(ids)
        for image in message.images:
            if image.id in buried:
                self._judge_buried(image, verdict)
            elif image.id in held:
                self._judge_held(image, message, verdict)
            elif self.claims.get(image.id) is None:
                verdict.skipped[image.id] = "Two records say that they have this picture; neither is believed."
            else:
                self._judge_bytes(image, verdict)
        return verdict

    def document(self, message: Message, verdict: Verdict, in_conversation: bool) -> Message:
        """Return the message as it is to be inserted; an answer that was under way has lost its process."""
        changes: dict[str, object] = {"images": tuple(verdict.images), "lease_owner": None, "lease_until": None}
        if not in_conversation:
            changes["conversation_id"] = None
        if message.status in RUNNING:
            changes |= {"status": "interrupted", "error": SERVER_STOPPED}
        return message.model_copy(update=changes)

    def _judge_buried(self, image: Image, verdict: Verdict) -> None:
        """A purge that still owes the removal of a copy is taken up again; everything else of the picture is gone."""
        if image.purging and image.trashed_at and any(copy.url and copy.state != "gone" for copy in image.copies):
            verdict.images.append(image)
        else:
            verdict.gone.append(image.id)

    def _judge_held(self, image: Image, message: Message, verdict: Verdict) -> None:
        located = self._images.find(image.id, trashed=True)
        if located is None or located.message_id != message.id:
            verdict.skipped[image.id] = "Another message has this picture."

    def _judge_bytes(self, image: Image, verdict: Verdict) -> None:
        try:
            state = self._evidence.local_state(image)
        except NotFound as error:
            verdict.lost[image.id] = str(error)
        else:
            verdict.images.append(image.model_copy(update={"local": state}))
