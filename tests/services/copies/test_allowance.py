"""A limit of uploads an hour that all processes share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ChatBot.db.repositories import Repositories
from ChatBot.db.upload_windows import UploadWindows, window_end
from ChatBot.errors import DatabaseUnavailable, ProviderUnavailable
from ChatBot.hosts.guarded import GuardedHost
from ChatBot.models import User, now
from ChatBot.services.copies.allowance import HourlyAllowance
from tests.services.workshop import ScriptedHost, Workshop, at_once, picture, states


def half_past() -> datetime:
    """Return a moment so late that MongoDB does not remove what expires by then."""
    return datetime(2126, 1, 31, 22, 30, tzinfo=UTC)


def test_many_processes_together_take_no_more_than_the_limit(repositories: Repositories) -> None:
    allowances = [HourlyAllowance(repositories.upload_windows, "first", 5, clock=half_past) for _ in range(12)]

    waits = at_once(lambda number: allowances[number].take(), 12)

    assert sorted(waits) == [0.0] * 5 + [1800.0] * 7
    assert allowances[0].used() == 5


def test_each_host_and_each_hour_counts_by_itself(repositories: Repositories) -> None:
    windows, at = repositories.upload_windows, datetime(2126, 1, 31, 23, 59, 59, tzinfo=UTC)

    counts = [windows.count("first", at), windows.count("first", at), windows.count("second", at)]
    later = windows.count("first", at + timedelta(seconds=1))

    assert counts == [1, 2, 1]
    assert later == 1
    assert windows.counted("first", at) == 2
    assert window_end(at) == datetime(2126, 2, 1, tzinfo=UTC)


class NoDatabase(UploadWindows):
    """Windows that cannot be read."""

    def __init__(self) -> None:
        """It has nothing."""

    def count(self, host: str, at: datetime) -> int:
        raise DatabaseUnavailable(f"no answer about {host} at {at}")


def test_nothing_is_sent_while_it_cannot_be_counted() -> None:
    with pytest.raises(ProviderUnavailable, match="cannot be counted"):
        HourlyAllowance(NoDatabase(), "first", 5).take()


def test_a_used_up_hour_sends_the_picture_to_the_next_host_and_the_copy_waits(
    make_workshop: Callable[..., Workshop], repositories: Repositories, ann: User
) -> None:
    first, second = ScriptedHost("first"), ScriptedHost("second")
    allowance = HourlyAllowance(repositories.upload_windows, "first", 1, clock=half_past)
    limited = GuardedHost(first, parallel_uploads=2, allowance=allowance)
    cloud = make_workshop(hosts=(limited, second))
    cloud.upload(ann, picture(1))

    image = cloud.upload(ann, picture(2))

    assert first.uploads == 1
    assert states(image) == {"first": "retry", "second": "verified"}
    waiting = next(copy for copy in image.copies if copy.host == "first")
    assert waiting.next_at is not None
    assert waiting.next_at > now() + timedelta(minutes=29)
    assert not cloud.replicator.work_once()
