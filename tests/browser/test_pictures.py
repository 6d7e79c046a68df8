"""Looking at pictures: large, from the cloud, and no longer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Console, Visit, draw, log_in, register
from tests.fixtures.application import Api
from tests.fixtures.serving import serving
from tests.standins.hosts import HostServer


@pytest.fixture
def site_with_hosts(make_app: Callable[..., Flask], host_settings: dict[str, Any]) -> Iterator[str]:
    """The address of an application with both cloud hosts."""
    with serving(make_app(**host_settings)) as address:
        yield address


@pytest.fixture
def mai(site_with_hosts: str, new_context: Callable[..., BrowserContext], console: Console) -> Page:
    """The page of somebody whose pictures also go to the cloud."""
    page = new_context(base_url=site_with_hosts).new_page()
    console.watch(page)
    register(page, "mai")
    return page


def test_a_picture_opens_large_with_its_prompt_and_closes_with_escape(ann: Page) -> None:
    draw(ann, "a lighthouse at dusk")

    ann.get_by_role("button", name="Open large").click()

    viewer = ann.get_by_role("dialog", name="Picture viewer")
    expect(viewer).to_have_class(re.compile("pswp--ui-visible"))
    expect(viewer.locator(".pswp__words")).to_have_text("a lighthouse at dusk")
    ann.keyboard.press("Escape")
    expect(viewer).to_have_count(0)


def test_a_deleted_picture_disappears_after_a_question_in_between(ann: Page) -> None:
    draw(ann)

    ann.get_by_role("button", name="Delete picture").click()
    ann.get_by_role("dialog").get_by_role("button", name="Delete").click()

    expect(ann.locator("figure.card")).to_have_count(0)
    expect(ann.get_by_text("What was here was deleted.")).to_be_visible()
    ann.goto("/gallery")
    expect(ann.locator(".tile")).to_have_count(0)


def test_a_picture_deleted_by_mistake_is_taken_back(ann: Page) -> None:
    draw(ann)
    ann.get_by_role("button", name="Delete picture").click()
    ann.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(ann.locator("figure.card")).to_have_count(0)

    ann.get_by_role("button", name="Undo").click()

    expect(ann.locator("figure.card")).to_have_count(1)
    ann.reload()
    expect(ann.locator("figure.card")).to_have_count(1)


def test_a_question_that_is_cancelled_deletes_nothing(ann: Page) -> None:
    draw(ann)

    ann.get_by_role("button", name="Delete picture").click()
    ann.keyboard.press("Escape")

    ann.reload()
    expect(ann.locator("figure.card")).to_have_count(1)


def test_the_prompt_of_a_picture_can_be_used_again(ann: Page) -> None:
    draw(ann, "a paper harbour")

    ann.get_by_role("button", name="Use the prompt again").click()

    expect(ann.get_by_label("Message", exact=True)).to_have_value("/image a paper harbour")


def test_the_gallery_shows_every_picture(ann: Page) -> None:
    draw(ann, "two owls", count=2)

    ann.goto("/gallery")

    expect(ann.get_by_role("img", name="two owls")).to_have_count(2)


def test_a_picture_is_deleted_in_the_gallery_after_a_question(ann: Page) -> None:
    draw(ann, "two owls", count=2)
    ann.goto("/gallery")

    ann.get_by_role("button", name="Delete picture: two owls").first.click()
    expect(ann.get_by_role("dialog")).to_contain_text("It goes to the trash")
    ann.get_by_role("dialog").get_by_role("button", name="Delete").click()

    expect(ann.locator(".tile")).to_have_count(1)
    expect(ann.get_by_role("heading", name="Nothing here yet")).to_be_hidden()
    ann.get_by_role("button", name="Delete picture: two owls").click()
    ann.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(ann.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    ann.goto("/trash")
    expect(ann.locator(".tile--trashed")).to_have_count(2)


def test_the_gallery_grows_in_place(app: Flask, visit: Visit) -> None:
    api = Api(app).register("ann")
    for number in range(13):
        api.generate(f"fox {number}", width=64, height=64, count=4)
    page = visit()
    log_in(page)
    page.goto("/gallery")
    expect(page.locator(".tile")).to_have_count(48)

    page.get_by_role("link", name="Show more").click()

    expect(page.locator(".tile")).to_have_count(52)
    expect(page.get_by_role("link", name="Show more")).to_have_count(0)
    expect(page).to_have_url(re.compile("/gallery$"))
    ids = page.locator(".tile").evaluate_all("tiles => tiles.map((tile) => tile.dataset.imageId)")
    assert len(set(ids)) == 52
    page.locator(".tile__open").last.click()
    expect(page.get_by_role("dialog", name="Picture viewer")).to_be_visible()


WATCH_FRAMES = """() => {
  const seen = { frames: 0, broken: 0, heights: new Set() };
  window.seenPictures = () => ({ ...seen, heights: [...seen.heights] });
  const look = () => {
    for (const image of document.querySelectorAll("figure.card .card__open > img")) {
      seen.frames += 1;
      const isBroken = image.complete && !image.naturalWidth && Number(getComputedStyle(image).opacity) > 0;
      const note = image.parentElement.querySelector(".card__missing");
      if (isBroken || (note && !note.hidden)) seen.broken += 1;
      seen.heights.add(Math.round(image.getBoundingClientRect().height));
    }
    requestAnimationFrame(look);
  };
  look();
}"""
"""Looks at the pictures of a page in every frame from its beginning: is one broken, does one change its height?"""


def frames(page: Page) -> dict[str, Any]:
    """Return what was seen up to now, after the picture had time to settle."""
    page.wait_for_timeout(500)
    return dict(page.evaluate("seenPictures()"))


def paths_asked(page: Page) -> list[str]:
    """Return a list that fills with the paths that the page asks for."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    return asked


def test_the_verified_cloud_copy_is_shown_and_nothing_else_is_fetched(mai: Page, hosts: HostServer) -> None:
    draw(mai)
    mai.add_init_script(f"({WATCH_FRAMES})()")
    asked = paths_asked(mai)
    mai.reload()

    picture = mai.locator("figure.card img")

    expect(picture).to_have_attribute("data-shown-from", "cloud")
    assert picture.evaluate("image => image.decode().then(() => image.currentSrc)").startswith(hosts.base_url)
    expect(mai.locator(".copies summary")).to_contain_text("+ postimages")
    seen = frames(mai)
    assert (seen["frames"] > 0, seen["broken"], len(seen["heights"])) == (True, 0, 1)
    assert [path for path in asked if path.startswith("/i/")] == []


def test_a_cloud_that_fails_is_replaced_without_a_flash(mai: Page, hosts: HostServer, console: Console) -> None:
    mai.route(f"{hosts.base_url}/**", lambda route: route.abort())
    draw(mai)
    mai.add_init_script(f"({WATCH_FRAMES})()")

    mai.reload()

    picture = mai.locator("figure.card img")
    expect(picture).to_have_attribute("data-shown-from", "server")
    assert "/i/" in picture.evaluate("image => image.decode().then(() => image.currentSrc)")
    seen = frames(mai)
    assert (seen["frames"] > 0, seen["broken"], len(seen["heights"])) == (True, 0, 1)
    console.forgive("ERR_FAILED")


def test_a_cloud_that_stays_silent_is_not_waited_for_long(mai: Page, hosts: HostServer) -> None:
    mai.route(f"{hosts.base_url}/**", lambda _: None)
    draw(mai)

    mai.reload()

    picture = mai.locator("figure.card img")
    expect(picture).to_have_attribute("data-shown-from", "server")
    assert "/i/" in picture.evaluate("image => image.decode().then(() => image.currentSrc)")


def test_a_picture_with_a_cloud_copy_is_shown_without_scripts(
    mai: Page, new_context: Callable[..., BrowserContext]
) -> None:
    draw(mai)
    logged_in = mai.context.storage_state()
    page = new_context(java_script_enabled=False, base_url=mai.url, storage_state=logged_in).new_page()

    page.goto(mai.url)

    pictures = page.locator("figure.card img").locator("visible=true")
    expect(pictures).to_have_count(1)
    expect(pictures).to_have_attribute("src", re.compile("^/i/"))
    assert page.request.get(str(pictures.get_attribute("src"))).headers["content-type"].startswith("image/")
