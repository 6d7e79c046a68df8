"""Accounts."""

from __future__ import annotations

from datetime import datetime

from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.database import Database

from ChatBot.db.repository import PRIVATE, UNRECORDED, Document, Repository, changing
from ChatBot.models import User


class Users(Repository):
    """The accounts, one document each; names are unique after case folding."""

    collection_name = "users"
    indexes = (IndexModel([("username_key", ASCENDING)], unique=True), PRIVATE, UNRECORDED)

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database)
        self._marks = database["marks"]

    def add(self, user: User) -> None:
        """Store a new account; raises ``Conflict`` when the name is taken."""
        self._collection.insert_one(user.to_document())

    def claim_first(self, user_id: str) -> bool:
        """Make this account the administrator if no account ever was; True for exactly one caller.

        The mark is one document with a fixed id, so of two registrations at the same moment only one wins.
        """
        mark: Document = self._marks.find_one_and_update(
            {"_id": "administrator"},
            {"$setOnInsert": {"user_id": user_id}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )  # type: ignore[assignment] # an upsert always returns a document
        if mark["user_id"] != user_id:
            return False
        return self.set_role(user_id, "admin")

    def set_role(self, user_id: str, role: str) -> bool:
        """Change an account's role; False when there is no such account."""
        return self._collection.update_one({"_id": user_id}, changing({"$set": {"role": role}})).matched_count == 1

    def set_private(self, user_id: str, private: bool) -> None:
        """Change whether an account is private."""
        self._collection.update_one({"_id": user_id}, changing({"$set": {"private": private}}))

    def end_signed_links(self, user_id: str, at: datetime) -> None:
        """Let every signed link that was made until then be dead."""
        self._collection.update_one({"_id": user_id}, changing({"$set": {"links_ended_at": at}}))

    def private(self) -> list[str]:
        """Return the ids of the private accounts."""
        return [each["_id"] for each in self._collection.find({"private": True}, {"_id": 1})]

    def set_password_hash(self, user_id: str, password_hash: str, *, instead_of: str) -> bool:
        """Hash the same password anew; False when the hash is no longer the one that was read."""
        query = {"_id": user_id, "password_hash": instead_of}
        changes = changing({"$set": {"password_hash": password_hash}})
        return self._collection.update_one(query, changes).matched_count == 1

    def replace_password(self, user_id: str, password_hash: str, *, instead_of: str) -> User | None:
        """Set another password, so that no earlier session counts; None when the old one is not what was read."""
        query = {"_id": user_id, "password_hash": instead_of}
        changes = changing({"$set": {"password_hash": password_hash}, "$inc": {"password_changes": 1}})
        document = self._collection.find_one_and_update(query, changes, return_document=ReturnDocument.AFTER)
        return User.from_document(document) if document else None

    def get(self, user_id: str) -> User | None:
        """Return the account of that id."""
        return self._one({"_id": user_id})

    def by_name(self, username_key: str) -> User | None:
        """Return the account of that normalised name."""
        return self._one({"username_key": username_key})

    def names(self, user_ids: set[str]) -> dict[str, str]:
        """Return the names of those accounts, by id."""
        found = self._collection.find({"_id": {"$in": sorted(user_ids)}}, {"username": 1})
        return {document["_id"]: document["username"] for document in found}

    def count(self) -> int:
        """Return how many accounts there are."""
        return self._collection.count_documents({})

    def _one(self, query: Document) -> User | None:
        document = self._collection.find_one(query)
        return User.from_document(document) if document else None
