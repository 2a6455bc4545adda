"""Deadlines in business time: beside a calendar laid out in advance, and beside the library people reach for."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.bench import Bench
from benchmarks.harness import Case
from businesstime import Calendar, read_calendar
from businesstime.many import Deadlines, Moments

ZONE = ZoneInfo("Europe/Berlin")
COUNT, FEW = 100_000, 1000
BUDGET = dt.timedelta(hours=16)
WEEK = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
HOLIDAYS = ["2026-12-25", "2027-01-01"]


def moments(count: int) -> list[dt.datetime]:
    """Moments of two years, each in working time or not."""
    draw = random.Random(7)
    began = dt.datetime(2026, 1, 1, tzinfo=ZONE)
    return [began + dt.timedelta(minutes=draw.randrange(2 * 365 * 1440)) for _ in range(count)]


def cases(bench: Bench) -> Iterator[Case]:
    """Many at once, and one by one."""
    calendar = read_calendar({"timezone": "Europe/Berlin", "weekly": WEEK, "holidays": HOLIDAYS})
    starts = np.array([int(moment.timestamp() * 1_000_000) for moment in moments(COUNT)], np.int64)
    budget = int(BUDGET.total_seconds() * 1_000_000)
    many = Deadlines(calendar)
    many.add(starts, budget)  # laid out once, as a running process has it
    opens, worked = many._starts, many._worked

    def looked_up() -> None:
        np.searchsorted(worked, np.searchsorted(opens, starts))

    yield Case(
        "deadlines", "deadlines in business time, at once", partial(many.add, starts, budget), looked_up, goal=10,
        units=COUNT, unit="deadlines", floor_name="searchsorted in a calendar laid out in advance",
        verify=partial(same, calendar, many, starts, budget),
    )  # fmt: skip
    yield from beside_a_library(calendar)


def same(calendar: Calendar, many: Deadlines, starts: Moments, budget: int) -> None:
    """The array says what the calendar says."""
    due = many.add(starts[:2000], budget)
    for start, found in zip(starts[:2000], due, strict=True):
        at = dt.datetime.fromtimestamp(start / 1_000_000, dt.UTC)
        assert int(calendar.add(at, BUDGET.total_seconds() / 60).timestamp() * 1_000_000) == found


def beside_a_library(calendar: Calendar) -> Iterator[Case]:
    """The same calendar in ``businesstimedelta``, which has no holiday list without a country: none counts here."""
    try:
        import businesstimedelta
        import pytz
    except ImportError:
        return
    rule = businesstimedelta.WorkDayRule(
        start_time=dt.time(9), end_time=dt.time(17), working_days=[0, 1, 2, 3, 4], tz=pytz.timezone("Europe/Berlin")
    )
    theirs = businesstimedelta.BusinessTimeDelta(rule, timedelta=BUDGET)
    few = moments(FEW)
    starts = np.array([int(moment.timestamp() * 1_000_000) for moment in few], np.int64)
    many, budget = Deadlines(calendar), int(BUDGET.total_seconds() * 1_000_000)
    many.add(starts, budget)

    def library() -> None:
        for moment in few:
            moment + theirs

    yield Case(
        "deadlines", "deadlines in business time, beside a library", partial(many.add, starts, budget), library,
        goal=50, measure="rate", units=FEW, unit="deadlines", floor_name="businesstimedelta",
    )  # fmt: skip
    yield Case(
        "deadlines", "deadlines in business time, one by one",
        lambda: [calendar.after(moment, BUDGET) for moment in few], library,
        goal=None, measure="rate", units=FEW, unit="deadlines", floor_name="businesstimedelta",
    )  # fmt: skip
