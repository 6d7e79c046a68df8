"""Fixed sentences of the server that people read on pages, so that the catalogues of translations hold them too."""

from __future__ import annotations

import math

from flask_babel import format_decimal, gettext

from ChatBot.db.tasks import Line
from ChatBot.errors import ChatBotError, RateLimited
from ChatBot.web.locale import size_text


def known(sentence: str) -> str:
    """Mark a sentence for the catalogues; ``make translations`` looks for this name."""
    return sentence


SENTENCES = (
    known("Registration is closed on this server; ask its administrator for an account."),
    known("The name or the password is wrong."),
    known("A name has 2 to 64 characters."),
    known("A name has no control or invisible characters."),
    known("A password has at least 8 characters (and at most 1024)."),
    known("The current password is wrong."),
    known("Only an administrator may see this."),
    known("There is nothing here."),
    known("There is no such conversation."),
    known("There is no such link."),
    known("This is not the password."),
    known("There is no such picture."),
    known("There is no such picture in the trash."),
    known("There is no such message."),
    known("One of the attached pictures does not exist."),
    known("The title is empty."),
    known("This answer is still being written; stop it first."),
    known("An answer is still being written; stop it first."),
    known("The file is larger than this server accepts (MAX_UPLOAD_MB)."),
    known("The file is empty."),
    known("The file is not a PNG, JPEG, GIF or WEBP picture."),
    known("The picture is cut off: the file ends too early."),
    known("The picture has far too many pixels."),
    known("The picture made its decoder fail, so it is not kept."),
    known("The PDF breaks off before its end."),
    known("The disk has no room left."),
    known("MongoDB does not answer; try again in a moment."),
    known("MongoDB did not confirm the work in time; read before trying again."),
    known("A restore or a clean-up already runs; wait until it is done."),
    known("Preview the clean-up first; then exactly what it showed can be applied."),
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
    if not line.values:
        return translated(line.text)
    shown = {name: format_decimal(value) if isinstance(value, int) else value for name, value in line.values.items()}
    if isinstance(size := line.values.get("size"), int):
        shown["size"] = size_text(size)
    return str(gettext(line.text, **shown))


def sentence_of(error: ChatBotError) -> str:
    """Return what an error says, in the language of the page."""
    if isinstance(error, RateLimited):
        seconds = math.ceil(error.retry_after_seconds)
        return str(gettext("Too many attempts in a short time. Try again in %(seconds)s seconds.", seconds=seconds))
    return translated(str(error))
