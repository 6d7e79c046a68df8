"""The pages in Vietnamese: asked for by the browser or chosen in the form, and never wider than a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, register
from tests.fixtures.application import PASSWORD

PAGES = ("/", "/gallery", "/shares", "/settings", "/api/docs", "/admin", "/login", "/register")

OVERFLOWING = """() => {
  const hidden = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.visibility === "hidden" || style.clipPath !== "none") return true;
      if (each !== element && style.overflowX !== "visible") return true;
    }
    return false;
  };
  return [...document.body.querySelectorAll("*")]
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5 && !hidden(each))
    .map((each) => each.outerHTML.slice(0, 120));
}"""
"""What stands out of the window, but for what is hidden or scrolls in a box of its own."""

CUT = """() => [...document.querySelectorAll("button, .button, summary, label > span, h1, h2")]
  .filter((each) => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX === "visible"
    && each.clientWidth > 0 && getComputedStyle(each).display !== "inline")
  .map((each) => each.outerHTML.slice(0, 120))"""
"""Controls and headings whose words are wider than they are."""


def register_in_vietnamese(page: Page) -> None:
    page.goto("/register")
    page.get_by_label("Tên người dùng").fill("ánh")
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Tạo tài khoản").click()
    page.wait_for_url("**/")


def faults(page: Page) -> list[str]:
    return [*page.evaluate(OVERFLOWING), *page.evaluate(CUT)]


@pytest.mark.parametrize("width", [360, 1280])
def test_vietnamese_fits_every_page(visit: Visit, width: int) -> None:
    page = visit(locale="vi-VN", viewport={"width": width, "height": 740})
    stranger = visit(locale="vi-VN", viewport={"width": width, "height": 740})
    found: dict[str, list[str]] = {}

    register_in_vietnamese(page)
    for path in PAGES:
        reader = stranger if path in ("/login", "/register") else page
        reader.goto(path)
        expect(reader.locator("html")).to_have_attribute("lang", "vi")
        found[path] = faults(reader)
    page.goto("/")
    page.get_by_label("Tin nhắn", exact=True).fill("/image cáo đỏ --size 256x256")
    found["picture options"] = faults(page)
    page.get_by_label("Tin nhắn", exact=True).press("Enter")
    page.locator(".message:last-child figure.card").wait_for()
    page.locator(".copies summary").click()
    expect(page.get_by_text("Máy chủ này: đang giữ")).to_be_visible()
    found["conversation"] = faults(page)
    page.get_by_role("button", name="Chia sẻ", exact=True).first.click()
    page.get_by_role("button", name="Tạo liên kết").click()
    link = page.get_by_label("Liên kết của bạn")
    expect(link).to_have_value(re.compile("/share/"))
    expect(page.get_by_role("button", name="Thu hồi")).to_be_visible()
    found["share dialog"] = faults(page)
    stranger.goto(link.input_value())
    expect(stranger.get_by_text("Được chia sẻ")).to_be_visible()
    found["shared conversation"] = faults(stranger)

    assert {name: each for name, each in found.items() if each} == {}


def test_the_language_is_changed_in_the_form_and_stays(visit: Visit) -> None:
    page = visit(locale="en-GB")
    register(page)
    page.goto("/settings")

    page.get_by_label("Language").select_option("vi")
    page.get_by_role("button", name="Change", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Cài đặt")
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    page.goto("/")
    expect(page.get_by_role("heading", name="Hôm nay bạn muốn vẽ gì?")).to_be_visible()
    page.locator("summary", has_text="ann").click()
    page.get_by_role("button", name="Đăng xuất").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Chào mừng bạn trở lại")


def test_the_demo_assistant_answers_in_the_language_it_is_asked_in(visit: Visit) -> None:
    page = visit(locale="vi-VN")
    register_in_vietnamese(page)

    page.get_by_label("Tin nhắn", exact=True).fill("bạn làm được gì?")
    page.get_by_label("Tin nhắn", exact=True).press("Enter")

    expect(page.locator('.message:last-child[data-status="complete"]')).to_contain_text("Tôi là trợ lý bản demo")
