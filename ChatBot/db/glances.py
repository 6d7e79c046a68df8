"""A browser session, its account and a picture, read by one question for everybody who asks at the same time."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from ChatBot.db.messages import Messages
from ChatBot.db.repository import Document, Repository
from ChatBot.db.sessions import Sessions
from ChatBot.db.users import Users
from ChatBot.models import Image, User, adopted, now


@dataclass(frozen=True)
class Question:
    """Who asks for what: the SHA-256 of a session's key, and a picture's id."""

    session: str
    image_id: str


@dataclass(frozen=True)
class Glance:
    """What there is: the session's data, its account, and the picture, whoever it belongs to."""

    session: dict[str, Any]
    user: User
    image: Image


class Glances(Repository):
    """Reads across three collections what would be three reads for each picture of a page."""

    collection_name = Sessions.collection_name

    def read(self, questions: Set[Question]) -> dict[Question, Glance]:
        """Return what there is now; a question whose session, account or picture is not there has no answer."""
        rows = list(self._collection.aggregate(_pipeline(questions)))
        sessions = {row["_id"]: row for row in rows if "session" in row}
        users = {name: User.from_document(row["users"][0]) for name, row in sessions.items() if row["users"]}
        wanted = {question.image_id for question in questions}
        embedded = (image for row in rows for image in adopted(row.get("images", ())) if image["id"] in wanted)
        images = {image["id"]: Image.from_document(image) for image in embedded}
        return {
            each: Glance(sessions[each.session]["session"], users[each.session], images[each.image_id])
            for each in questions
            if each.session in users and each.image_id in images
        }


def _pipeline(questions: Set[Question]) -> list[Document]:
    """Return sessions with their accounts, then the messages that hold the pictures."""
    keys = list({question.session for question in questions})
    wanted = {"images.id": {"$in": list({question.image_id for question in questions})}}
    account = {"from": Users.collection_name, "localField": "data._user_id", "foreignField": "_id", "as": "users"}
    holders = [{"$match": wanted}, {"$project": {"images": 1}}]
    return [
        {"$match": {"_id": {"$in": keys}, "expires_at": {"$gt": now()}}},
        {"$lookup": account},
        {"$project": {"session": "$data", "users": 1}},
        {"$unionWith": {"coll": Messages.collection_name, "pipeline": holders}},
    ]
