"""A picture in the making: its place, its progress, why there is none, and another try."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Console, Visit, register, say
from tests.fixtures.serving import serving
from tests.standins.server import Server
from tests.standins.stable_diffusion import StableDiffusion


@pytest.fixture
def webui() -> Iterator[StableDiffusion]:
    """The server that draws; a test that holds its jobs back need not let them go."""
    service = StableDiffusion()
    with Server(service):
        yield service
        service.released.set()


@pytest.fixture
def mai(
    webui: StableDiffusion,
    make_app: Callable[..., Flask],
    new_context: Callable[..., BrowserContext],
    console: Console,
) -> Iterator[Page]:
    """The page of somebody whose pictures that server draws."""
    app = make_app(image_generator="stable_diffusion", sd_webui_url=webui.base_url)
    with serving(app) as address:
        page = new_context(base_url=address, reduced_motion="reduce").new_page()
        console.watch(page)
        register(page, "mai")
        yield page


def test_only_who_has_neither_model_nor_generator_is_told_of_the_demo(mai: Page, visit: Visit) -> None:
    newcomer = visit()
    register(newcomer, "ann")

    expect(newcomer.get_by_text("This is the offline demo")).to_be_visible()
    expect(mai.get_by_text("Ask anything, or describe a picture")).to_be_visible()


def test_a_picture_has_its_place_and_its_progress_before_it_is_there(mai: Page, webui: StableDiffusion) -> None:
    webui.released.clear()

    say(mai, "/image a red fox --size 512x768")

    bar = mai.get_by_role("progressbar", name="Progress of the picture")
    expect(mai.get_by_text(re.compile("Drawing · 50 %"))).to_be_visible()
    expect(bar).to_have_js_property("value", 0.5)
    expect(mai.locator(".card--pending")).to_have_class(re.compile("card--tall"))
    webui.released.set()
    expect(mai.get_by_role("img", name="a red fox")).to_be_visible()
    expect(mai.locator(".card--pending")).to_have_count(0)


def test_a_picture_that_failed_says_why_and_is_drawn_at_another_try(mai: Page, webui: StableDiffusion) -> None:
    webui.trouble = "memory"
    say(mai, "/image a red fox")
    failed = mai.locator(".card--failed")
    expect(failed).to_contain_text("No picture this time")
    expect(failed.locator("[data-reason]")).to_contain_text("memory")
    mai.reload()
    expect(failed).to_be_visible()

    webui.trouble = ""
    mai.get_by_role("button", name="Try again").click()

    expect(mai.get_by_role("img", name="a red fox")).to_be_visible()
    expect(failed).to_have_count(0)
    expect(mai.locator(".message")).to_have_count(2)


def test_stop_ends_a_drawing_and_leaves_the_composer_ready(mai: Page, webui: StableDiffusion) -> None:
    webui.released.clear()
    say(mai, "/image a red fox")
    expect(mai.locator(".card--pending")).to_be_visible()
    assert webui.began.wait(20)

    mai.get_by_role("button", name="Stop").click()

    expect(mai.get_by_role("article", name="Assistant").get_by_text("Stopped")).to_be_visible()
    expect(mai.locator(".card--pending")).to_have_count(0)
    expect(mai.get_by_role("button", name="Send", exact=True)).to_be_visible()
