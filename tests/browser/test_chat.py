"""Talking and drawing, as a person at the page does."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import Console, Visit, draw, register, say
from tests.fixtures.serving import serving


def all_pictures_are_painted(page: Page) -> bool:
    """Return whether every picture of the page has loaded and has pixels."""
    return bool(
        page.evaluate(
            """Promise.all([...document.querySelectorAll("figure img")].map((image) => image.decode()))
               .then(() => true, () => false)"""
        )
    )


def test_a_described_picture_appears_and_is_still_there_after_a_reload(ann: Page) -> None:
    draw(ann, "a lighthouse at dusk")

    ann.reload()

    expect(ann).to_have_url(re.compile("/c/[0-9a-f]{32}$"))
    expect(ann.get_by_role("img", name="a lighthouse at dusk")).to_have_count(1)
    assert all_pictures_are_painted(ann)


def test_an_idea_of_the_empty_page_is_one_click_away(ann: Page) -> None:
    ann.get_by_role("button", name="/image a lighthouse at dusk").click()

    expect(ann.get_by_label("Message", exact=True)).to_have_value("/image a lighthouse at dusk")
    expect(ann.get_by_role("group", name="Picture options")).to_be_visible()


def test_the_chosen_options_go_out_with_the_command(ann: Page) -> None:
    ann.get_by_label("Message", exact=True).fill("/image a fox --size 256x256")
    ann.get_by_role("combobox", name="Pictures").select_option("2")

    ann.get_by_role("button", name="Send", exact=True).click()

    expect(ann.locator("figure.card")).to_have_count(2)
    expect(ann.locator(".message--user")).to_contain_text("/image a fox --size 256x256 --count 2")


def test_an_answer_streams_into_every_tab_of_a_conversation(ann: Page, console: Console) -> None:
    draw(ann)
    other = ann.context.new_page()
    console.watch(other)
    other.goto(ann.url)

    say(ann, "what can you do?")

    expect(other.locator(".message")).to_have_count(4)
    expect(other.locator('.message:last-child[data-status="complete"]')).to_contain_text("demo")
    expect(ann.locator('.message:last-child[data-status="complete"]')).to_contain_text("demo")
    texts = [page.locator(".message:last-child .message__body").inner_text() for page in (ann, other)]
    assert texts[0] == texts[1]


def test_the_model_s_own_picture_shows_its_progress_and_then_itself(ann: Page) -> None:
    say(ann, "draw a picture of a quiet harbour")

    expect(ann.locator(".message:last-child figure.card")).to_have_count(1)
    expect(ann.locator('.message:last-child[data-status="complete"]')).to_have_count(1)
    expect(ann.locator(".card--pending")).to_have_count(0)


def test_a_refused_message_says_why_and_keeps_what_was_typed(ann: Page, console: Console) -> None:
    say(ann, "/image a fox --bogus 3")

    expect(ann.get_by_role("alert")).to_contain_text("--bogus")
    expect(ann.get_by_label("Message", exact=True)).to_have_value("/image a fox --bogus 3")
    ann.reload()
    expect(ann.get_by_label("Message", exact=True)).to_have_value("/image a fox --bogus 3")
    console.forgive("422")


def test_shift_and_enter_starts_a_new_line(ann: Page) -> None:
    field = ann.get_by_label("Message", exact=True)
    field.fill("one")

    field.press("Shift+Enter")

    expect(field).to_have_value("one\n")
    expect(ann.locator(".message")).to_have_count(0)


def test_an_edited_question_is_answered_anew_and_what_followed_is_gone(ann: Page) -> None:
    draw(ann, "a fox")
    draw(ann, "a harbour")
    first = ann.locator(".message--user").first
    first.hover()

    first.get_by_role("button", name="Edit").click()
    ann.get_by_label("Edit the message").fill("/image two owls --size 256x256")
    ann.get_by_role("button", name="Send again").click()

    expect(ann.get_by_role("img", name="two owls")).to_have_count(1)
    expect(ann.locator(".message")).to_have_count(2)
    expect(ann.locator(".message--user")).to_contain_text("two owls")


def wait_for_the_end(page: Page) -> None:
    """Wait until the last message stands wholly above the composer."""
    page.wait_for_function(
        """() => {
          const scroller = document.getElementById("scroll");
          return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 2;
        }"""
    )


def test_a_long_answer_to_an_edited_question_is_followed_to_its_end(ann: Page) -> None:
    ann.set_viewport_size({"width": 800, "height": 500})
    draw(ann, "a fox")
    say(ann, "what can you do?")
    expect(ann.locator('.message:nth-child(4)[data-status="complete"]')).to_have_count(1)
    ann.locator("#scroll").evaluate("scroller => scroller.scrollTo(0, 0)")
    expect(ann.get_by_role("button", name="Go to the newest message")).to_be_visible()

    ann.locator(".message--user").last.get_by_role("button", name="Edit").click()
    ann.get_by_label("Edit the message").fill("/image two owls --size 512x512")
    ann.get_by_role("button", name="Send again").click()

    expect(ann.get_by_role("img", name="two owls")).to_have_count(1)
    expect(ann.locator('.message:last-child[data-status="complete"]')).to_have_count(1)
    wait_for_the_end(ann)


def test_whoever_scrolls_up_is_left_alone_by_what_comes(ann: Page) -> None:
    ann.set_viewport_size({"width": 800, "height": 500})
    draw(ann, "a fox")
    ann.locator("#scroll").evaluate("scroller => scroller.scrollTo(0, 0)")
    expect(ann.get_by_role("button", name="Go to the newest message")).to_be_visible()

    other = ann.context.new_page()
    other.goto(ann.url)
    draw(other, "a harbour")

    expect(ann.get_by_role("img", name="a harbour")).to_have_count(1)
    assert ann.locator("#scroll").evaluate("scroller => scroller.scrollTop") == 0


def test_the_end_stays_in_view_when_the_composer_grows(ann: Page) -> None:
    ann.set_viewport_size({"width": 800, "height": 500})
    draw(ann, "a fox")

    ann.get_by_label("Message", exact=True).fill("/image a hare")

    expect(ann.get_by_role("group", name="Picture options")).to_be_visible()
    wait_for_the_end(ann)


RED_DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
MAKE_FILE = """
  const bytes = Uint8Array.from(numbers);
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
"""


def attach(page: Page) -> None:
    """Choose a picture in the file dialog."""
    upload: FilePayload = {"name": "dot.png", "mimeType": "image/png", "buffer": RED_DOT}
    page.get_by_label("Attach pictures or PDFs", exact=True).first.set_input_files([upload])


def paste(page: Page) -> None:
    """Paste a picture that lies on the clipboard."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """numbers => navigator.clipboard.write([
             new ClipboardItem({ "image/png": new Blob([Uint8Array.from(numbers)], { type: "image/png" }) })])""",
        list(RED_DOT),
    )
    page.get_by_label("Message", exact=True).press("Control+V")


def drop(page: Page, name: str = "dot.png", mime_type: str = "image/png") -> None:
    """Let go of a file over the conversation."""
    page.evaluate(
        f"""([numbers, name, type]) => {{
          {MAKE_FILE}
          const target = document.getElementById("scroll");
          for (const kind of ["dragover", "drop"]) {{
            target.dispatchEvent(
              new DragEvent(kind, {{ dataTransfer: transfer, bubbles: true, cancelable: true }}));
          }}
        }}""",
        [list(RED_DOT), name, mime_type],
    )


@pytest.mark.parametrize("give", [attach, paste, drop])
def test_a_picture_that_is_attached_is_shown_with_its_question(ann: Page, give: Callable[[Page], None]) -> None:
    give(ann)
    expect(ann.locator(".chip:not(.chip--busy)")).to_contain_text(".png")
    say(ann, "what is this?")

    expect(ann.locator(".message--user .thumb img")).to_have_count(1)
    expect(ann.locator(".chip")).to_have_count(0)


def test_a_dropped_file_of_another_kind_is_refused_in_words(ann: Page) -> None:
    drop(ann, "notes.txt", "text/plain")

    expect(ann.get_by_role("alert")).to_contain_text("notes.txt: That cannot be attached")
    expect(ann.locator(".chip")).to_have_count(0)


def test_the_file_that_the_server_refuses_is_named_and_the_others_stay(ann: Page, console: Console) -> None:
    broken = FilePayload(name="broken.png", mimeType="image/png", buffer=b"no picture")
    sound = FilePayload(name="dot.png", mimeType="image/png", buffer=RED_DOT)

    ann.get_by_label("Attach pictures or PDFs", exact=True).first.set_input_files([broken, sound])

    expect(ann.get_by_role("alert")).to_have_text("broken.png: The file is not a PNG, JPEG, GIF or WEBP picture.")
    expect(ann.locator(".chip:not(.chip--busy) .chip__name")).to_have_text("dot.png")
    console.forgive("422")


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(make_app: Callable[..., Flask], visit: Visit) -> None:
    with serving(make_app(max_upload_mb=1)) as address:
        page = visit(base_url=address)
        register(page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        large = FilePayload(name="large.png", mimeType="image/png", buffer=bytes(1_000_001))

        page.get_by_label("Attach pictures or PDFs", exact=True).first.set_input_files([large])

        expect(page.get_by_role("alert")).to_have_text("large.png: This server takes files of up to 1 MB.")
        assert not any("uploads" in url for url in asked)


def test_enter_renames_a_conversation(ann: Page) -> None:
    draw(ann)
    row = ann.get_by_role("list", name="Recent").get_by_role("listitem").first
    row.hover()

    row.get_by_role("button", name="Rename").click()
    ann.get_by_label("Title").fill("Foxes in snow")
    ann.keyboard.press("Enter")

    expect(ann.get_by_role("heading", level=1)).to_have_text("Foxes in snow")
    expect(row).to_contain_text("Foxes in snow")


def test_a_deleted_conversation_is_gone_after_a_question_in_between(ann: Page) -> None:
    draw(ann)
    row = ann.get_by_role("list", name="Recent").get_by_role("listitem").first
    row.hover()

    row.get_by_role("button", name="Delete").click()
    ann.get_by_role("dialog").get_by_role("button", name="Delete").click()

    ann.wait_for_url(re.compile("/$"))
    expect(ann.get_by_role("list", name="Recent").get_by_role("listitem")).to_have_count(0)


def test_the_chosen_theme_lasts(ann: Page) -> None:
    ann.locator("summary", has_text="ann").click()
    ann.get_by_role("button", name="Theme: as the system").click()

    ann.reload()

    assert ann.evaluate("document.documentElement.dataset.theme") == "light"
