"""Fixed sentences of the server that people read on pages, so that the catalogues of translations hold them too."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import format_decimal, gettext

from ChatBot.db.tasks import Line
from ChatBot.errors import ChatBotError
from ChatBot.sentence import Sentence
from ChatBot.web.rendering.locale import size_text


def known(sentence: str) -> str:
    """Mark a sentence for the catalogues; ``make translations`` looks for this name."""
    return sentence


SENTENCES = (
    known("Only an administrator may see this."),
    known("There is nothing here."),
    known("The request is larger than this server accepts (MAX_UPLOAD_MB for pictures, 1 MB for JSON)."),
    known("The disk has no room left."),
    known("MongoDB does not answer; try again in a moment."),
    known("MongoDB did not confirm the work in time; read before trying again."),
    known("Something went wrong on the server. Its log has the details under this request id."),
    known("Pictures checked: %(checked)s, without an intact local file: %(missing)s."),
    known("%(restored)s restored, %(lost)s could not be restored."),
    known("Moved into quarantine: %(copies)s local copies and %(stray)s stray files (%(size)s)."),
    known("Would move into quarantine: %(copies)s local copies and %(stray)s stray files (%(size)s)."),
    known("%(kept)s old pictures stay, because nothing else holds their exact bytes or they are in use."),
    known("… and %(more)s more; the command line lists them all."),
    known("It was stopped with the server; run it again, it does only the rest."),
    known("Something went wrong on the server; its log has the details."),
)

TITLES = (
    known("Bad Request"),
    known("Unauthorized"),
    known("Forbidden"),
    known("Not Found"),
    known("Too Many Requests"),
    known("Internal Server Error"),
    known("Service Unavailable"),
)


def translated(sentence: str) -> str:
    """Return a sentence in the language of the page; one that the catalogues do not hold stays as it is."""
    return str(gettext(sentence)) if sentence else sentence


def line_text(line: Line) -> str:
    """Return a sentence about a task with its numbers, in the language of the page."""
    size = line.values.get("size")
    return filled(line.text, line.values, **({"size": size_text(size)} if isinstance(size, int) else {}))


def filled(original: str, values: Mapping[str, int | str], **instead: str) -> str:
    """Return a sentence with its values in the language of the page; ``instead`` are texts for some of them."""
    shown = {name: format_decimal(value) if isinstance(value, int) else value for name, value in values.items()}
    return str(gettext(original, **shown | instead))


def sentence_of(error: ChatBotError) -> str:
    """Return what an error says, in the language of the page; what the catalogues do not hold stays as it is."""
    return reason_text(Sentence.told_by(error))


def reason_text(reason: Sentence) -> str:
    """Return a reason in the language of the page; what the catalogues do not hold stays as it is."""
    return filled(reason.original, reason.values) if reason.values else translated(str(reason))
