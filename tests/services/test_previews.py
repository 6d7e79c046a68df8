"""Cards for share links: drawn once, with the picture if it can be had."""

from __future__ import annotations

from ChatBot.models import User
from ChatBot.services.previews import REMEMBERED, Previews
from tests.services.workshop import Workshop, wide_picture


def test_a_card_is_drawn_once_while_it_is_remembered(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann, wide_picture())
    previews = Previews(workshop.resolver)

    first = previews.card("a fox", image)

    assert previews.card("a fox", image) is first
    assert previews.card("a hare", image) != first
    assert previews.card("a fox") != first
    for number in range(REMEMBERED):
        previews.card(str(number))
    assert previews.card("a fox", image) is not first


def test_a_card_without_its_picture_is_shown_and_not_remembered(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann, wide_picture())
    previews = Previews(workshop.resolver)
    data = workshop.path(image).read_bytes()
    workshop.files.delete_thumbnails(image.id)
    workshop.path(image).unlink()

    without = previews.card("a fox", image)
    workshop.path(image).write_bytes(data)

    assert without == Previews(workshop.resolver).card("a fox")
    assert previews.card("a fox", image) != without


def test_nothing_of_a_card_is_kept_on_the_disk(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann, wide_picture())
    before = workshop.stored_files()

    Previews(workshop.resolver).card("a fox", image)

    assert workshop.stored_files() == before
