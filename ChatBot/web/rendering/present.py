"""What leaves the server: the JSON of each noun, with nothing private in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ChatBot.db.history import Entry
from ChatBot.db.sessions import OpenSession
from ChatBot.models import (
    Conversation,
    Copy,
    Image,
    Message,
    PictureLink,
    Share,
    SharedMessage,
    Token,
    User,
    now,
)

ImageUrl = Callable[[Image], str]
Link = Callable[[Copy], str | None]
"""Where a person can open a cloud copy, or None."""


def no_link(_copy: Copy) -> None:
    """Name no address: what others than the owner are told."""


def moment(time: datetime | None) -> str | None:
    """Return a UTC time as RFC 3339 text with milliseconds."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z") if time else None


def own_url(image: Image) -> str:
    """Return the permanent path of a picture for its owner."""
    return f"/i/{image.id}"


def user_json(user: User) -> dict[str, Any]:
    """Return an account as its owner sees it."""
    return user.model_dump(include={"id", "username", "role", "private"})


def token_json(token: Token) -> dict[str, Any]:
    """Return an API token's record, without its text."""
    times = {"created_at": moment(token.created_at), "last_used_at": moment(token.last_used_at)}
    return {"id": token.id, "name": token.name, **times}


def session_json(session: OpenSession, *, present: bool) -> dict[str, Any]:
    """Return where an account is logged in; ``present`` marks the session that asks."""
    times = {"begun_at": moment(session.begun_at), "used_at": moment(session.used_at)}
    return {"address": session.address, "agent": session.agent, **times, "present": present}


def conversation_json(conversation: Conversation) -> dict[str, Any]:
    """Return a conversation without its messages."""
    times = {"created_at": moment(conversation.created_at), "updated_at": moment(conversation.updated_at)}
    return {**conversation.model_dump(include={"id", "title", "private"}), **times}


def message_json(message: Message, attached: Mapping[str, Image], link: Link) -> dict[str, Any]:
    """Return a message as its owner sees it; attached pictures come before its own."""
    shown = [attached[each] for each in message.attachments if each in attached]
    shown += [image for image in message.images if image.trashed_at is None]
    described = [image_json(image, link) for image in shown]
    return {
        "id": message.id,
        "role": message.role,
        "content": message.content,
        "status": message.status,
        "error": message.error,
        "created_at": moment(message.created_at),
        "images": [each for each in described if each["kind"] == "picture"],
        "files": [each for each in described if each["kind"] == "file"],
    }


def image_json(image: Image, link: Link) -> dict[str, Any]:
    """Return a picture or a file as its owner sees it. Delete URLs, paths and metadata never leave the server."""
    if image.is_file:
        return _file_json(image, link)
    src = own_url(image)
    best = image.best_copy
    return {
        "id": image.id,
        "kind": image.kind,
        "url": src,
        "thumbnail_url": f"{src}?w=512",
        "src": src,
        "cloud_url": link(best) if best else None,
        "service": best.host if best else "local",
        **image.model_dump(
            include={
                "caption", "prompt", "negative_prompt", "generator", "model", "seed", "size", "mime_type", "width",
                "height", "frames", "sha256", "generated", "favourite", "parent_id", "private",
            }
        ),
        "tags": list(image.tags),
        "created_at": moment(image.created_at),
        "uploaded_at": moment(best.uploaded_at) if best else None,
        "durability": durability_json(image, link),
    }  # fmt: skip


def _file_json(image: Image, link: Link) -> dict[str, Any]:
    src = own_url(image)
    best = image.best_copy
    return {
        **_shared_file_json(image, src),
        "service": best.host if best else "local",
        **image.model_dump(include={"caption", "sha256", "favourite", "private"}),
        "tags": list(image.tags),
        "created_at": moment(image.created_at),
        "uploaded_at": moment(best.uploaded_at) if best else None,
        "durability": durability_json(image, link),
    }


def _shared_file_json(image: Image, src: str) -> dict[str, Any]:
    said = image.model_dump(include={"id", "kind", "mime_type", "size"})
    return {**said, "name": image.name, "src": src, "url": src}


def durability_json(image: Image, link: Link) -> dict[str, Any]:
    """Return where a picture's bytes are and what is proved of it.

    A published copy that is to go is named with its address until a look finds nothing there.
    """
    return {
        "local": image.local,
        "copies": [
            {
                "host": copy.host,
                "state": copy.state,
                "fidelity": copy.fidelity,
                "verified_at": moment(copy.verified_at),
                "published_at": link(copy) if copy.state in ("deleting", "delete_manual") else None,
            }
            for copy in image.copies
        ],
    }


def trashed_json(image: Image, ends_at: datetime | None, link: Link) -> dict[str, Any]:
    """Return what is in the trash as its owner sees it there; ``ends_at``: when it goes, None: it is going."""
    shown = ends_at is not None and not image.is_file
    times = {"created_at": moment(image.created_at), "trashed_at": moment(image.trashed_at), "ends_at": moment(ends_at)}
    return {
        **image.model_dump(include={"id", "kind", "caption", "prompt", "mime_type", "size", "width", "height"}),
        "name": image.name,
        **times,
        "thumbnail_url": f"/api/trash/{image.id}/thumbnail" if shown else None,
        "durability": durability_json(image, link),
    }


def history_json(entry: Entry) -> dict[str, Any]:
    """Return one thing that happened to a picture."""
    shown = entry.model_dump(include={"what", "host", "detail", "times"})
    return {**shown, "at": moment(entry.at), "first_at": moment(entry.first_at)}


def shared_message_json(message: SharedMessage, pictures: Mapping[str, Image], base: str) -> dict[str, Any]:
    """Return a message as the holder of a link sees it: ``base`` is the path its pictures hang under."""
    shown = [pictures[each] for each in (*message.attachments, *message.images) if each in pictures]
    described = [shared_image_json(image, base) for image in shown]
    return {
        "id": message.id,
        "role": message.role,
        "content": message.content,
        "created_at": moment(message.created_at),
        "images": [each for each in described if each["kind"] == "picture"],
        "files": [each for each in described if each["kind"] == "file"],
    }


def shared_image_json(image: Image, base: str) -> dict[str, Any]:
    """Return a picture or a file as the holder of a link sees it, and nothing about where it is kept."""
    src = f"{base}/i/{image.id}"
    if image.is_file:
        return _shared_file_json(image, src)
    return {
        "id": image.id,
        "kind": image.kind,
        "src": src,
        "url": src,
        "thumbnail_url": f"{src}?w=512",
        **image.model_dump(include={"caption", "prompt", "mime_type", "width", "height", "generated"}),
    }


def picture_link_json(link: PictureLink) -> dict[str, Any]:
    """Return the record of a permanent link; its address is shown only when it is made."""
    times = {"created_at": moment(link.created_at), "last_used_at": moment(link.last_used_at)}
    return {**link.model_dump(include={"id", "image_id", "name"}), **times}


def share_json(share: Share, *, url: str | None = None, token: str | None = None) -> dict[str, Any]:
    """Return a link's record; its address and token only at the moment it is made, for they are not kept."""
    body = share.model_dump(include={"id", "conversation_id", "live", "views"})
    times = {"created_at": moment(share.created_at), "expires_at": moment(share.expires_at)}
    return {
        **body,
        **times,
        "state": share.state(now()),
        "has_password": share.password_hash is not None,
        "url": url,
        "token": token,
    }
