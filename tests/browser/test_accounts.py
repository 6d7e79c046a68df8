"""Coming in and going out, with and without scripts."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Console, Visit, register
from tests.fixtures.application import PASSWORD


def test_the_first_account_is_told_that_it_administers(visit: Visit) -> None:
    page = visit()

    page.goto("/register")

    expect(page.get_by_text("this account will be the administrator")).to_be_visible()


def test_a_password_that_is_too_short_is_told_before_it_is_sent(visit: Visit) -> None:
    page = visit()
    page.goto("/register")

    expect(page.get_by_text("At least 8 characters")).to_be_visible()
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").press_sequentially("short")
    page.get_by_role("button", name="Create account").click()

    expect(page.get_by_label("Password")).to_be_focused()
    assert page.get_by_label("Password").evaluate("field => field.validity.tooShort")


def test_one_can_register_and_leave_without_scripts(visit: Visit) -> None:
    page = visit(java_script_enabled=False)

    register(page)
    page.locator("summary", has_text="ann").click()
    page.get_by_role("button", name="Log out").click()

    page.wait_for_url("**/login")


def test_a_wrong_password_is_answered_in_place(visit: Visit, console: Console) -> None:
    register(visit())
    page = visit()
    page.goto("/login?next=/gallery")

    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    page.wait_for_url("**/gallery")
    console.forgive("401")


def test_a_session_that_ended_leads_to_the_login_and_keeps_what_was_typed(ann: Page, console: Console) -> None:
    ann.context.clear_cookies()

    ann.get_by_label("Message", exact=True).fill("a long thought")
    ann.get_by_label("Message", exact=True).press("Enter")

    ann.wait_for_url(re.compile("/login"))
    ann.get_by_label("User name").fill("ann")
    ann.get_by_label("Password").fill(PASSWORD)
    ann.get_by_role("button", name="Log in").click()
    expect(ann.get_by_label("Message", exact=True)).to_have_value("a long thought")
    console.complaints.clear()


def test_a_token_is_shown_once_and_can_be_revoked(ann: Page) -> None:
    ann.goto("/settings")

    ann.get_by_label("Name").fill("my laptop")
    ann.get_by_role("button", name="Create").click()
    expect(ann.get_by_label("Your token: it is shown only now")).not_to_have_value("")
    expect(ann.get_by_text("my laptop")).to_be_visible()
    expect(ann.get_by_label("Your token: it is shown only now")).to_be_focused()
    ann.get_by_role("button", name="Revoke").click()
    ann.get_by_role("dialog", name="Revoke this token?").get_by_role("button", name="Revoke").click()

    expect(ann.get_by_text("my laptop")).to_have_count(0)
