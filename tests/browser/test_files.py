"""PDFs in the browser: attached, named, downloaded, shared, deleted."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_sharing import share
from tests.media.samples import pdf

REPORT = FilePayload(name="Q3 report.pdf", mimeType="application/pdf", buffer=pdf("quarterly"))


def send_report(page: Page) -> None:
    """Attach a PDF and send it with a few words."""
    page.get_by_label("Attach pictures or PDFs", exact=True).first.set_input_files([REPORT])
    expect(page.locator(".chip .chip__picture--file")).to_be_visible()
    expect(page.locator(".chip:not(.chip--busy) .chip__name")).to_have_text("Q3 report.pdf")
    page.get_by_label("Message", exact=True).fill("Keep this for me.")
    page.get_by_label("Message", exact=True).press("Enter")
    page.locator('.message:last-child[data-status="complete"]').wait_for()


def downloaded(page: Page) -> tuple[str, bytes]:
    """Follow the link of the only file on the page and return its name and its bytes."""
    with page.expect_download() as download:
        page.locator("a[download]", has_text="Q3 report.pdf").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_an_attached_pdf_stands_by_its_question_and_is_downloaded_unchanged(ann: Page) -> None:
    send_report(ann)

    assert downloaded(ann) == ("Q3 report.pdf", pdf("quarterly"))
    ann.reload()
    expect(ann.locator(".message--user .file")).to_contain_text("PDF")
    ann.locator(".file .copies summary").click()
    expect(ann.locator(".file .copies")).to_contain_text("Files are never sent to public hosts")


def test_an_address_typed_by_hand_downloads_and_shows_nothing(ann: Page) -> None:
    send_report(ann)
    address = ann.get_by_role("link", name="Q3 report.pdf").get_attribute("href")

    with ann.expect_download() as download:
        ann.evaluate("address => { location.href = address }", address)

    assert download.value.suggested_filename == "Q3 report.pdf"
    expect(ann.locator(".message--user .file")).to_be_visible()


def test_a_shared_conversation_offers_the_file(ann: Page, visit: Visit) -> None:
    send_report(ann)
    reader = visit()

    reader.goto(share(ann))

    assert downloaded(reader) == ("Q3 report.pdf", pdf("quarterly"))
    expect(reader.get_by_role("button", name="Delete file")).to_have_count(0)


def test_files_are_listed_and_deleted_there(ann: Page) -> None:
    send_report(ann)

    ann.goto("/gallery")
    expect(ann.locator(".tile")).to_have_count(0)
    ann.get_by_role("link", name="Files", exact=True).click()
    assert downloaded(ann) == ("Q3 report.pdf", pdf("quarterly"))
    ann.get_by_role("button", name="Delete Q3 report.pdf").click()
    ann.get_by_role("dialog").get_by_role("button", name="Delete").click()

    expect(ann.locator(".rows__row")).to_have_count(0)
    ann.reload()
    expect(ann.get_by_role("heading", name="No files yet")).to_be_visible()


def test_a_file_is_deleted_at_its_message_after_a_question(ann: Page) -> None:
    send_report(ann)

    ann.get_by_role("button", name="Delete file").click()
    ann.get_by_role("dialog").get_by_role("button", name="Delete").click()

    expect(ann.locator(".file")).to_have_count(0)
    ann.reload()
    expect(ann.locator(".message--user")).to_have_count(1)
    expect(ann.locator(".file")).to_have_count(0)
