"""The trash in the browser: what was deleted is seen there, taken back, or deleted for good after a question."""

from __future__ import annotations

import re

from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, draw, log_in
from tests.fixtures.application import Api


def delete_all(page: Page) -> None:
    """Put every picture of the conversation into the trash."""
    while page.get_by_role("button", name="Delete picture").count():
        left = page.locator("figure.card").count()
        page.get_by_role("button", name="Delete picture").first.click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.locator("figure.card")).to_have_count(left - 1)


def test_a_deleted_picture_is_seen_in_the_trash_and_taken_back_with_one_click(ann: Page) -> None:
    draw(ann, "two owls", count=2)
    delete_all(ann)
    ann.goto("/gallery")

    ann.get_by_role("link", name="Trash", exact=True).click()
    expect(ann.locator(".tile--trashed")).to_have_count(2)
    shown = ann.locator(".tile--trashed img").first.evaluate("image => image.decode().then(() => image.naturalWidth)")
    ann.get_by_role("button", name="Restore two owls").first.click()

    assert shown == 256
    expect(ann.get_by_role("status").filter(has_text="1 thing is back where it was.")).to_be_visible()
    expect(ann.locator(".tile--trashed")).to_have_count(1)
    ann.goto("/gallery")
    expect(ann.locator(".tile")).to_have_count(1)


def test_ticked_tiles_are_deleted_for_good_after_a_question(ann: Page) -> None:
    draw(ann, "two owls", count=2)
    delete_all(ann)
    ann.goto("/trash")
    expect(ann.get_by_role("button", name="Delete for good")).to_be_disabled()

    ann.get_by_role("checkbox", name="two owls").first.check()
    expect(ann.locator("#trash-count")).to_have_text("1 selected")
    ann.get_by_role("button", name="Delete for good").click()
    ann.keyboard.press("Escape")
    expect(ann.locator(".tile--trashed")).to_have_count(2)
    ann.get_by_role("button", name="Delete for good").click()
    ann.get_by_role("dialog").get_by_role("button", name="Delete for good").click()

    expect(ann.get_by_text("1 thing is deleted for good.")).to_be_visible()
    expect(ann.locator(".tile--trashed")).to_have_count(1)


def test_the_trash_is_worked_with_the_keyboard_alone(ann: Page) -> None:
    draw(ann, "two owls", count=2)
    delete_all(ann)
    ann.goto("/trash")

    ann.get_by_role("checkbox", name="Select all").focus()
    ann.keyboard.press("Space")
    expect(ann.locator("#trash-count")).to_have_text("2 selected")
    ann.keyboard.press("Tab")
    expect(ann.locator("button[name=do]").first).to_be_focused()
    ann.keyboard.press("Enter")

    expect(ann.get_by_text("2 things are back where they were.")).to_be_visible()
    expect(ann.get_by_role("heading", name="The trash is empty")).to_be_visible()


def test_the_trash_grows_in_place_and_what_comes_is_chosen_too(app: Flask, visit: Visit) -> None:
    api = Api(app).register("ann")
    for number in range(16):
        for image in api.generate(f"fox {number}", width=64, height=64, count=4)["images"]:
            api.delete(f"/api/images/{image['id']}")
    page = visit()
    log_in(page)
    page.goto("/trash")
    expect(page.locator(".tile--trashed")).to_have_count(60)

    page.get_by_role("link", name="Show more").click()
    expect(page.locator(".tile--trashed")).to_have_count(64)
    page.get_by_role("checkbox", name="Select all").check()

    expect(page.locator("#trash-count")).to_have_text("64 selected")
    expect(page).to_have_url(re.compile("/trash$"))


def test_without_scripts_things_are_taken_back_and_nothing_is_deleted_unasked(app: Flask, visit: Visit) -> None:
    api = Api(app).register("ann")
    (image,) = api.generate("a red fox")["images"]
    api.delete(f"/api/images/{image['id']}")
    page = visit(java_script_enabled=False)
    log_in(page)
    page.goto("/trash")

    expect(page.get_by_role("button", name="Delete for good")).to_be_hidden()
    page.get_by_role("checkbox", name="a red fox").check()
    page.get_by_role("button", name="Restore", exact=True).click()

    expect(page.get_by_text("1 thing is back where it was.")).to_be_visible()
