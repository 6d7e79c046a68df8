"""Looking at pictures: large, from the cloud, and no longer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Console, draw, register, serving
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
    ann.goto("/gallery")
    expect(ann.locator(".tile")).to_have_count(0)


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


def test_the_verified_cloud_copy_is_shown_once_it_is_loaded(mai: Page, hosts: HostServer) -> None:
    draw(mai)
    mai.reload()

    picture = mai.locator("figure.card img")

    expect(picture).to_have_attribute("data-shown-from", "cloud")
    assert picture.evaluate("image => image.decode().then(() => image.currentSrc)").startswith(hosts.base_url)
    expect(mai.locator(".copies summary")).to_contain_text("+ postimages")


def test_the_server_s_own_copy_stays_while_the_cloud_does_not_answer(
    mai: Page, hosts: HostServer, console: Console
) -> None:
    mai.route(f"{hosts.base_url}/**", lambda route: route.abort())
    draw(mai)

    with mai.expect_event("requestfailed", lambda request: request.url.startswith(hosts.base_url)):
        mai.reload()

    picture = mai.locator("figure.card img")
    assert "/i/" in picture.evaluate("image => image.decode().then(() => image.currentSrc)")
    expect(mai.locator(".card__missing")).to_be_hidden()
    console.forgive("ERR_FAILED")
