"""The application on a real port, and people with a real Chromium in front of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from tests.fixtures.application import PASSWORD
from tests.fixtures.serving import serving

PATIENCE_MILLISECONDS = 60_000
"""How long a page may take to show what is expected: a busy machine is slow, not wrong."""

expect.set_options(timeout=PATIENCE_MILLISECONDS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def base_url() -> None:
    """Nothing: every test has a site of its own, and the plug-in's fixture warns on the present pytest."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's own Chromium; its sandbox cannot be had by root in a container."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": shutil.which("chromium"), "args": arguments}


@pytest.fixture
def new_context(new_context: Callable[..., BrowserContext]) -> Callable[..., BrowserContext]:
    """A browser of its own for somebody, as patient as the expectations."""

    def make(**options: Any) -> BrowserContext:
        context = new_context(**options)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        return context

    return make


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """The address of an application without cloud hosts."""
    with serving(app) as address:
        yield address


class Console:
    """What the browser complained about; a test takes out what it provoked itself."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def forgive(self, words: str) -> None:
        """Forget complaints that contain ``words``; there has to be one."""
        assert any(words in each for each in self.complaints), self.complaints
        self.complaints = [each for each in self.complaints if words not in each]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest.fixture
def console() -> Iterator[Console]:
    """The console of every page of the test; it has to stay free of errors and policy violations."""
    heard = Console()
    yield heard
    assert heard.complaints == []


Visit = Callable[..., Page]


@pytest.fixture
def visit(site: str, new_context: Callable[..., BrowserContext], console: Console) -> Visit:
    """Open a browser of its own without an account; keyword arguments are Playwright's context options."""

    def open_browser(**options: Any) -> Page:
        page = new_context(**{"base_url": site, "reduced_motion": "reduce", **options}).new_page()
        console.watch(page)
        return page

    return open_browser


def register(page: Page, username: str = "ann") -> None:
    """Register by the form and stay logged in."""
    page.goto("/register")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/")


def log_in(page: Page, username: str = "ann") -> None:
    """Log in by the form."""
    page.goto("/login")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")


@pytest.fixture
def ann(visit: Visit) -> Page:
    """The page of somebody who is logged in, at an empty conversation."""
    page = visit()
    register(page)
    return page


def say(page: Page, words: str) -> None:
    """Type a message and send it with Enter."""
    page.get_by_label("Message", exact=True).fill(words)
    page.get_by_label("Message", exact=True).press("Enter")


def draw(page: Page, prompt: str = "a red fox", count: int = 1) -> None:
    """Ask for small pictures and wait until the newest answer shows them."""
    say(page, f"/image {prompt} --size 256x256 --count {count}")
    page.locator(".message:last-child figure.card").nth(count - 1).wait_for()
    page.get_by_role("button", name="Send", exact=True).wait_for()
