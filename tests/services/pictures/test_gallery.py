"""A person's pictures."""

from __future__ import annotations

from typing import Any

import pytest

from ChatBot.errors import InputError, NotFound
from ChatBot.models import User
from ChatBot.services.access import ANYBODY, Viewer
from ChatBot.services.pictures.gallery import CAPTION_CHARACTERS, TAGS
from tests.services.workshop import Workshop, make_image, make_message, picture


def test_every_picture_is_listed_once_newest_first(workshop: Workshop, ann: User, bob: User) -> None:
    uploaded = [workshop.upload(ann, picture(seed)) for seed in range(1, 6)]
    workshop.upload(bob)
    listed, pages, before = [], 0, None

    while pages < 10:
        images, last = workshop.gallery.page(ann, 2, before)
        listed += [image.id for image in images]
        pages += 1
        if last is None:
            break
        before = (last.created_at, last.id)

    assert listed == [image.id for image in reversed(uploaded)] or set(listed) == {image.id for image in uploaded}
    assert len(listed) == 5
    assert pages <= 4


def test_a_message_with_many_pictures_is_not_cut_in_two(workshop: Workshop, ann: User) -> None:
    images = tuple(make_image(ann.id) for _ in range(5))
    workshop.messages.add(make_message(ann.id, images=images))

    page, last = workshop.gallery.page(ann, 2)

    assert [image.id for image in page] == [image.id for image in images]
    assert last is None


def test_a_stranger_gets_the_answer_of_an_absent_picture(workshop: Workshop, ann: User, bob: User) -> None:
    image = workshop.upload(ann)
    texts = set()

    for viewer, wanted in [(Viewer(bob), image.id), (ANYBODY, image.id), (Viewer(ann), "f" * 32)]:
        with pytest.raises(NotFound) as error:
            workshop.gallery.view(viewer, wanted)
        texts.add(str(error.value))

    assert len(texts) == 1
    assert workshop.gallery.view(Viewer(ann), image.id).id == image.id


@pytest.mark.parametrize("act", ["describe", "trash", "untrash"])
def test_nobody_changes_another_accounts_picture(workshop: Workshop, ann: User, bob: User, act: str) -> None:
    image = workshop.upload(ann)
    if act == "untrash":
        workshop.gallery.trash(ann, image.id)
    before = workshop.image(image.id)

    with pytest.raises(NotFound):
        getattr(workshop.gallery, act)(bob, image.id)

    assert workshop.image(image.id) == before


def test_only_what_is_given_is_changed(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann)
    workshop.gallery.describe(ann, image.id, caption=" A fox ", tags=["red", " red ", "", "fox"])

    changed = workshop.gallery.describe(ann, image.id, favourite=True)

    assert (changed.caption, changed.tags, changed.favourite) == ("A fox", ("red", "fox"), True)
    assert workshop.image(image.id) == changed
    assert workshop.gallery.describe(ann, image.id, caption="  ").caption is None


@pytest.mark.parametrize(
    "fields",
    [
        {"caption": "x" * (CAPTION_CHARACTERS + 1)},
        {"tags": ["x" * 51]},
        {"tags": [str(number) for number in range(TAGS + 1)]},
    ],
    ids=["caption", "long tag", "many tags"],
)
def test_a_description_out_of_bounds_changes_nothing(workshop: Workshop, ann: User, fields: dict[str, Any]) -> None:
    image = workshop.upload(ann)

    with pytest.raises(InputError):
        workshop.gallery.describe(ann, image.id, favourite=True, **fields)

    assert workshop.image(image.id) == image


def test_a_description_of_one_picture_leaves_its_neighbour_alone(workshop: Workshop, ann: User) -> None:
    first, second = make_image(ann.id), make_image(ann.id)
    workshop.messages.add(make_message(ann.id, images=(first, second)))

    workshop.gallery.describe(ann, second.id, caption="second")

    assert (workshop.image(first.id).caption, workshop.image(second.id).caption) == (None, "second")


def test_a_trashed_picture_answers_as_absent_everywhere(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann)

    workshop.gallery.trash(ann, image.id)

    for act in (workshop.gallery.trash, workshop.gallery.describe):
        with pytest.raises(NotFound):
            act(ann, image.id)
    with pytest.raises(NotFound):
        workshop.gallery.view(Viewer(ann), image.id)
    with pytest.raises(NotFound):
        workshop.threads.ask(ann, None, "look", attachments=(image.id,))
    assert workshop.gallery.page(ann, 10) == ([], None)
    assert workshop.gallery.attached([make_message(ann.id, attachments=(image.id,))]) == {}


def test_a_picture_comes_back_from_the_trash_as_it_was(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann)
    workshop.gallery.trash(ann, image.id)

    returned = workshop.gallery.untrash(ann, image.id)

    assert returned == image == workshop.gallery.view(Viewer(ann), image.id)
    with pytest.raises(NotFound):
        workshop.gallery.untrash(ann, image.id)


def test_trashing_one_picture_of_a_message_leaves_the_other(workshop: Workshop, ann: User) -> None:
    first, second = make_image(ann.id), make_image(ann.id)
    workshop.messages.add(make_message(ann.id, images=(first, second)))

    workshop.gallery.trash(ann, first.id)

    assert [image.id for image in workshop.gallery.page(ann, 10)[0]] == [second.id]


def test_attachments_are_found_by_their_ids(workshop: Workshop, ann: User) -> None:
    image = workshop.upload(ann)

    found = workshop.gallery.attached([make_message(ann.id, attachments=(image.id, "f" * 32))])

    assert found == {image.id: image}
