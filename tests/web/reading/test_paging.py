"""Cursors: exact positions, and nothing but ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ChatBot.errors import InputError
from ChatBot.web.reading.paging import decode_cursor, encode_cursor, page_json

MILLISECONDS = st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31), timezones=st.just(UTC)
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))


@settings(deadline=None)
@given(MILLISECONDS, st.from_regex(r"[0-9a-f]{32}", fullmatch=True))
@example(datetime(2026, 11, 21, 1, 2, 3, 1000, tzinfo=UTC), "0" * 32)
def test_a_cursor_is_exactly_its_position(moment: datetime, item_id: str) -> None:
    cursor = encode_cursor((moment, item_id))

    assert decode_cursor(cursor) == (moment, item_id)
    assert cursor.replace("-", "").replace("_", "").isalnum()


def test_no_millisecond_of_a_second_is_rounded_away() -> None:
    second = datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)

    for number in range(1000):
        moment = second + timedelta(milliseconds=number)
        assert decode_cursor(encode_cursor((moment, "a"))) == (moment, "a")


@settings(deadline=None)
@given(st.text(min_size=1))
@example("OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkuYQ")
@example("LTk5OTk5OTk5OTk5OTk5OTkuYQ")
def test_any_other_text_is_a_position_or_refused(text: str) -> None:
    try:
        position = decode_cursor(text)
    except InputError:
        return
    assert position is not None


def test_no_cursor_is_the_beginning() -> None:
    assert decode_cursor(None) is None
    assert decode_cursor("") is None


@pytest.mark.parametrize("total", [0, 1, 4, 5, 6])
def test_there_is_a_next_page_only_when_there_is_more(total: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)

    page = page_json(list(range(total)), 5, str, lambda item: (start + timedelta(seconds=item), str(item)))

    assert page["items"] == [str(item) for item in range(min(total, 5))]
    assert (page["next_cursor"] is not None) is (total > 5)
