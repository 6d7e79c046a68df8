"""Links that show a conversation to whoever has them."""

from __future__ import annotations

import re
from pathlib import Path
from zipfile import ZipFile

from playwright.sync_api import Page, expect

from tests.browser.conftest import Console, Visit, draw, register
from tests.fixtures.application import PASSWORD


def share(page: Page, password: str = "", *, live: bool = False) -> str:
    """Make a link in the dialog and return its address."""
    page.get_by_role("button", name="Share", exact=True).first.click()
    dialog = page.get_by_role("dialog", name="Share this conversation")
    dialog.get_by_label("Password (optional)").fill(password)
    if live:
        dialog.get_by_label("As it grows").check()
    dialog.get_by_role("button", name="Create link").click()
    link = dialog.get_by_label("Your link: it is shown only now")
    expect(link).to_have_value(re.compile("^http.*/share/"))
    return link.input_value()


def test_a_shared_conversation_is_complete_without_an_account_and_without_scripts(ann: Page, visit: Visit) -> None:
    draw(ann, "a lighthouse at dusk")
    link = share(ann)

    reader = visit(java_script_enabled=False)
    reader.goto(link)

    expect(reader.locator(".message--user")).to_contain_text("a lighthouse at dusk")
    picture = reader.get_by_role("img", name="a lighthouse at dusk")
    expect(picture).to_be_visible()
    assert reader.request.get(str(picture.get_attribute("src"))).headers["content-type"].startswith("image/")
    assert reader.locator('meta[property="og:image"]').get_attribute("content")
    assert reader.locator('meta[name="robots"]').get_attribute("content") == "noindex"
    expect(reader.get_by_role("button", name="Delete picture")).to_have_count(0)
    expect(reader.get_by_text("On this server")).to_have_count(0)


def test_a_shared_conversation_is_not_part_of_the_reader_s_own_pages(ann: Page) -> None:
    draw(ann)

    ann.goto(share(ann))

    expect(ann.locator(".message")).to_have_count(2)
    expect(ann.locator(".account")).to_have_count(0)
    expect(ann.get_by_role("link", name="Gallery")).to_have_count(0)


def test_a_password_stands_before_a_protected_conversation(ann: Page, visit: Visit, console: Console) -> None:
    draw(ann)
    reader = visit()

    reader.goto(share(ann, password="a quiet word"))
    expect(reader.locator(".message")).to_have_count(0)
    reader.get_by_label("Password").fill("wrong")
    reader.get_by_role("button", name="Open").click()
    expect(reader.get_by_role("alert")).to_be_visible()
    reader.get_by_label("Password").fill("a quiet word")
    reader.get_by_role("button", name="Open").click()

    expect(reader.locator(".message")).to_have_count(2)
    console.forgive("403")


def test_a_link_revoked_in_the_dialog_shows_nothing_any_more(ann: Page, visit: Visit, console: Console) -> None:
    draw(ann)
    link = share(ann)

    ann.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    ann.get_by_role("dialog", name="Revoke this link?").get_by_role("button", name="Revoke").click()

    expect(ann.get_by_text("No links yet.")).to_be_visible()
    reader = visit()
    reader.goto(link)
    expect(reader.get_by_role("heading", level=1)).to_have_text("There is nothing behind this link")
    console.forgive("404")


def test_a_link_revoked_in_the_list_leaves_it_without_a_new_page(ann: Page) -> None:
    draw(ann)
    share(ann)
    ann.goto("/shares")

    ann.get_by_role("button", name="Revoke").click()
    ann.get_by_role("dialog", name="Revoke this link?").get_by_role("button", name="Revoke").click()

    expect(ann.locator(".rows__row")).to_have_count(0)
    expect(ann.get_by_role("heading", name="Nothing is shared")).to_be_visible()
    ann.reload()
    expect(ann.get_by_role("heading", name="Nothing is shared")).to_be_visible()


def test_a_link_can_be_scanned_from_the_dialog(ann: Page) -> None:
    draw(ann)
    share(ann)

    code = ann.get_by_role("img", name="QR code of the link")

    expect(code).to_be_visible()
    assert code.evaluate("image => image.complete && image.naturalWidth > 0")


def test_whoever_deletes_a_shared_conversation_is_asked_about_its_links(ann: Page, visit: Visit) -> None:
    draw(ann, "a lighthouse at dusk")
    link = share(ann)
    ann.get_by_role("dialog").get_by_role("button", name="Close").click()
    row = ann.locator("#conversations [data-conversation]").first

    row.hover()
    row.get_by_role("button", name="Delete").click()
    question = ann.get_by_role("dialog", name="Delete this conversation?")
    expect(question.get_by_label("Revoke its links too")).not_to_be_checked()
    question.get_by_role("button", name="Delete").click()
    ann.wait_for_url("**/")

    reader = visit()
    reader.goto(link)
    expect(reader.get_by_role("img", name="a lighthouse at dusk")).to_be_visible()
    ann.goto("/shares")
    expect(ann.get_by_text("the conversation was deleted")).to_be_visible()


def test_the_links_of_a_deleted_conversation_go_with_it_when_that_is_ticked(
    ann: Page, visit: Visit, console: Console
) -> None:
    draw(ann)
    link = share(ann)
    ann.get_by_role("dialog").get_by_role("button", name="Close").click()
    row = ann.locator("#conversations [data-conversation]").first

    row.hover()
    row.get_by_role("button", name="Delete").click()
    question = ann.get_by_role("dialog", name="Delete this conversation?")
    question.get_by_label("Revoke its links too").check()
    question.get_by_role("button", name="Delete").click()
    ann.wait_for_url("**/")

    reader = visit()
    reader.goto(link)
    expect(reader.get_by_role("heading", level=1)).to_have_text("There is nothing behind this link")
    console.forgive("404")


def test_a_conversation_too_long_for_its_links_is_deleted_with_them_after_a_second_question(
    ann: Page, visit: Visit, console: Console
) -> None:
    draw(ann)
    link = share(ann, live=True)
    ann.get_by_role("dialog").get_by_role("button", name="Close").click()
    headers = {"X-CSRF-Token": str(ann.locator('meta[name="csrf-token"]').get_attribute("content"))}
    for _ in range(28):  # of 300 kB each
        path = f"/api/conversation/{ann.url.rpartition('/')[2]}/messages"
        assert ann.request.post(path, headers=headers, data={"content": "ế" * 100_000}).status == 202
    ann.goto("/")
    row = ann.locator("#conversations [data-conversation]").first

    row.hover()
    row.get_by_role("button", name="Delete").click()
    ann.get_by_role("dialog", name="Delete this conversation?").get_by_role("button", name="Delete").click()
    second = ann.get_by_role("dialog", name="Revoke its links and delete it?")
    expect(second).to_contain_text("too long for its links")
    console.forgive("422")
    second.get_by_role("button", name="Revoke and delete").click()

    expect(row).to_have_count(0)
    reader = visit()
    reader.goto(link)
    expect(reader.get_by_role("heading", level=1)).to_have_text("There is nothing behind this link")
    console.forgive("404")


def test_a_reader_logs_in_and_continues_with_an_own_copy(ann: Page, visit: Visit) -> None:
    draw(ann, "a lighthouse at dusk")
    link = share(ann)
    reader = visit()
    register(reader, "bob")
    reader.context.clear_cookies()

    reader.goto(link)
    reader.get_by_role("link", name="Continue as my own copy").click()
    reader.get_by_label("User name").fill("bob")
    reader.get_by_label("Password").fill(PASSWORD)
    reader.get_by_role("button", name="Log in").click()
    reader.get_by_role("button", name="Continue as my own copy").click()
    reader.wait_for_url("**/c/*")

    expect(reader.locator(".message")).to_have_count(2)
    expect(reader.get_by_role("img", name="a lighthouse at dusk")).to_be_visible()
    expect(reader.get_by_label("Message", exact=True)).to_be_visible()


def test_all_pictures_come_in_one_download(ann: Page, visit: Visit, tmp_path: Path) -> None:
    draw(ann, "a lighthouse at dusk", count=2)
    reader = visit(java_script_enabled=False)
    reader.goto(share(ann))

    with reader.expect_download() as begun:
        reader.get_by_role("link", name=re.compile(r"^Download all 2 files, [\d.]+ kB$")).click()
    begun.value.save_as(tmp_path / "saved.zip")

    assert begun.value.suggested_filename == "a lighthouse at dusk.zip"
    with ZipFile(tmp_path / "saved.zip") as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 3
