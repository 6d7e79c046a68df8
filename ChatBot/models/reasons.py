"""How a sentence about what went wrong is kept, so that each page can say it in its own language.

One without values is kept as its text, like every reason that earlier versions kept; one with values is kept as
``{"text": ..., "values": {...}}``.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, PlainSerializer, PlainValidator

from ChatBot.sentence import Sentence


class _Parts(BaseModel):
    text: str
    values: dict[str, int | str]


def _sentence(kept: object) -> Sentence:
    """Return the sentence; raises ``ValueError`` for what nobody kept as one."""
    if isinstance(kept, str):
        return kept if isinstance(kept, Sentence) else Sentence(kept)
    parts = _Parts.model_validate(kept)
    try:
        return Sentence(parts.text, **parts.values)
    except (KeyError, TypeError) as error:
        raise ValueError("The values of a reason do not fit its text.") from error


def reason_document(reason: Sentence) -> str | dict[str, Any]:
    """Return a sentence as it is kept."""
    return {"text": reason.original, "values": dict(reason.values)} if reason.values else str(reason)


Reason = Annotated[Sentence, PlainValidator(_sentence), PlainSerializer(reason_document)]
"""A sentence as a field of a noun."""
