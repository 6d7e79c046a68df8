"""Dates that no clock shows, in the conditions of a request: the whole answer comes, as if they were not there."""

from __future__ import annotations

import pytest

from tests.fixtures.application import Api

IMPOSSIBLE = (
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    "Mon, 99999999999999999999 Jan 2026 00:00:00 GMT",
    "Mon, 01 Jan 2026 99999999999999999999:00:00 GMT",
    "Mon, 01 Jan 2026 00:00:00 +99999999999999",
)


@pytest.mark.parametrize("date", IMPOSSIBLE)
def test_a_date_that_no_clock_shows_is_no_condition(ann: Api, date: str) -> None:
    picture = ann.generate()["images"][0]

    for path in (picture["src"], f"{picture['src']}?w=256", "/static/css/app.css"):
        whole = ann.get(path)
        answer = ann.get(path, headers={"If-Modified-Since": date})

        assert (answer.status_code, answer.data) == (200, whole.data), path


@pytest.mark.parametrize("date", IMPOSSIBLE)
def test_a_part_under_a_date_that_no_clock_shows_is_the_whole(ann: Api, date: str) -> None:
    picture = ann.generate()["images"][0]["src"]

    for path in (picture, "/static/css/app.css"):
        answer = ann.get(path, headers={"If-Range": date, "Range": "bytes=0-3"})

        assert (answer.status_code, answer.data) == (200, ann.get(path).data), path


def test_a_date_that_clocks_show_is_still_a_condition(ann: Api) -> None:
    picture = ann.generate()["images"][0]["src"]
    made = ann.get(picture).headers["Last-Modified"]

    assert ann.get(picture, headers={"If-Modified-Since": made}).status_code == 304
    assert ann.get(picture, headers={"If-Range": made, "Range": "bytes=0-3"}).status_code == 206
    assert ann.get(picture, headers={"If-Range": '"another"', "Range": "bytes=0-3"}).status_code == 200
