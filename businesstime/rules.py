"""A calendar's rules in plain values, as ``reading`` makes them from JSON and ``calendar`` uses them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

DAY_SECONDS = 24 * 3600
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# Seconds of wall time after the midnight of the day it belongs to; the end lies up to two days later.
Window = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a calendar says. ``weekly`` has seven entries, Monday first.

    ``overrides`` replace the windows of their date, holidays included; ``breaks`` are cut out of every date,
    also of an ``always_open`` calendar, which ignores windows, holidays and overrides (AMB-13).
    """

    zone: ZoneInfo
    weekly: tuple[tuple[Window, ...], ...] = ((),) * 7
    holidays: frozenset[date] = frozenset()
    recurring_holidays: frozenset[tuple[int, int]] = frozenset()
    overrides: dict[date, tuple[Window, ...]] = field(default_factory=dict)
    breaks: dict[date, tuple[Window, ...]] = field(default_factory=dict)
    always_open: bool = False

    def windows_of(self, day: date) -> tuple[Window, ...]:
        """The windows that belong to ``day``: those that start on it."""
        if self.always_open:
            return ((0, DAY_SECONDS),)
        if day in self.overrides:
            return self.overrides[day]
        if day in self.holidays or (day.month, day.day) in self.recurring_holidays:
            return ()
        return self.weekly[day.weekday()]

    def is_holiday(self, day: date) -> bool:
        """Whether ``day`` is a holiday that no override opens."""
        listed = day in self.holidays or (day.month, day.day) in self.recurring_holidays
        return listed and day not in self.overrides and not self.always_open

    def is_business_day(self, day: date) -> bool:
        """Whether any working window belongs to ``day``."""
        return bool(self.windows_of(day))


def next_business_day(rules: Rules, day: date, days: int) -> date:
    """``day`` moved on by ``days`` business days; 0 moves only off a closed day. Searches at most ten years.

    A calendar without a business day in sight moves by calendar days, so that work still gets a date.
    """
    moved, left = day, days
    for _ in range(3660):
        if rules.is_business_day(moved) and left <= 0:
            return moved
        moved += timedelta(days=1)
        if rules.is_business_day(moved):
            left -= 1
    return day + timedelta(days=days)
