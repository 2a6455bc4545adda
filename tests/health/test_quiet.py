"""Quiet hours: the first moment outside them, against a minute-by-minute reading of their own."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from health.quiet import QuietHours

MINUTE = timedelta(minutes=1)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def is_quiet(moment, start, end, weekends):
    if weekends and moment.weekday() >= 5:
        return True
    if start is None:
        return False
    now = moment.time()
    return start <= now < end if start < end else now >= start or now < end


hours = st.integers(0, 23).map(time)


@settings(max_examples=60)
@given(hours, hours, st.booleans(), st.integers(0, 7 * 24 - 1))
def test_it_is_the_first_moment_that_is_not_quiet(start, end, weekends, hour):
    if start == end:
        start = end = None
    at = MONDAY + timedelta(hours=hour)
    expected = at
    while is_quiet(expected, start, end, weekends):
        expected += 60 * MINUTE
    assert QuietHours(start, end, weekends, "UTC").over_at(at) == expected


def test_hours_are_those_of_the_workspaces_zone():
    zone = ZoneInfo("America/New_York")
    evening = datetime(2026, 11, 24, 21, 30, tzinfo=zone)
    over = QuietHours(time(20), time(7, 15), False, "America/New_York").over_at(evening.astimezone(UTC))
    assert over == datetime(2026, 11, 25, 7, 15, tzinfo=zone)
