"""Whether the exact bytes of a picture are anywhere, asked without changing anything."""

from __future__ import annotations

from hashlib import sha256

from ChatBot.errors import BytesMissing, ChatBotError, NotFound
from ChatBot.hosts.chain import HostChain
from ChatBot.media.files import FileStore
from ChatBot.models import Image, LocalState

READABLE_COPY_STATES = frozenset({"uploaded", "verified", "suspect"})


class Evidence:
    """Looks at this disk, then at the copies, and compares hashes."""

    def __init__(self, files: FileStore, chain: HostChain) -> None:
        self._files = files
        self._chain = chain

    def local_state(self, image: Image) -> LocalState:
        """Return what is true of the local file of a picture whose bytes are somewhere.

        Raises ``NotFound`` when no place has them; the text says what was tried.
        """
        state: LocalState = "evicted"
        tried = []
        try:
            self._files.read(image.folder, image.filename, image.sha256)
        except ChatBotError as error:
            tried.append(f"this disk ({error})")
            if not isinstance(error, BytesMissing):
                state = "corrupt"
        else:
            return "present"
        if not self._any_copy(image, tried):
            raise NotFound("tried: " + "; ".join(tried))
        return state

    def _any_copy(self, image: Image, tried: list[str]) -> bool:
        for copy in image.copies:
            if not copy.url or copy.state not in READABLE_COPY_STATES:
                continue
            try:
                data = self._chain.member(copy.host).fetch(copy.url)
            except ChatBotError as error:
                tried.append(f"{copy.host} ({error})")
                continue
            if sha256(data).hexdigest() == image.sha256:
                return True
            tried.append(f"{copy.host} (other bytes)")
        return False
