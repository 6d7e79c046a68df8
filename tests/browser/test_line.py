"""An answer on its way: stopped, resumed after a dropped line, and a line that ended for good."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Console, draw, register, say
from tests.browser.line import Line
from tests.fixtures.serving import serving
from tests.standins.openai_chat import Chunk, OpenAIChat, end_chunk, text_chunk
from tests.standins.server import Reply, Server


class SlowChat(OpenAIChat):
    """A model that says one word, goes on when ``more`` is set, and ends when ``end`` is."""

    def __init__(self) -> None:
        super().__init__()
        self.more = threading.Event()
        self.end = threading.Event()
        self.script = [Reply(200, self._speak(), "text/event-stream")]

    def _speak(self) -> Iterator[bytes]:
        yield _line(text_chunk("first "))
        self.more.wait(30)
        yield _line(text_chunk("cảm ơn 🦊 third "))
        self.end.wait(30)
        yield _line(text_chunk("last"))
        yield _line(end_chunk())
        yield b"data: [DONE]\n\n"


def _line(chunk: Chunk) -> bytes:
    return f"data: {json.dumps(chunk)}\n\n".encode()


@pytest.fixture
def model() -> Iterator[SlowChat]:
    """The chat model that the site talks to."""
    chat = SlowChat()
    with Server(chat):
        yield chat
        chat.more.set()
        chat.end.set()


@pytest.fixture
def line(model: SlowChat, make_app: Callable[..., Flask]) -> Iterator[Line]:
    """The line to a site with that model."""
    app = make_app(chat_model="stand-in", openai_base_url=f"{model.base_url}/v1", openai_api_key="key")
    with serving(app) as address, Line(address) as line:
        yield line


@pytest.fixture
def mai(line: Line, new_context: Callable[..., BrowserContext], console: Console) -> Page:
    """The page of somebody at the other end of the line."""
    page = new_context(base_url=line.address, reduced_motion="reduce").new_page()
    console.watch(page)
    register(page, "mai")
    return page


def live_text(page: Page) -> Any:
    """Return where the text of the running answer grows."""
    return page.locator("[data-stream]")


def test_stop_ends_an_answer_in_the_middle_and_keeps_what_was_said(mai: Page) -> None:
    say(mai, "tell me something long")
    expect(live_text(mai)).to_have_text("first")

    mai.get_by_role("button", name="Stop").click()

    answer = mai.locator(".message:last-child")
    expect(answer).to_have_attribute("data-status", "cancelled")
    expect(answer).to_contain_text("first")
    expect(answer.get_by_text("Stopped")).to_be_visible()
    expect(mai.get_by_role("button", name="Send", exact=True)).to_be_visible()
    expect(mai.get_by_label("Message", exact=True)).to_be_focused()
    mai.reload()
    expect(mai.locator(".message:last-child .message__text")).to_have_text("first")


def test_a_line_that_drops_in_the_middle_loses_and_doubles_nothing(
    mai: Page, line: Line, model: SlowChat, console: Console
) -> None:
    say(mai, "tell me something long")
    expect(live_text(mai)).to_have_text("first")

    line.cut()
    expect(mai.get_by_text("Reconnecting")).to_be_visible()
    model.more.set()
    line.mend()

    expect(live_text(mai)).to_have_text("first cảm ơn 🦊 third")
    expect(mai.get_by_text("Reconnecting")).to_have_count(0)
    assert live_text(mai).text_content() == "first cảm ơn 🦊 third "
    model.end.set()
    answer = mai.locator('.message:last-child[data-status="complete"]')
    expect(answer.locator(".message__text")).to_have_text("first cảm ơn 🦊 third last")
    expect(mai.locator(".message")).to_have_count(2)
    console.forgive("ERR_")


def test_a_conversation_deleted_elsewhere_says_so_and_asks_no_more(ann: Page, console: Console) -> None:
    draw(ann)
    other = ann.context.new_page()
    console.watch(other)
    other.goto(ann.url)

    ann.get_by_role("list", name="Recent").get_by_role("listitem").first.hover()
    ann.get_by_role("list", name="Recent").get_by_role("button", name="Delete").click()
    ann.get_by_role("dialog").get_by_role("button", name="Delete").click()

    expect(other.get_by_text("This conversation was deleted.")).to_be_visible()
    asked: list[str] = []
    other.on("request", lambda request: asked.append(request.url))
    other.wait_for_timeout(3_000)
    assert asked == []
    other.get_by_role("status").get_by_role("link", name="New chat").click()
    other.wait_for_url(re.compile("/$"))
    console.forgive("404")


def test_a_session_that_ended_elsewhere_is_told_where_one_reads(mai: Page, line: Line, console: Console) -> None:
    say(mai, "tell me something long")
    expect(live_text(mai)).to_have_text("first")
    other = mai.context.new_page()
    other.goto("/settings")
    other.locator("summary", has_text="mai").click()
    other.get_by_role("button", name="Log out").click()
    other.wait_for_url("**/login")

    line.cut()
    line.mend()

    expect(mai.get_by_text("You are logged out.")).to_be_visible()
    expect(live_text(mai)).to_have_text("first")
    link = mai.get_by_role("status").get_by_role("link", name="Log in")
    expect(link).to_have_attribute("href", re.compile("^/login\\?next=%2Fc%2F[0-9a-f]{32}$"))
    console.complaints.clear()
