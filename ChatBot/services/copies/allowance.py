"""How many pictures may be sent to a cloud host in an hour, over all processes of an installation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ChatBot.db.upload_windows import UploadWindows, window_end
from ChatBot.errors import DatabaseUnavailable, ProviderUnavailable
from ChatBot.models import now


class HourlyAllowance:
    """At most ``per_hour`` uploads to ``host`` in each clock hour."""

    def __init__(
        self, windows: UploadWindows, host: str, per_hour: int, *, clock: Callable[[], datetime] = now
    ) -> None:
        self._windows = windows
        self._host = host
        self._clock = clock
        self.per_hour: int | None = per_hour

    def take(self) -> float:
        """Count an upload that is about to begin; return 0, or the seconds until the next may.

        Raises ``ProviderUnavailable`` when it cannot be counted.
        """
        moment = self._clock()
        try:
            number = self._windows.count(self._host, moment)
        except DatabaseUnavailable as error:
            text = f"{self._host} is not sent anything while uploads cannot be counted: {error}"
            raise ProviderUnavailable(text, provider=self._host) from error
        if self.per_hour is None or number <= self.per_hour:
            return 0.0
        return (window_end(moment) - moment).total_seconds()

    def used(self) -> int:
        """Return how many uploads of this hour are used up."""
        counted = self._windows.counted(self._host, self._clock())
        return counted if self.per_hour is None else min(counted, self.per_hour)
