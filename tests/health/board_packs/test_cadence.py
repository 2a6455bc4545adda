"""When something regular is due: weekdays, month days, last business days, and the nights clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from health.book.cadence import Cadence, last_day, last_worked_day, moment_of, next_day

BERLIN, NEW_YORK, AUCKLAND = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Auckland")
MONDAYS = Cadence("week", 0, None, 8)
FIRSTS = Cadence("month", None, 1, 8)
ENDS = Cadence("month_end", None, None, 8)
TICK = timedelta(microseconds=1)


def office(day: date) -> bool:
    return day.weekday() < 5


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cadence", "zone", "moment", "day", "following"),
    [
        (MONDAYS, BERLIN, utc(2026, 11, 30, 7), date(2026, 11, 30), date(2026, 12, 7)),
        (MONDAYS, NEW_YORK, utc(2026, 11, 30, 13), date(2026, 11, 30), date(2026, 12, 7)),
        # On Sunday in UTC it is Monday there.
        (MONDAYS, AUCKLAND, utc(2026, 11, 29, 19), date(2026, 11, 30), date(2026, 12, 7)),
        (FIRSTS, BERLIN, utc(2026, 12, 1, 7), date(2026, 12, 1), date(2027, 1, 1)),
        (ENDS, BERLIN, utc(2026, 11, 30, 7), date(2026, 11, 30), date(2026, 12, 31)),
        # 31 October 2026 is a Saturday.
        (ENDS, BERLIN, utc(2026, 10, 30, 7), date(2026, 10, 30), date(2026, 11, 30)),
    ],
)
def test_it_is_due_from_the_very_moment_and_not_before(cadence, zone, moment, day, following):
    assert moment_of(day, cadence.hour, zone) == moment
    assert last_day(cadence, moment, zone, office) == day
    assert last_day(cadence, moment - TICK, zone, office) < day
    assert next_day(cadence, moment - TICK, zone, office) == day
    assert next_day(cadence, moment, zone, office) == following


@pytest.mark.parametrize(
    ("day", "hour", "moment"),
    [
        (date(2026, 3, 28), 2, utc(2026, 3, 28, 1)),
        (date(2026, 3, 29), 1, utc(2026, 3, 29, 0)),
        (date(2026, 3, 29), 2, utc(2026, 3, 29, 1)),  # jumped over: three by the new clock
        (date(2026, 3, 29), 3, utc(2026, 3, 29, 1)),
        (date(2026, 3, 30), 2, utc(2026, 3, 30, 0)),
        (date(2026, 10, 25), 2, utc(2026, 10, 25, 0)),  # shown twice: the first time
        (date(2026, 10, 25), 3, utc(2026, 10, 25, 2)),
        (date(2026, 10, 26), 2, utc(2026, 10, 26, 1)),
    ],
)
def test_an_hour_that_clocks_skip_or_repeat_comes_once(day, hour, moment):
    assert moment_of(day, hour, BERLIN) == moment
    sundays = Cadence("week", day.weekday(), None, hour)
    assert last_day(sundays, moment, BERLIN, office) == day
    assert next_day(sundays, moment, BERLIN, office) == day + timedelta(days=7)


def test_the_hour_stays_the_same_on_both_sides_of_the_change():
    hours = [moment_of(date(2026, 10, 19) + timedelta(days=7 * week), 8, BERLIN) for week in range(2)]
    assert hours == [utc(2026, 10, 19, 6), utc(2026, 10, 26, 7)]


@pytest.mark.parametrize(
    ("month", "last"),
    [(date(2026, 2, 1), 27), (date(2024, 2, 10), 29), (date(2026, 5, 31), 29), (date(2026, 12, 24), 31)],
)
def test_the_last_business_day_of_a_month(month, last):
    assert last_worked_day(month, office) == month.replace(day=last)


def test_holidays_move_it_and_a_month_nobody_works_ends_on_its_last_day():
    closed = {date(2026, 12, day) for day in (24, 25, 28, 29, 30, 31)}
    assert last_worked_day(date(2026, 12, 1), lambda day: office(day) and day not in closed) == date(2026, 12, 23)
    assert last_worked_day(date(2026, 12, 1), lambda day: False) == date(2026, 12, 31)


@pytest.mark.parametrize("cadence", [MONDAYS, FIRSTS, ENDS, Cadence("month", None, 28, 23)])
@pytest.mark.parametrize("zone", [BERLIN, AUCKLAND])
def test_hour_by_hour_over_a_year_the_last_and_the_next_are_neighbours(cadence, zone):
    at, end = utc(2026, 1, 1, 0, 30), utc(2027, 1, 1)
    while at < end:
        last, following = last_day(cadence, at, zone, office), next_day(cadence, at, zone, office)
        assert moment_of(last, cadence.hour, zone) <= at < moment_of(following, cadence.hour, zone)
        between = [last + timedelta(days=days) for days in range(1, (following - last).days)]
        assert not [day for day in between if cadence.falls_on(day, office)]
        at += timedelta(hours=7)
