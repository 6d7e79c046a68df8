"""PostImages (api.postimage.org, version 1): a base64 form in, XML out, deletion through the removal page.

Its terms speak against automatic uploads, so it works only with a key that the operator set knowingly.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import urljoin
from xml.parsers import expat

from ChatBot.errors import ProviderRefused
from ChatBot.hosts.base import DeletionProof, HostTraits, Receipt, Upload
from ChatBot.hosts.web import GONE_STATUSES, REPLY_BYTES, WebHost
from ChatBot.models import new_id
from ChatBot.outbound import Fetched, malformed, raise_for_status

CLIENT_VERSION = "1.0.1"
"""The API may turn away other versions of its protocol."""

MAX_XML_DEPTH = 16
"""A reply has three levels; a limit keeps a hostile one from costing time."""

_CLIENT_MARK = hashlib.md5(b"ChatBot", usedforsecurity=False).hexdigest()
"""The form wants an MD5 for the system and one for the machine; ours name the application and no machine."""

_KEY_COMPLAINT = re.compile(r"\bkey\b", re.IGNORECASE)
"""The wording of errors is not documented; one that speaks of the key will be the same next time."""

_REMOVAL = re.compile(r'data-remove="(?P<id>\w+)"\s+data-hash="(?P<hash>\w+)"')


class PostimagesHost(WebHost):
    """Public pictures on i.postimg.cc, possibly recompressed. The size limit is the site's own ``maxFilesize``."""

    name = "postimages"
    traits = HostTraits(
        max_bytes=33_554_432,
        public=True,
        deletable=True,
        may_recompress=True,
        trusted=True,
        picture_origins=("https://i.postimg.cc",),
    )
    picture_hosts = frozenset({"i.postimg.cc"})
    page_hosts = frozenset({"postimg.cc"})

    def _upload(self, upload: Upload) -> Receipt:
        self._require_sendable(upload)
        reply = self._api_gate.send(
            "POST",
            self._api_url,
            provider=self.name,
            max_bytes=REPLY_BYTES,
            deadline_seconds=self._deadlines.upload_seconds,
            form={
                "key": self._api_key,
                "o": _CLIENT_MARK,
                "m": _CLIENT_MARK,
                "version": CLIENT_VERSION,
                "portable": "1",
                "name": new_id(),  # never the user's: the name becomes part of a public URL
                "type": upload.extension,
                "image": b64encode(upload.data).decode(),
            },
        )
        raise_for_status(reply.status, reply.headers, provider=self.name)
        return self._receipt(self._read(reply))

    def _read(self, reply: Fetched) -> Mapping[str, str]:
        try:
            answer = _flatten(reply.body)
        except (expat.ExpatError, ValueError) as error:
            raise malformed("not in readable XML", provider=self.name) from error
        said = answer.get("data/error", "")
        if _KEY_COMPLAINT.search(said):
            raise ProviderRefused(f"{self.name}: {said[:200]}", provider=self.name, reason="auth")
        if answer.get("data@success") != "1":
            raise malformed("without saying that it worked", provider=self.name)
        return answer

    def _receipt(self, answer: Mapping[str, str]) -> Receipt:
        return Receipt(
            host=self.name,
            url=self._require_own(answer.get("data/links/hotlink")),
            delete_url=self._own_page(answer.get("data/links/delete")),
            page_url=self._own_page(answer.get("data/links/page")),
        )

    def _delete(self, receipt: Receipt) -> DeletionProof:
        removal_page = self._own_page(receipt.delete_url)
        if removal_page is None:
            return "manual"
        accepted = self._remove(removal_page)
        if self._is_gone(receipt.url):
            return "confirmed"
        return "pending" if accepted else "manual"

    def _remove(self, removal_page: str) -> bool:
        """Do what the button on the removal page does; a GET of that page deletes nothing."""
        page = self._gate.get(
            removal_page,
            provider=self.name,
            max_bytes=REPLY_BYTES,
            deadline_seconds=self._deadlines.fetch_seconds,
            allowed_hosts=self.page_hosts,
        )
        if page.status in GONE_STATUSES:
            return True
        raise_for_status(page.status, page.headers, provider=self.name)
        parts = _REMOVAL.search(page.body.decode("utf-8", "replace"))
        if parts is None:
            return False
        reply = self._gate.send(
            "DELETE",
            urljoin(removal_page, "/json"),
            provider=self.name,
            max_bytes=REPLY_BYTES,
            deadline_seconds=self._deadlines.fetch_seconds,
            allowed_hosts=self.page_hosts,
            form={"image": parts["id"], "hash": parts["hash"]},
        )
        try:
            raise_for_status(reply.status, reply.headers, provider=self.name)
        except ProviderRefused:
            return False
        return True


def _flatten(document: bytes) -> dict[str, str]:
    """Return the texts of an XML document by path (``data/links/page``) and attributes as ``data@success``.

    Raises ``ValueError`` for a document type declaration: it is the door to entity expansion and to outside files.
    """
    path: list[str] = []
    found: dict[str, str] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        path.append(tag)
        if len(path) > MAX_XML_DEPTH:
            raise ValueError("too deep")
        found.update({f"{'/'.join(path)}@{name}": value for name, value in attributes.items()})

    def text(piece: str) -> None:
        place = "/".join(path)
        found[place] = found.get(place, "") + piece

    def refuse(*_: object) -> None:
        raise ValueError("a document type declaration")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.CharacterDataHandler = start, text
    parser.EndElementHandler = lambda _: path.pop()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(document, True)
    return {place: value.strip() for place, value in found.items()}
