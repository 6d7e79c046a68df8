"""Cards for share links: drawn once, with the picture if it can be had."""

from __future__ import annotations

from ChatBot.media.cards import COVER_BYTES, draw_card
from ChatBot.media.decoding import InProcess
from ChatBot.models import User
from ChatBot.services.sharing.previews import NAME, REMEMBERED, Previews
from tests.services.workshop import Workshop, picture, wide_picture


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


def test_a_picture_of_whoever_shares_is_decoded_by_the_decoder_alone(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann, picture(1))
    stored = workshop.path(image).read_bytes()
    handed: list[bytes] = []

    class Elsewhere(InProcess):
        def cover(self, data: bytes, **_: int) -> bytes:
            handed.append(data)
            return bytes(COVER_BYTES)

    card = Previews(workshop.resolver, Elsewhere()).card("a fox", image)

    assert handed == [stored]  # too small to have a thumbnail: the bytes are its owner's choice
    assert card == draw_card("a fox", NAME, bytes(COVER_BYTES))


def test_nothing_of_a_card_is_kept_on_the_disk(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann, wide_picture())
    before = workshop.stored_files()

    Previews(workshop.resolver).card("a fox", image)

    assert workshop.stored_files() == before
