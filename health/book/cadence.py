"""When something that is sent regularly is due. Pure: days, an hour, a zone and which days are worked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

# From any day there is one within so many: two months and the days a weekend moves a month's end.
FARTHEST = 70
DAY = timedelta(days=1)

IsWorked = Callable[[date], bool]


class Cadence(NamedTuple):
    """Every ``week`` on ``weekday`` (0 is Monday), every ``month`` on ``day`` (1–28) or at ``month_end``; the hour."""

    every: str
    weekday: int | None
    day: int | None
    hour: int

    def falls_on(self, day: date, is_worked: IsWorked) -> bool:
        """Whether it is due on ``day``."""
        if self.every == "week":
            return day.weekday() == self.weekday
        return day.day == self.day if self.every == "month" else day == last_worked_day(day, is_worked)


def last_worked_day(day: date, is_worked: IsWorked) -> date:
    """The last day of the month of ``day`` that is worked; the month's last day where none is."""
    last = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - DAY
    return next((found for found in _back(last, last.day) if is_worked(found)), last)


def moment_of(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """The moment of the full ``hour`` on ``day`` as people in ``zone`` read clocks, in UTC.

    Where clocks jump over the hour it is when the old clock would have shown it; where they repeat it, the first time.
    """
    return datetime.combine(day, time(hour), zone).astimezone(UTC)


def last_day(cadence: Cadence, at: datetime, zone: ZoneInfo, is_worked: IsWorked) -> date:
    """The day of the last time it was due, ``at`` itself included."""
    days = _back(at.astimezone(zone).date(), FARTHEST)
    return next(day for day in days if cadence.falls_on(day, is_worked) and moment_of(day, cadence.hour, zone) <= at)


def next_day(cadence: Cadence, at: datetime, zone: ZoneInfo, is_worked: IsWorked) -> date:
    """The day of the next time it is due after ``at``."""
    first = at.astimezone(zone).date()
    days = (first + timedelta(days=ahead) for ahead in range(FARTHEST))
    return next(day for day in days if cadence.falls_on(day, is_worked) and moment_of(day, cadence.hour, zone) > at)


def _back(day: date, days: int) -> Iterator[date]:
    return (day - timedelta(days=ago) for ago in range(days))
