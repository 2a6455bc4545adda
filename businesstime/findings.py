"""What is wrong or odd about a calendar although it can be counted in: windows that meet at night, stray gaps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from businesstime.reading import CalendarProblem, clock
from businesstime.rules import DAY_SECONDS, WEEKDAYS, Rules, Window

NAMES = dict(zip(WEEKDAYS, "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(), strict=True))
SHORT_GAP = 15 * 60
LAST_MINUTE = DAY_SECONDS - 60


def night_overlaps(rules: Rules) -> list[CalendarProblem]:
    """Windows that run overnight into the next day's first one: the same hours would stand twice."""
    found = []
    for index, day in enumerate(WEEKDAYS):
        following = rules.weekly[(index + 1) % 7]
        for window in rules.weekly[index]:
            over = window[1] - DAY_SECONDS
            if over > 0 and following and following[0][0] < over:
                after = WEEKDAYS[(index + 1) % 7]
                detail = f"{NAMES[day]} {clock(*window)} runs into {NAMES[after]} {clock(*following[0])}."
                found.append(CalendarProblem(f"weekly/{after}", "overlap", detail))
    return found


def oddities(rules: Rules) -> list[str]:
    """Sentences about what was probably not meant: gaps of some minutes, a day that ends at 23:59, days off opened."""
    if rules.always_open:
        return []
    found = list(_gaps(rules))
    for day, windows in zip(WEEKDAYS, rules.weekly, strict=True):
        if any(end == LAST_MINUTE for _start, end in windows):
            found.append(f"{NAMES[day]} ends at 23:59: its last minute is closed. 24:00 closes the day.")
    opened = sorted(day for day in rules.overrides if rules.overrides[day] and _is_listed(rules, day))
    found += [f"{day.isoformat()} is a holiday that its own hours open." for day in opened]
    return found


def _gaps(rules: Rules) -> Iterator[str]:
    for index, day in enumerate(WEEKDAYS):
        for before, after in pairwise(rules.weekly[index]):
            yield from _gap(NAMES[day], before, after[0])
        following = rules.weekly[(index + 1) % 7]
        last = rules.weekly[index][-1:]
        if last and following:
            yield from _gap(f"{NAMES[day]} night", last[0], following[0][0] + DAY_SECONDS)


def _gap(where: str, before: Window, begins: int) -> Iterator[str]:
    gap = begins - before[1]
    # An end at 23:59 is told by itself.
    if 0 < gap <= SHORT_GAP and before[1] != LAST_MINUTE:
        minutes = max(gap // 60, 1)
        yield f"{where}: {minutes} minute{'' if minutes == 1 else 's'} after {clock(*before)} are closed."


def _is_listed(rules: Rules, day: date) -> bool:
    return day in rules.holidays or (day.month, day.day) in rules.recurring_holidays
