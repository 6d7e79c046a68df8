"""Every page passes axe and fits its window, in light and dark, wide and as narrow as a phone."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ChatBot.config import PROJECT_ROOT
from tests.browser.conftest import Visit, draw, register, say
from tests.browser.test_files import send_report
from tests.browser.test_sharing import share

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (1280, 360)
"""Pixels: a desktop, and the narrowest phone the pages are made for."""
PAGES = ("/", "/gallery", "/files", "/trash", "/shares", "/settings", "/api/docs", "/admin", "/admin/audit")

ARRIVED = """() => Promise.allSettled(
    document.getAnimations().filter((each) => each.effect.getTiming().iterations === 1).map((each) => each.finished)
)"""


@cache
def axe() -> str:
    """Return the source of the vendored axe."""
    (folder,) = Path(PROJECT_ROOT, "tests", "vendor").glob("axe-core-*")
    return (folder / "axe.min.js").read_text(encoding="utf-8")


def faults(page: Page) -> list[str]:
    """Return what axe finds on the page as it is now, and whether the page is wider than its window."""
    # Half-shown things have half the contrast: what moves in is judged when it has arrived.
    page.evaluate(ARRIVED)
    page.evaluate(axe())
    found: dict[str, Any] = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
    violations = [f"{each['id']}: {node['html'][:120]}" for each in found["violations"] for node in each["nodes"]]
    too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return violations + (["wider than its window"] if too_wide else [])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(visit: Visit, scheme: str, width: int) -> None:
    look = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    page, reader = visit(**look), visit(**look)
    found: dict[str, list[str]] = {}

    page.goto("/register")
    found["register"] = faults(page)
    register(page)
    for path in PAGES:
        page.goto(path)
        found[path] = faults(page)
    page.goto("/")
    send_report(page)
    found["conversation with a file"] = faults(page)
    page.goto("/files")
    found["files"] = faults(page)
    page.get_by_role("button", name="Delete Q3 report.pdf").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".rows__row")).to_have_count(0)
    page.goto("/trash")
    page.get_by_role("checkbox", name="Q3 report.pdf").check()
    found["trash"] = faults(page)
    page.goto("/")
    draw(page, "a lighthouse at dusk")
    draw(page, "a harbour")
    say(page, "what can you do?")
    page.locator('.message:last-child[data-status="complete"]', has_text="demo").wait_for()
    page.locator(".copies summary").first.click()
    found["conversation"] = faults(page)
    page.get_by_role("link", name="History").first.click()
    found["history of a picture"] = faults(page)
    page.go_back()
    link = share(page)
    found["share dialog"] = faults(page)
    reader.goto(link)
    expect(reader.get_by_text("Download all")).to_be_visible()
    found["shared conversation"] = faults(reader)
    reader.goto("/login")
    found["login"] = faults(reader)

    assert {name: each for name, each in found.items() if each} == {}
