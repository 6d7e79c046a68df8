"""The WebUI generator against a stand-in over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ChatBot.config import Settings
from ChatBot.errors import Cancelled, ProviderRefused, ProviderUnavailable, SettingsError
from ChatBot.generators.base import GenerationRequest, Progress
from ChatBot.generators.stable_diffusion import StableDiffusionGenerator
from tests.generators.contract import REQUEST, GeneratorContract
from tests.standins.server import Server
from tests.standins.stable_diffusion import PICTURE, StableDiffusion


@pytest.fixture
def webui() -> Iterator[StableDiffusion]:
    service = StableDiffusion()
    with Server(service):
        yield service
        service.released.set()


@pytest.fixture
def generator(webui: StableDiffusion) -> StableDiffusionGenerator:
    return StableDiffusionGenerator(webui.base_url, poll_seconds=0.02, timeout_seconds=20)


class TestStableDiffusionGenerator(GeneratorContract):
    @pytest.fixture
    def generator(self, webui: StableDiffusion) -> StableDiffusionGenerator:
        return StableDiffusionGenerator(webui.base_url, poll_seconds=0.02)


def test_the_request_becomes_the_fields_of_txt2img(webui: StableDiffusion, generator: StableDiffusionGenerator) -> None:
    request = GenerationRequest("a fox", negative_prompt="text", width=770, height=513, count=2, seed=3)

    pictures = generator.generate(request)

    payload = webui.jobs[0].payload
    assert payload.pop("force_task_id").startswith("task(")
    assert payload == {
        "prompt": "a fox",
        "negative_prompt": "text",
        "width": 768,
        "height": 512,
        "seed": 3,
        "steps": 20,
        "batch_size": 1,
        "n_iter": 2,
        "send_images": True,
        "save_images": False,
    }
    assert [(picture.data, picture.seed, picture.model) for picture in pictures] == [
        (PICTURE, 3, "dreamer_v1"),
        (PICTURE, 4, "dreamer_v1"),
    ]
    assert pictures[1].metadata == {"parameters": "a fox\nSeed: 4"}


def test_a_contact_sheet_is_passed_over(webui: StableDiffusion, generator: StableDiffusionGenerator) -> None:
    webui.grid = True

    pictures = generator.generate(GenerationRequest("a fox", count=2, seed=1))

    assert [picture.data for picture in pictures] == [PICTURE, PICTURE]
    assert pictures[0].metadata == {"parameters": "a fox\nSeed: 1"}


def test_unreadable_info_costs_the_seed_and_not_the_picture(
    webui: StableDiffusion, generator: StableDiffusionGenerator
) -> None:
    webui.trouble = "bad_info"

    (picture,) = generator.generate(REQUEST)

    assert (picture.data, picture.seed, picture.metadata) == (PICTURE, None, {})


def test_it_is_queued_until_the_running_task_is_its_own(
    webui: StableDiffusion, generator: StableDiffusionGenerator
) -> None:
    webui.start_foreign_job()
    webui.released.clear()
    seen: list[Progress] = []

    def on_progress(progress: Progress) -> None:
        seen.append(progress)
        if progress.stage == "queued" and webui.running is not None and webui.running.task.endswith("else)"):
            webui.end_foreign_job()
        elif progress.fraction == 0.5:
            webui.released.set()

    generator.generate(REQUEST, on_progress)

    stages = [progress.stage for progress in seen]
    assert stages[0] == "queued"
    assert seen[0].fraction is None
    assert Progress("generating", 0.5, 2.5) in seen
    assert seen[-1] == Progress("generating", 1.0, 0.0)


def test_progress_of_an_older_server_is_not_taken_for_its_own(
    webui: StableDiffusion, generator: StableDiffusionGenerator
) -> None:
    webui.old = True
    webui.released.clear()
    seen: list[Progress] = []

    def on_progress(progress: Progress) -> None:
        seen.append(progress)
        webui.released.set()

    generator.generate(REQUEST, on_progress)

    assert seen[0] == Progress("generating", None, None)


def test_cancelling_interrupts_the_own_running_task(
    webui: StableDiffusion, generator: StableDiffusionGenerator
) -> None:
    webui.released.clear()

    with pytest.raises(Cancelled):
        generator.generate(REQUEST, cancelled=webui.began.is_set)

    assert webui.released.wait(10)
    assert webui.jobs[0].interrupted


def test_cancelling_while_queued_never_interrupts_somebody_else(
    webui: StableDiffusion, generator: StableDiffusionGenerator
) -> None:
    foreign = webui.start_foreign_job()
    webui.released.clear()
    queued = threading.Event()

    with pytest.raises(Cancelled):
        generator.generate(REQUEST, lambda _: queued.set(), queued.is_set)
    while webui.asked.acquire(blocking=False):
        pass
    asked_twice = webui.asked.acquire(timeout=10) and webui.asked.acquire(timeout=10)
    interrupts_while_queued = webui.interrupts
    webui.end_foreign_job()

    assert asked_twice
    assert interrupts_while_queued == 0
    assert webui.released.wait(10)
    assert not foreign.interrupted
    assert webui.jobs[0].interrupted


def test_a_failure_of_the_caller_also_frees_the_server(
    webui: StableDiffusion, generator: StableDiffusionGenerator
) -> None:
    webui.released.clear()

    def on_progress(progress: Progress) -> None:
        raise KeyError(progress.stage)

    with pytest.raises(KeyError):
        generator.generate(REQUEST, on_progress)

    assert webui.released.wait(10)
    assert webui.jobs[0].interrupted


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("reset", "reached|time|cannot"),
        ("html", "SD_WEBUI_URL"),
        ("garbage", "base64"),
        ("no_images", "without a picture"),
        ("memory", "smaller"),
        ("no_api", "--api"),
    ],
)
def test_a_passing_failure_makes_it_unavailable(
    webui: StableDiffusion, generator: StableDiffusionGenerator, trouble: Any, words: str
) -> None:
    webui.trouble = trouble

    with pytest.raises(ProviderUnavailable, match=words):
        generator.generate(REQUEST)


def test_a_busy_server_says_when_to_come_back(webui: StableDiffusion, generator: StableDiffusionGenerator) -> None:
    webui.trouble = "busy"

    with pytest.raises(ProviderUnavailable) as caught:
        generator.generate(REQUEST)

    assert caught.value.retry_after_seconds == 7


@pytest.mark.parametrize(
    ("trouble", "words"), [("sampler", "Sampler not found"), ("validation", "body.width: ensure this value")]
)
def test_a_request_it_does_not_accept_is_refused_in_its_own_words(
    webui: StableDiffusion, generator: StableDiffusionGenerator, trouble: Any, words: str
) -> None:
    webui.trouble = trouble

    with pytest.raises(ProviderRefused, match=words) as caught:
        generator.generate(REQUEST)

    assert caught.value.reason == "input"


def test_a_hanging_server_ends_at_the_deadline(webui: StableDiffusion) -> None:
    webui.trouble = "hang"

    with pytest.raises(ProviderUnavailable, match="in time"):
        StableDiffusionGenerator(webui.base_url, poll_seconds=0.02, timeout_seconds=0.3).generate(REQUEST)


def test_the_password_in_the_address_is_sent_and_a_missing_one_is_refused(webui: StableDiffusion) -> None:
    webui.password = "ann:p@ss"
    address = webui.base_url.replace("http://", "http://ann:p%40ss@")
    settings = Settings(_env_file=None, sd_webui_url=address)

    (picture,) = StableDiffusionGenerator.from_settings(settings).generate(REQUEST)
    with pytest.raises(ProviderRefused, match="password") as caught:
        StableDiffusionGenerator(webui.base_url).check()

    assert picture.data == PICTURE
    assert caught.value.reason == "auth"


def test_nobody_listening_fails_the_check() -> None:
    with Server() as server:
        address = server.base_url

    with pytest.raises(ProviderUnavailable):
        StableDiffusionGenerator(address).check()


@pytest.mark.parametrize("address", ["127.0.0.1:7860", "ftp://host", "http://", "http://[::1", "http://host:port"])
def test_an_address_that_is_none_stops_the_start(address: str) -> None:
    with pytest.raises(SettingsError, match="SD_WEBUI_URL"):
        StableDiffusionGenerator.from_settings(Settings(_env_file=None, sd_webui_url=address))
