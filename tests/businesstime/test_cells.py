"""Twenty thousand questions to calendars in thirty zones, answered by counting cells of one minute.

The cells know nothing of intervals: each minute's wall clock is looked up in its zone and compared with the
windows of the days round it.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from businesstime import read_calendar
from businesstime.many import Deadlines

ZONES = (
    "UTC", "Europe/Berlin", "Europe/London", "Europe/Lisbon", "Europe/Moscow", "Europe/Istanbul", "America/New_York",
    "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "America/St_Johns",
    "America/Santiago", "America/Bogota", "America/Havana", "Africa/Cairo", "Africa/Casablanca", "Africa/Lagos",
    "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Tokyo", "Asia/Gaza", "Asia/Beirut", "Australia/Sydney",
    "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia", "Antarctica/Troll",
)  # fmt: skip
# Changes of the clocks on both halves of the globe, the leap day, the turn of the year, a week of nothing.
ANCHORS = tuple(
    datetime.fromisoformat(day).replace(tzinfo=UTC)
    for day in (
        "2026-03-06", "2026-03-26", "2026-04-02", "2026-09-24", "2026-10-22", "2026-10-29", "2028-02-27",
        "2026-12-29", "2018-11-01", "2011-12-27", "2026-04-22", "2026-11-20", "2026-09-04", "2025-04-03",
    )
)  # fmt: skip
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES = 9 * 24 * 60
QUESTIONS = 50
STEP = 15


@cache
def wall_of(zone: str, anchor: datetime) -> np.ndarray:
    """The wall clock of every minute from ``anchor`` on, in minutes since 1970. Offsets change on quarters."""
    tz = ZoneInfo(zone)
    offsets = [
        int((anchor + timedelta(minutes=minute)).astimezone(tz).utcoffset().total_seconds()) // 60
        for minute in range(0, MINUTES, STEP)
    ]
    began = int(anchor.timestamp()) // 60
    return began + np.arange(MINUTES) + np.repeat(offsets, STEP)


def windows_of(definition: dict, day: date) -> list:
    named = day.isoformat()
    if named in definition["date_overrides"]:
        return definition["date_overrides"][named]
    if named in definition["holidays"] or named[5:] in definition["recurring_holidays"]:
        return []
    return definition["weekly"].get(DAYS[day.weekday()], [])


def minute_of(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def cells(definition: dict, anchor: datetime) -> np.ndarray:
    """Whether each minute is working time."""
    wall = wall_of(definition["timezone"], anchor)
    found = np.zeros(MINUTES, dtype=bool)
    for back in range(-2, 12):
        day = anchor.date() + timedelta(days=back)
        midnight = (day - date(1970, 1, 1)).days * 1440
        for opens, closes in windows_of(definition, day):
            begins, ends = minute_of(opens), minute_of(closes)
            ends += 1440 if ends < begins else 0
            found |= (wall >= midnight + begins) & (wall < midnight + ends)
    for item in definition["breaks"]:
        midnight = (date.fromisoformat(item["date"]) - date(1970, 1, 1)).days * 1440
        found &= ~((wall >= midnight + minute_of(item["from"])) & (wall < midnight + minute_of(item["to"])))
    return found


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def week(draw: random.Random) -> dict:
    """Windows of a week: one or two a day, some overnight, some until midnight."""
    found = {}
    for day in draw.sample(DAYS, draw.randint(2, 7)):
        opens, middle = draw.randrange(0, 600, 5), draw.randrange(600, 900, 5)
        windows = [[clock(opens), clock(middle)]]
        if draw.random() < 0.4:
            windows.append([clock(middle + 30), clock(draw.randrange(middle + 60, 1441, 5))])
        elif draw.random() < 0.3:
            windows = [[clock(draw.randrange(1200, 1440, 5)), clock(opens)]]
        found[day] = windows
    return found


def definition_of(draw: random.Random, zone: str, anchor: datetime) -> dict:
    near = [(anchor + timedelta(days=day)).date().isoformat() for day in range(9)]
    return {
        "timezone": zone,
        "weekly": week(draw),
        "holidays": draw.sample(near, draw.randint(0, 1)),
        "recurring_holidays": [day[5:] for day in draw.sample(near, draw.randint(0, 1))],
        "date_overrides": {day: [["10:00", "15:30"]] for day in draw.sample(near, draw.randint(0, 1))},
        "breaks": [{"date": draw.choice(near), "from": "11:00", "to": "11:45"}] if draw.random() < 0.3 else [],
    }


@pytest.mark.parametrize("zone", ZONES)
def test_every_operation_agrees_with_the_minutes(zone):
    asked = 0
    for number, anchor in enumerate(ANCHORS):
        draw = random.Random(f"{zone} {number}")
        definition = definition_of(draw, zone, anchor)
        calendar, is_open = read_calendar(definition), cells(definition, anchor)
        worked = np.concatenate(([0], np.cumsum(is_open)))
        opens = np.flatnonzero(is_open)
        for _ in range(QUESTIONS):
            start, end, budget = draw.randrange(MINUTES), draw.randrange(MINUTES), draw.randrange(1, 2400)
            at, until = anchor + timedelta(minutes=start), anchor + timedelta(minutes=end)
            case = (definition, at, until, budget)
            assert calendar.is_open(at) == is_open[start], case
            assert calendar.between(at, until) == timedelta(minutes=int(worked[end] - worked[start])), case
            # Splitting an interval changes nothing.
            middle = anchor + timedelta(minutes=draw.randrange(MINUTES))
            assert calendar.between(at, middle) + calendar.between(middle, until) == calendar.between(at, until), case
            _adds(calendar, anchor, worked, start, budget, case)
            following = opens[np.searchsorted(opens, start) :]
            if len(following):
                assert _minutes(calendar.next_open(at) - anchor) == following[0], case
            asked += 1
    assert asked == len(ANCHORS) * QUESTIONS


def _adds(calendar, anchor, worked, start, budget, case):
    """Adding forwards and back, and that between undoes it."""
    at = anchor + timedelta(minutes=start)
    if worked[start] + budget <= worked[-1]:
        due = calendar.add(at, budget).astimezone(UTC)
        assert _minutes(due - anchor) == np.searchsorted(worked, worked[start] + budget), case
        assert calendar.between(at, due) == timedelta(minutes=budget), case
    if budget <= worked[start]:
        before = calendar.add(at, -budget).astimezone(UTC)
        assert _minutes(before - anchor) == np.searchsorted(worked, worked[start] - budget, side="right") - 1, case
        assert calendar.between(before, at) == timedelta(minutes=budget), case


def _minutes(length: timedelta) -> float:
    return length / timedelta(minutes=1)


def test_there_are_enough_questions():
    assert len(ZONES) >= 30
    assert len(ZONES) * len(ANCHORS) * QUESTIONS >= 20_000


@pytest.mark.parametrize("zone", ZONES[1:30:7])
def test_deadlines_in_bulk_are_those_of_the_calendar(zone):
    for number, anchor in enumerate(ANCHORS):
        draw = random.Random(f"bulk {zone} {number}")
        calendar = read_calendar(definition_of(draw, zone, anchor))
        moments = [anchor + timedelta(seconds=draw.randrange(MINUTES * 60)) for _ in range(20)]
        starts = np.array([int(moment.timestamp()) * 1_000_000 for moment in moments], np.int64)
        budget = draw.randrange(1, 60 * 24 * 60) * 1_000_000 * 60
        due = Deadlines(calendar).add(starts, budget)
        wanted = [calendar.add(moment, budget // 60_000_000).astimezone(UTC) for moment in moments]
        assert [datetime.fromtimestamp(int(each) / 1_000_000, UTC) for each in due] == wanted
