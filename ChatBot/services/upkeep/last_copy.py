"""The last-copy rule: what must be true before a local file may go, asked of the hosts and never of the records."""

from __future__ import annotations

from hashlib import sha256

from ChatBot.db.messages import Messages
from ChatBot.db.shares import Shares
from ChatBot.errors import ChatBotError
from ChatBot.hosts.chain import HostChain
from ChatBot.models import Image, now


class LastCopyRule:
    """Says why a local file must stay; each answer costs a download."""

    def __init__(self, chain: HostChain) -> None:
        self._chain = chain

    def why_kept(self, image: Image) -> str:
        """Return a reason; empty when an exact copy on a trusted host was fetched just now and is right."""
        reasons = []
        for copy in image.copies:
            if copy.state != "verified" or copy.fidelity != "exact" or not copy.url:
                continue
            try:
                host = self._chain.member(copy.host)
                if not host.traits.trusted:
                    reasons.append(f"{copy.host} is not trusted to be the only place")
                elif sha256(host.fetch(copy.url)).hexdigest() == image.sha256:
                    return ""
                else:
                    reasons.append(f"{copy.host} returned other bytes")
            except ChatBotError as error:
                reasons.append(f"{copy.host}: {error}")
        return "; ".join(reasons) or "no exact cloud copy"


class InUse:
    """The pictures that people look at: marked as favourites, or in a conversation that an open share shows."""

    def __init__(self, shares: Shares, messages: Messages) -> None:
        self._shared: set[str] = set()
        reading = set()
        for share in shares.each_open(now()):
            self._shared |= set(share.image_ids)
            if not share.frozen:
                reading.add(share.conversation_id)
        for conversation_id in reading:
            for message in messages.of(conversation_id):
                self._shared |= {*message.attachments, *(image.id for image in message.images)}

    def why_kept(self, image: Image) -> str:
        """Return a reason; empty when neither is so."""
        if image.favourite:
            return "it is pinned as a favourite"
        return "an open share shows it" if image.id in self._shared else ""
