"""Accounts, passwords and API tokens."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ChatBot.db.sessions import OpenSession, Sessions
from ChatBot.db.tokens import Tokens
from ChatBot.db.users import Users
from ChatBot.errors import Conflict, Forbidden, InputError, NotAuthenticated, NotFound
from ChatBot.models import Token, User, new_id, now
from ChatBot.sentence import Sentence

NAME_CHARACTERS = range(2, 65)
PASSWORD_CHARACTERS = range(8, 1025)
"""At least 8 as NIST SP 800-63B asks; the upper bound keeps hashing cheap to refuse."""

TOKEN_PREFIX = "cb_"  # noqa: S105 - a mark that lets secret scanners recognise our tokens, not a secret


def digest(secret: str) -> str:
    """Return the SHA-256 under which a random secret (token, cookie, share link) is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def name_key(username: str) -> str:
    """Return the form of a name that must be unique: NFKC-normalised and case-folded."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


class Accounts:
    """Registers people, knows them again by password or token, and ends their sessions."""

    def __init__(
        self,
        users: Users,
        tokens: Tokens,
        sessions: Sessions,
        *,
        allow_registration: bool,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._users = users
        self._tokens = tokens
        self._sessions = sessions
        self._allow_registration = allow_registration
        self._hasher = hasher or PasswordHasher()

    @property
    def registration_open(self) -> bool:
        """Whether a stranger may register: always while there is no account, else as configured."""
        return self._allow_registration or self.none_yet

    @property
    def none_yet(self) -> bool:
        """Whether the next account will be the first, and so the administrator."""
        return self._users.count() == 0

    @cached_property
    def _decoy(self) -> str:
        """A hash that no password fits, so that an unknown name costs as much as a wrong password."""
        return self._hasher.hash(secrets.token_hex(16))

    def register(self, username: str, password: str) -> User:
        """Create an account as a visitor does; the first one becomes the administrator.

        Raises ``Forbidden`` (registration is closed), ``InputError`` or ``Conflict`` (the name is taken).
        """
        if not self.registration_open:
            raise Forbidden(Sentence("Registration is closed on this server; ask its administrator for an account."))
        return self.create(username, password)

    def create(self, username: str, password: str) -> User:
        """Create an account; raises ``InputError`` or ``Conflict``."""
        username = unicodedata.normalize("NFC", username).strip()
        _check_name(username)
        _check_password(password)
        user = User(
            id=new_id(),
            username=username,
            username_key=name_key(username),
            password_hash=self._hasher.hash(password),
            created_at=now(),
        )
        try:
            self._users.add(user)
        except Conflict as error:
            raise Conflict(Sentence("The name “%(name)s” is taken; choose another one.", name=username)) from error
        if self._users.claim_first(user.id):
            return user.model_copy(update={"role": "admin"})
        return user

    def authenticate(self, username: str, password: str) -> User:
        """Return the account with that name and password.

        Raises ``NotAuthenticated`` with the same text, after the same work, whether the name or the password is wrong.
        """
        user = self._users.by_name(name_key(username))
        try:
            self._hasher.verify(user.password_hash if user else self._decoy, password)
        except (VerificationError, InvalidHashError) as error:
            raise NotAuthenticated(Sentence("The name or the password is wrong.")) from error
        if user is None:
            raise NotAuthenticated(Sentence("The name or the password is wrong."))
        if self._hasher.check_needs_rehash(user.password_hash):
            # Not if the password was changed in this very moment: that would bring the old one back.
            self._users.set_password_hash(user.id, self._hasher.hash(password), instead_of=user.password_hash)
        return user

    def get(self, user_id: str) -> User | None:
        """Return the account of that id."""
        return self._users.get(user_id)

    def find(self, username: str) -> User | None:
        """Return the account of that name."""
        return self._users.by_name(name_key(username))

    def promote(self, username: str) -> User:
        """Make an account an administrator; raises ``NotFound``."""
        user = self._named(username)
        self._users.set_role(user.id, "admin")
        return user.model_copy(update={"role": "admin"})

    def create_token(self, owner: User, name: str) -> tuple[Token, str]:
        """Make an API token and return its record and its text, which is not kept."""
        text = TOKEN_PREFIX + secrets.token_urlsafe(32)
        token = Token(
            id=new_id(),
            owner_id=owner.id,
            name=name.strip()[:100] or "token",
            token_hash=digest(text),
            created_at=now(),
        )
        self._tokens.add(token)
        return token, text

    def create_token_for(self, username: str, name: str) -> tuple[Token, str]:
        """Make an API token for a named account; raises ``NotFound``."""
        return self.create_token(self._named(username), name)

    def by_token(self, text: str) -> User:
        """Return the account an API token belongs to; raises ``NotAuthenticated``."""
        token = self._tokens.use(digest(text))
        user = self._users.get(token.owner_id) if token else None
        if user is None:
            raise NotAuthenticated("The API token is unknown or was revoked.")
        return user

    def tokens_of(self, owner: User) -> list[Token]:
        """Return an account's API tokens."""
        return self._tokens.of(owner.id)

    def revoke_token(self, token_id: str, owner: User) -> None:
        """Delete an API token of that account; raises ``NotFound``."""
        if not self._tokens.remove(token_id, owner.id):
            raise NotFound(Sentence("There is no such token."))

    def change_password(self, user: User, current: str, new: str) -> User:
        """Replace an account's password, as its owner does, and return the account; its tokens stay as they are.

        Raises ``Forbidden`` (``current`` is wrong), ``InputError`` (``new`` is unusable) or ``Conflict``.
        """
        _check_password(new)
        try:
            self._hasher.verify(user.password_hash, current)
        except (VerificationError, InvalidHashError) as error:
            raise Forbidden(Sentence("The current password is wrong.")) from error
        return self._replace_password(user, new)

    def set_password(self, username: str, new: str) -> User:
        """Replace an account's password, as an operator does; raises ``NotFound``, ``InputError`` or ``Conflict``."""
        _check_password(new)
        return self._replace_password(self._named(username), new)

    def sessions_of(self, user: User) -> list[OpenSession]:
        """Return where an account is logged in, the newest session first."""
        return self._sessions.of(user.id, now())

    def end_sessions(self, user: User, *, but: str | None = None) -> int:
        """Log an account out everywhere, but for the session of that key, and return how many sessions that ended."""
        return self._sessions.remove_of(user.id, but=digest(but) if but else None)

    def revoke_tokens(self, user: User) -> int:
        """Delete every API token of an account and return how many there were."""
        return self._tokens.remove_of(user.id)

    def _replace_password(self, user: User, new: str) -> User:
        changed = self._users.replace_password(user.id, self._hasher.hash(new), instead_of=user.password_hash)
        if changed is None:
            raise Conflict(Sentence("The password was changed by somebody else in this moment; log in again."))
        return changed

    def _named(self, username: str) -> User:
        user = self._users.by_name(name_key(username))
        if user is None:
            raise NotFound(f"There is no account named “{username}”.")
        return user


def _check_name(username: str) -> None:
    if len(username) not in NAME_CHARACTERS:
        raise InputError(Sentence("A name has 2 to 64 characters."))
    if not all(character.isprintable() for character in username):
        raise InputError(Sentence("A name has no control or invisible characters."))


def _check_password(password: str) -> None:
    if len(password) not in PASSWORD_CHARACTERS:
        raise InputError(Sentence("A password has at least 8 characters (and at most 1024)."))
