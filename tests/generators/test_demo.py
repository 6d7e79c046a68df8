"""The offline generator: deterministic, labelled, different for different prompts."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageStat

from ChatBot.errors import Cancelled, ProviderRefused
from ChatBot.generators.base import GenerationRequest, Progress
from ChatBot.generators.demo import DemoGenerator
from ChatBot.generators.painting.lettering import is_writable
from tests.generators.contract import GeneratorContract

PROMPTS = (
    "a lighthouse at dusk",
    "a red fox in the snow",
    "city at night",
    "mountain lake at dawn",
    "a cat in a flower garden",
    "a house in the rain at noon",
    "hot air balloon over the desert",
    "birds above the forest",
    "một con cáo trong rừng đêm",
    "",
)


def _draw(prompt: str, width: int = 256, height: int = 256, seed: int = 7) -> bytes:
    return DemoGenerator().generate(GenerationRequest(prompt, width=width, height=height, seed=seed))[0].data


def _open(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data)) as image:
        image.load()
        return image


def _difference(first: Image.Image, second: Image.Image) -> float:
    channels = ImageStat.Stat(ImageChops.difference(first.convert("RGB"), second.convert("RGB"))).mean
    return sum(channels) / len(channels)


class TestDemoGenerator(GeneratorContract):
    @pytest.fixture
    def generator(self) -> DemoGenerator:
        return DemoGenerator()


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_same_prompt_seed_and_size_give_the_same_bytes(prompt: str) -> None:
    assert _draw(prompt) == _draw(prompt)


def test_another_seed_gives_another_picture_of_the_same_prompt() -> None:
    assert _difference(_open(_draw(PROMPTS[0], seed=1)), _open(_draw(PROMPTS[0], seed=2))) > 5


def test_different_prompts_look_clearly_different() -> None:
    pictures = [_open(_draw(prompt)) for prompt in PROMPTS]

    differences = [_difference(a, b) for i, a in enumerate(pictures) for b in pictures[:i]]

    assert min(differences) > 5


@pytest.mark.parametrize("size", [(16, 16), (64, 64), (512, 64), (64, 512), (1216, 832)])
def test_it_paints_exactly_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    assert _open(_draw("a lighthouse at dusk", *size)).size == size


def test_night_is_darker_than_day() -> None:
    night, day = (ImageStat.Stat(_open(_draw(text)).convert("L")).mean[0] for text in ("sea at night", "sea at noon"))

    assert night < day / 2


def test_the_label_stands_in_the_lower_left_corner() -> None:
    corner = _open(_draw("a lighthouse at dusk", 512, 512)).crop((8, 476, 140, 504))

    white = sum(corner.convert("L").point(lambda value: 255 * (value > 230)).histogram()[255:])

    assert white > 100


def test_the_file_carries_what_the_webui_would_write() -> None:
    request = GenerationRequest("a red fox", negative_prompt="text", width=64, height=48, seed=9)

    (picture,) = DemoGenerator().generate(request)

    assert _open(picture.data).info["parameters"] == (
        "a red fox\nNegative prompt: text\nSteps: 4, Seed: 9, Size: 64x48, Model: demo-painter"
    )


def test_a_vietnamese_prompt_is_kept_in_the_file_although_the_font_lacks_its_letters() -> None:
    picture = _open(_draw("một con cáo"))

    assert picture.info["parameters"].startswith("một con cáo")
    assert not is_writable("một con cáo")
    assert is_writable("a red fox, 50% (best)!")


def test_it_stops_between_two_stages() -> None:
    seen: list[Progress] = []

    with pytest.raises(Cancelled):
        DemoGenerator().generate(GenerationRequest("a fox", width=64, height=64), seen.append, lambda: len(seen) >= 2)

    assert len(seen) == 2


@pytest.mark.parametrize(("width", "height"), [(0, 64), (64, -1), (15, 64), (5000, 64)])
def test_an_impossible_size_is_refused(width: int, height: int) -> None:
    with pytest.raises(ProviderRefused, match="pixels"):
        _draw("a fox", width, height)
