"""Looks at pictures are written down to the day, later and together."""

from __future__ import annotations

from datetime import timedelta

from ChatBot.models import new_id, now
from tests.services.workshop import Workshop


def test_a_look_is_written_down_with_the_day_and_not_before_the_chore(workshop: Workshop) -> None:
    viewing, views = workshop.stewardship.viewing, workshop.repositories.views
    image_id = new_id()

    viewing.note(image_id)
    before = views.viewed_on(image_id)
    flushed = viewing.flush()

    assert (before, flushed) == (None, 1)
    assert views.viewed_on(image_id) == now().replace(hour=0, minute=0, second=0, microsecond=0)


def test_a_picture_is_written_down_once_a_day_however_often_it_is_looked_at(workshop: Workshop) -> None:
    viewing = workshop.stewardship.viewing
    image_id = new_id()

    viewing.note(image_id)
    first = viewing.flush()
    for _ in range(5):
        viewing.note(image_id)
    second = viewing.flush()

    assert (first, second) == (1, 0)


def test_an_older_look_does_not_overwrite_a_newer_one(workshop: Workshop) -> None:
    views = workshop.repositories.views
    image_id, today = new_id(), now()

    views.mark([image_id], today)
    views.mark([image_id], today - timedelta(days=5))

    assert views.viewed_on(image_id) == today
