"""What happened to a picture, in words."""

from __future__ import annotations

from flask_babel import lazy_gettext

from ChatBot.db.history import Entry, Happening

WORDS: dict[Happening, object] = {
    "stored": lazy_gettext("Saved on this server"),
    "uploaded": lazy_gettext("Uploaded to {host}"),
    "verified": lazy_gettext("Read back from {host}: exactly these bytes"),
    "retry": lazy_gettext("{host} did not take it; it is tried again later"),
    "unread": lazy_gettext("{host} has it, but it could not be read back yet"),
    "refused": lazy_gettext("{host} refused it for good"),
    "suspect": lazy_gettext("The copy on {host} is in doubt"),
    "asked_again": lazy_gettext("An administrator had {host} tried again"),
    "healed": lazy_gettext("The file on this server was repaired from {host}"),
    "restored": lazy_gettext("Brought back to this server from {host}"),
    "evicted": lazy_gettext("Taken off this server to make room, after its copy was fetched and compared"),
    "trashed": lazy_gettext("Put into the trash"),
    "untrashed": lazy_gettext("Taken out of the trash"),
    "copy_deleted": lazy_gettext("Deletion on {host} asked for; it answers with the picture still"),
    "purged": lazy_gettext("Deleted for good"),
    "made_private": lazy_gettext("Made private: no public host may have it"),
    "made_public": lazy_gettext("No longer private: public hosts may have it"),
}

TRANSCODED = lazy_gettext("Read back from {host}: the picture, encoded again there")
PROOFS: dict[str, object] = {
    "confirmed": lazy_gettext("Deleted from {host}; its address answers no more"),
    "manual": lazy_gettext("{host} lets only a person delete it"),
}


def happening_text(entry: Entry) -> str:
    """Return one sentence about an entry; its detail stands beside it where it is a reason."""
    words = WORDS[entry.what]
    if entry.what == "verified" and entry.detail == "transcoded":
        words = TRANSCODED
    if entry.what == "copy_deleted":
        words = PROOFS.get(entry.detail or "", words)
    return str(words).format(host=entry.host or "")


def reason_of(entry: Entry) -> str | None:
    """Return the detail if it says more than the sentence does."""
    return None if entry.what in ("verified", "copy_deleted") else entry.detail
