"""The shapes of an upload in JSON."""

from __future__ import annotations

from ChatBot.web.schemas.requests import Body


class UploadedData(Body):
    """A picture or PDF in base64, also as a data URI; ``conversation_id`` names what it is meant for."""

    data: str
    conversation_id: str | None = None


class UploadedAddress(Body):
    """The public address that a picture or PDF is fetched from; ``conversation_id`` names what it is meant for."""

    url: str
    conversation_id: str | None = None
