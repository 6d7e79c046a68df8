"""API tokens."""

from __future__ import annotations

from pymongo import ASCENDING, IndexModel

from ChatBot.db.repository import Repository
from ChatBot.models import Token, now


class Tokens(Repository):
    """API tokens by the SHA-256 of their text."""

    collection_name = "tokens"
    indexes = (
        IndexModel([("token_hash", ASCENDING)], unique=True),
        IndexModel([("owner_id", ASCENDING), ("created_at", ASCENDING)]),
    )

    def add(self, token: Token) -> None:
        """Store a new token."""
        self._collection.insert_one(token.to_document())

    def use(self, token_hash: str) -> Token | None:
        """Return the token with that hash and note the time."""
        document = self._collection.find_one_and_update({"token_hash": token_hash}, {"$set": {"last_used_at": now()}})
        return Token.from_document(document) if document else None

    def of(self, owner_id: str) -> list[Token]:
        """Return an account's tokens, oldest first."""
        return [
            Token.from_document(document)
            for document in self._collection.find({"owner_id": owner_id}).sort("created_at")
        ]

    def remove(self, token_id: str, owner_id: str) -> bool:
        """Delete a token of that account; False when it has none of that id."""
        return self._collection.delete_one({"_id": token_id, "owner_id": owner_id}).deleted_count == 1

    def remove_of(self, owner_id: str) -> int:
        """Delete every token of an account and return how many there were."""
        return self._collection.delete_many({"owner_id": owner_id}).deleted_count
