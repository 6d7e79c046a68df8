"""The way in: registering and logging in, within limits, the same by JSON and by form."""

from __future__ import annotations

from ChatBot.models import User
from ChatBot.services.accounts import name_key
from ChatBot.web.context import services
from ChatBot.web.identity import log_in
from ChatBot.web.limits import budgets, visitor_key

BUDGET = "login"


def registered(username: str, password: str) -> User:
    """Create an account and log it in; raises ``RateLimited`` or what ``Accounts.register`` raises."""
    budgets().hit(BUDGET, visitor_key())
    user = services().accounts.register(username, password)
    log_in(user)
    return user


def authenticated(username: str, password: str) -> User:
    """Log in; raises ``RateLimited`` or ``NotAuthenticated``."""
    budgets().hit(BUDGET, visitor_key())
    with services().guessing.attempt(f"account:{name_key(username)}", visitor_key()):
        user = services().accounts.authenticate(username, password)
    log_in(user)
    return user
