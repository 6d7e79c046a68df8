"""Accounts: the first one, names that look alike, passwords, tokens, closing."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st

from ChatBot.db.repositories import Repositories
from ChatBot.errors import Conflict, Forbidden, InputError, NotAuthenticated, NotFound
from ChatBot.models import now
from ChatBot.services.accounts import Accounts, digest, name_key
from tests.services.workshop import CHEAP_HASHER, at_once

PASSWORD = "correct horse battery"


@pytest.fixture
def accounts(repositories: Repositories) -> Accounts:
    return open_accounts(repositories)


def open_accounts(
    repositories: Repositories, *, allow_registration: bool = True, hasher: PasswordHasher = CHEAP_HASHER
) -> Accounts:
    return Accounts(
        repositories.users,
        repositories.tokens,
        repositories.sessions,
        allow_registration=allow_registration,
        hasher=hasher,
    )


def test_the_first_account_is_the_administrator_and_the_second_is_not(accounts: Accounts) -> None:
    first = accounts.register("ann", PASSWORD)
    second = accounts.register("bob", PASSWORD)

    stored = [accounts.get(first.id), accounts.get(second.id)]
    assert [user and user.role for user in stored] == ["admin", "member"]
    assert (first.role, second.role) == ("admin", "member")


def test_of_many_who_register_at_the_same_moment_exactly_one_is_the_administrator(
    repositories: Repositories,
) -> None:
    processes = [open_accounts(repositories) for _ in range(4)]

    users = at_once(lambda number: processes[number].register(f"person {number}", PASSWORD), 4)

    assert sorted(user.role for user in users) == ["admin", "member", "member", "member"]
    assert sorted(kept.role for user in users if (kept := repositories.users.get(user.id))) == [
        "admin",
        "member",
        "member",
        "member",
    ]


@pytest.mark.parametrize("other", ["ANN", "  ann ", "\uff41\uff4e\uff4e"])
def test_a_name_that_looks_the_same_is_taken(accounts: Accounts, other: str) -> None:
    accounts.register("Ann", PASSWORD)

    with pytest.raises(Conflict, match="taken"):
        accounts.register(other, PASSWORD)


def test_one_name_registered_twice_at_once_makes_one_account(accounts: Accounts, repositories: Repositories) -> None:
    results = at_once(lambda _: accounts.register("ann", PASSWORD), 4)

    assert sum(isinstance(result, Conflict) for result in results) == 3
    assert repositories.users.count() == 1


@settings(deadline=None)
@given(st.text(max_size=20))
def test_the_key_of_a_name_is_the_key_of_that_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@pytest.mark.parametrize("name", ["", "a", " a ", "x" * 65, "a\u200bnn", "a\nb", "ann\x00"])
def test_an_unusable_name_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(InputError, match="name"):
        accounts.register(name, PASSWORD)

    assert accounts.none_yet


@pytest.mark.parametrize("password", ["", "1234567", "x" * 1025])
def test_an_unusable_password_is_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(InputError, match="password"):
        accounts.register("ann", password)

    assert accounts.none_yet


def test_a_closed_server_still_takes_its_first_account_and_then_no_other(repositories: Repositories) -> None:
    accounts = open_accounts(repositories, allow_registration=False)

    first = accounts.register("ann", PASSWORD)

    assert first.role == "admin"
    assert not accounts.registration_open
    with pytest.raises(Forbidden):
        accounts.register("bob", PASSWORD)
    assert repositories.users.count() == 1


def test_the_right_password_is_known_under_every_spelling_of_the_name(accounts: Accounts) -> None:
    user = accounts.register("Ann", PASSWORD)

    assert accounts.authenticate(" aNN ", PASSWORD).id == user.id


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(accounts: Accounts) -> None:
    accounts.register("ann", PASSWORD)

    with pytest.raises(NotAuthenticated) as wrong:
        accounts.authenticate("ann", "incorrect horse")
    with pytest.raises(NotAuthenticated) as unknown:
        accounts.authenticate("nobody", PASSWORD)

    assert str(wrong.value) == str(unknown.value)


def test_an_unknown_name_costs_the_work_of_a_real_password(repositories: Repositories) -> None:
    hasher = CountingHasher(time_cost=1, memory_cost=8, parallelism=1)
    accounts = open_accounts(repositories, hasher=hasher)
    accounts.register("ann", PASSWORD)

    for name in ("ann", "nobody"):
        with pytest.raises(NotAuthenticated):
            accounts.authenticate(name, "incorrect horse")

    assert len(hasher.verified) == 2
    assert len({parameters_of(each) for each in hasher.verified}) == 1


class CountingHasher(PasswordHasher):
    """Remembers which hashes a password was held against."""

    def __init__(self, **costs: Any) -> None:
        super().__init__(**costs)
        self.verified: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's own name
        self.verified.append(str(hash))
        return super().verify(hash, password)


def parameters_of(password_hash: str) -> str:
    return password_hash.rsplit("$", 2)[0]


def test_a_weaker_hash_is_renewed_at_the_next_login(accounts: Accounts, repositories: Repositories) -> None:
    user = accounts.register("ann", PASSWORD)
    weak = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(PASSWORD)
    repositories.users.set_password_hash(user.id, weak, instead_of=user.password_hash)

    accounts.authenticate("ann", PASSWORD)

    stored = repositories.users.get(user.id)
    assert stored is not None
    assert stored.password_hash.startswith("$argon2id$")
    assert parameters_of(stored.password_hash) != parameters_of(weak)


def test_a_password_is_stored_as_a_hash(accounts: Accounts, repositories: Repositories) -> None:
    user = accounts.register("ann", PASSWORD)

    stored = repositories.users.get(user.id)

    assert stored is not None
    assert PASSWORD not in stored.model_dump_json()


def test_a_token_lets_in_and_is_stored_as_a_hash(accounts: Accounts, repositories: Repositories) -> None:
    user = accounts.register("ann", PASSWORD)

    token, text = accounts.create_token(user, " laptop ")

    assert accounts.by_token(text).id == user.id
    (stored,) = repositories.tokens.of(user.id)
    assert (stored.name, stored.token_hash) == ("laptop", digest(text))
    assert text not in stored.model_dump_json()
    assert stored.last_used_at is not None
    assert token.last_used_at is None


def test_a_revoked_token_no_longer_lets_in(accounts: Accounts) -> None:
    user = accounts.register("ann", PASSWORD)
    token, text = accounts.create_token(user, "laptop")

    accounts.revoke_token(token.id, user)

    assert accounts.tokens_of(user) == []
    with pytest.raises(NotAuthenticated):
        accounts.by_token(text)
    with pytest.raises(NotFound):
        accounts.revoke_token(token.id, user)


def test_nobody_revokes_another_accounts_token(accounts: Accounts) -> None:
    ann, bob = accounts.register("ann", PASSWORD), accounts.register("bob", PASSWORD)
    token, text = accounts.create_token(ann, "laptop")

    with pytest.raises(NotFound):
        accounts.revoke_token(token.id, bob)

    assert accounts.by_token(text).id == ann.id


def test_a_token_is_made_for_a_named_account_only(accounts: Accounts) -> None:
    user = accounts.register("Ann", PASSWORD)

    _, text = accounts.create_token_for("ann", "")

    assert accounts.by_token(text).id == user.id
    with pytest.raises(NotFound):
        accounts.create_token_for("nobody", "")


def test_promoting_makes_an_administrator(accounts: Accounts) -> None:
    accounts.register("ann", PASSWORD)
    bob = accounts.register("bob", PASSWORD)

    accounts.promote("BOB")

    promoted = accounts.get(bob.id)
    assert promoted is not None
    assert promoted.role == "admin"
    with pytest.raises(NotFound):
        accounts.promote("nobody")


def test_ending_sessions_ends_those_of_one_account_only(accounts: Accounts, repositories: Repositories) -> None:
    ann, bob = accounts.register("ann", PASSWORD), accounts.register("bob", PASSWORD)
    later = now().replace(year=2100)
    for key, user in (("a", ann), ("b", ann), ("c", bob)):
        repositories.sessions.begin(key, {}, user.id, later)

    ended = accounts.end_sessions(ann)

    assert ended == 2
    assert repositories.sessions.load("a", now()) is None
    assert repositories.sessions.load("c", now()) == {}
